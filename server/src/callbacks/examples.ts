/** The objects shown in the examples of the operations; a test holds them against the schemas. */
import { families } from '../events/index.ts';

const at = '2026-07-03T00:00:00.000Z';

export const endpointBody = {
  description: 'login service',
  url: 'https://hooks.example.com/otp',
  username: 'acme_hooks',
  secret: '<the secret of the username>',
  events: ['message_status', 'uplink_message'],
};

export const endpoint = {
  id: '2072832692843446273',
  application_id: '2072800000000000001',
  description: endpointBody.description,
  url: endpointBody.url,
  username: endpointBody.username,
  has_secret: true,
  has_authorization: false,
  events: [...families.message_status, ...families.response],
  format: 'vendor',
  retry_schedule: 'vendor',
  batch_rows: 1,
  timeout_ms: 5000,
  concurrency: 20,
  rate_per_second: null,
  enabled: true,
  disabled_because: null,
  of_sandbox: false,
  reachable: true,
  probe_note: 'answered 200',
  probed_at: at,
  failing_since: null,
  version: 1,
  created_at: at,
  updated_at: at,
};

const signing_secret = 'whsec_EXAMPLEeXAMPLEeXAMPLEeXAMPLEeXAMPLEeXAMPLE=';
export const created = { ...endpoint, signing_secret };
export const rotated = { ...endpoint, version: 2, signing_secret, former_signs_until: '2026-07-04T00:00:00.000Z' };

export const tested = {
  event: 'delivered',
  delivered: false,
  http_status: 500,
  latency_ms: 41,
  detail: 'answered 500',
  response: 'Internal Server Error',
};
