/** The objects shown in the examples of the operations; a test holds them against the schemas. */
import { policySchema } from '../policy.ts';

const at = '2026-07-03T00:00:00.000Z';

export const organization = { id: '2072832692843446272', name: 'Acme Pte. Ltd.', created_at: at };

export const policy = policySchema.parse({ template_review: 'auto' });

export const application = {
  id: '2072832692843446273',
  organization_id: organization.id,
  name: 'Acme',
  network: 'virtual',
  sandbox: 'none',
  policy,
  created_at: at,
};

export const keyBody = {
  description: 'Login service',
  permissions: ['send', 'verify'],
  ip_allowlist: ['203.0.113.0/24'],
  expires_at: '2027-07-03T00:00:00.000Z',
};

export const key = {
  id: '2072832692843446274',
  application_id: application.id,
  dev_key: 'dk_EXAMPLEkEXAMPLEkEXAMP',
  kind: 'server',
  agent: null,
  ...keyBody,
  enabled: true,
  limits: [],
  last_used_at: null,
  created_at: at,
};

export const keyWithSecret = { ...key, dev_secret: 'sk_EXAMPLEsEXAMPLEsEXAMPLEsEXAMPLEs' };

const terms = {
  mode: 'live',
  countries: ['SG'],
  recipients: ['qa@example.com'],
  per_recipient_per_day: 3,
  sends_per_day: 50,
  spend_per_day_micros: 2_000_000,
} as const;
const { mode, countries, recipients, spend_per_day_micros } = terms;

export const agentBody = {
  kind: 'agent',
  description: 'Support assistant',
  agent: { mode, countries, recipients, spend_per_day_micros },
};
export const agentKey = {
  ...keyWithSecret,
  kind: 'agent',
  agent: terms,
  description: agentBody.description,
  permissions: ['send', 'verify', 'read'],
  ip_allowlist: [],
  expires_at: '2026-10-01T00:00:00.000Z',
};

export const sandboxKey = {
  application: { ...application, name: 'CI', sandbox: 'key' },
  api_key: {
    ...keyWithSecret,
    permissions: ['send', 'verify', 'templates', 'read', 'callbacks:read', 'callbacks:write'],
  },
};
