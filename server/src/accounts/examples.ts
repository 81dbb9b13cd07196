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
  ...keyBody,
  enabled: true,
  last_used_at: null,
  created_at: at,
};

export const keyWithSecret = { ...key, dev_secret: 'sk_EXAMPLEsEXAMPLEsEXAMPLEsEXAMPLEs' };

export const sandboxKey = {
  application: { ...application, name: 'CI', sandbox: 'key' },
  api_key: { ...keyWithSecret, permissions: ['send', 'verify', 'templates', 'read'] },
};
