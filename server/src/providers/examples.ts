/** The objects shown in the examples of the operations; a test holds them against the schemas. */
const at = '2026-07-03T00:00:00.000Z';

export const adapter = {
  id: 'sms-example',
  title: 'Example SMS',
  channels: ['sms'],
  max_concurrency: 50,
  idempotent: false,
  settings: {
    type: 'object',
    properties: {
      account: { type: 'string', title: 'Account' },
      token: { type: 'string', title: 'Token', secret: true },
    },
    required: ['account', 'token'],
    additionalProperties: false,
  },
};

export const providerBody = {
  id: 'example-main',
  adapter: adapter.id,
  title: 'Example, main account',
  settings: { account: 'acme', token: '<the token of the account>' },
  rate_per_second: 20,
};

export const provider = {
  id: providerBody.id,
  adapter: adapter.id,
  title: providerBody.title,
  channels: ['sms'],
  settings: { account: 'acme', token: 'set' },
  enabled: true,
  drained_until: null,
  rate_per_second: 20,
  concurrency: 50,
  quiet_hours: null,
  circuit: { min_calls: 10, error_ratio: 0.5, window_seconds: 30, open_seconds: 15 },
  webhook_url: `https://otp.example.com/hooks/${providerBody.id}/EXAMPLEtEXAMPLEtEXAMPLEtEXAMPLEtEXAMPLEtEXA`,
  version: 1,
  created_at: at,
  updated_at: at,
};

export const health = {
  provider: provider.id,
  node: 'otp-1-0k3v9x2m',
  opened: true,
  circuit: 'closed',
  since: at,
  reason: null,
  calls: 412,
  errors: 3,
  updated_at: at,
};

export const routeBody = {
  channel: 'sms',
  prefix: '65',
  entries: [{ provider: provider.id, priority: 1, sender: 'ACME', price_micros: 41_200 }],
};

const entry = {
  id: '7',
  provider: provider.id,
  priority: 1,
  sender: 'ACME',
  senders: 'own',
  price_micros: 41_200,
  currency: 'USD',
  registration_note: '',
  enabled: true,
};

export const route = {
  id: '3',
  application_id: null,
  channel: 'sms',
  country: null,
  prefix: '65',
  enabled: true,
  note: '',
  entries: [entry],
  warnings: [`${provider.id}: SG wants "ACME" registered; say in registration_note where it is`],
  version: 1,
  created_at: at,
  updated_at: at,
};

export const resolution = {
  country: 'SG',
  reason: null,
  entries: [
    {
      entry_id: entry.id,
      route_id: route.id,
      provider: provider.id,
      why: 'prefix 65, priority 1',
      sender: 'ACME',
      price_micros: 41_200,
      currency: 'USD',
      up: true,
      detail: null,
    },
  ],
  left_out: [
    {
      entry_id: '8',
      route_id: route.id,
      provider: 'example-spare',
      why: 'prefix 65, priority 2',
      reason: 'drained',
    },
  ],
};
