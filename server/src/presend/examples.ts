/** The objects shown in the examples of the operations; a test holds them against the schemas. */
const at = '2026-07-03T00:00:00.000Z';

export const hookBody = {
  url: 'https://risk.example.com/otp/pre-send',
  timeout_ms: 300,
  on_failure: 'open',
} as const;

export const hook = {
  application_id: '2072800000000000001',
  url: hookBody.url,
  timeout_ms: 300,
  on_failure: 'open',
  has_authorization: false,
  enabled: true,
  counts: {
    allowed: 1290,
    denied: 12,
    challenged: 3,
    failed: 1,
    skipped: 0,
    last_failure: 'timeout: no answer within 300 ms',
    last_failure_at: at,
  },
  created_at: at,
  updated_at: at,
} as const;

const signing_secret = 'whsec_EXAMPLEeXAMPLEeXAMPLEeXAMPLEeXAMPLEeXAMPLE=';
const none = {
  allowed: 0,
  denied: 0,
  challenged: 0,
  failed: 0,
  skipped: 0,
  last_failure: null,
  last_failure_at: null,
};
export const created = { ...hook, counts: none, signing_secret };
export const rotated = { ...hook, signing_secret, former_signs_until: '2026-07-04T00:00:00.000Z' };

export const tried = {
  decision: 'deny',
  reason: 'account is locked',
  failed: null,
  http_status: 200,
  took_ms: 41,
  response: '{"decision":"deny","reason":"account is locked"}',
} as const;
