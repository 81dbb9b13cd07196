/** The objects shown in the examples of the operations; a test holds them against the schemas. */
import { policySchema } from '../policy.ts';

export const at = '2026-07-03T00:00:00.000Z';

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
  approval: 'none',
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
  unattended: false,
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

export const approval = {
  id: '2072832692843446275',
  key_id: key.id,
  key_description: agentBody.description,
  application_id: application.id,
  state: 'pending',
  terms,
  operation: 'sendOtp',
  to: '+65••••••44',
  recipients: 1,
  template_id: 'login',
  channels: [
    { channel: 'whatsapp', estimate_micros: 30_000 },
    { channel: 'sms', estimate_micros: 41_200 },
  ],
  currency: 'USD',
  client: 'send_otp over MCP (claude-code 3.1.0)',
  request_id: 'req_01K0EXAMPLEEXAMPLEEXAMPLEE',
  note: null,
  asked_at: at,
  decided_at: null,
};

export const sandboxKey = {
  application: { ...application, name: 'CI', sandbox: 'key' },
  api_key: {
    ...keyWithSecret,
    permissions: ['send', 'verify', 'templates', 'read', 'callbacks:read', 'callbacks:write'],
  },
};
