/** One callback of each event as an example, made from an entry of the ledger by the code that makes the real ones. */
import type { ErrorCode } from '../errors.ts';
import { type EventName, type Family, families, familyOf } from './families.ts';
import { type MessageFacts, rowOf, standardBody, type ToldEntry } from './row.ts';

const createdAt = new Date('2026-07-03T00:00:00.000Z');

export const exampleMessage: MessageFacts = {
  to: '+6598120044',
  templateId: 'signin_demo',
  customArgs: { order: 'A-17' },
  createdAt,
  expiresAt: new Date('2026-07-03T00:05:00.000Z'),
};

const operator = { email: 'ana@example.com', ip_address: '203.0.113.9' };
const key = { api_key: 'dk_demo', ip_address: '203.0.113.9' };
const system = (event: string, by: object, details: object): Record<string, unknown> => ({
  org_id: '2072800000000000000',
  operator: by,
  [event]: details,
});

interface Sample {
  errorCode?: ErrorCode;
  data?: Record<string, unknown>;
}

const samples: Record<EventName, Sample> = {
  plan: {},
  target_valid: {},
  target_invalid: { errorCode: 5020 },
  sent: { data: { billing: { cost: 0.032, currency: 'USD' } } },
  sent_failed: { errorCode: 5001 },
  delivered: {},
  delivered_failed: { errorCode: 5018, data: { fallback_pending: true } },
  verified: {},
  verified_failed: { errorCode: 3003 },
  verified_timeout: { errorCode: 3003 },
  insufficient_balance: { data: { remain_balance: 4.2, balance_threshold: 10, currency: 'USD' } },
  insufficient_verification_rate: { data: { rate: 41.5, threshold: 60 } },
  template_audit_result: { data: { template_id: 'signin_demo', status: 2, reason: '' } },
  alert: {
    data: {
      alert_id: '2072800000000000007',
      kind: 'delivery_rate',
      state: 'raised',
      value: 61.2,
      threshold: 80,
      text: '61.2 % of the messages of the last hour arrived, below 80 %.',
    },
  },
  callback_endpoint_disabled: {
    data: {
      endpoint_id: '2072800000000000009',
      host: 'hooks.example.com',
      because: 'failing',
      failing_since: '2026-06-28T00:00:00+00:00',
    },
  },
  uplink_message: {
    data: { message_sid: 'SM17', account_sid: 'AC1', from: '+6598120044', to: '+6531590000', body: 'STOP' },
  },
  account_login: {
    data: system('account_login', operator, { action: 'login_failed', fail_reason: 'wrong password' }),
  },
  key_manage: {
    data: system('key_manage', operator, { action: 'create api_key', api_key: 'dk_demo', description: 'CI' }),
  },
  template_manage: {
    data: system('template_manage', key, {
      template_id: 'signin_demo',
      template_name: 'Sign in',
      action: 'update template',
    }),
  },
  api_call: {
    data: system('api_call', key, {
      api_path: '/v1/messages',
      method: 'POST',
      http_status: 200,
      code: 0,
      request_id: 'req_01K0A1B2C3D4E5F6G7H8J9KMNP',
    }),
  },
  msg_history: { data: system('msg_history', key, { action: 'query', count: 20 }) },
};

/** The entry of the ledger behind an example. */
export function exampleEntry(event: EventName): ToldEntry {
  const family = familyOf(event);
  const ofMessage = family === 'message_status';
  return {
    position: '1',
    at: new Date(createdAt.getTime() + 9_000),
    applicationId: '2072800000000000001',
    messageId: ofMessage || family === 'response' ? '2072832692843466759' : '0',
    // The cause is never told.
    cause: 'accepted',
    status: event,
    ...(ofMessage && { sequence: 4, attempt: 1, channel: 'whatsapp' }),
    ...samples[event],
  };
}

/** Named by event; of messages the interesting ones, of the others all, and one in the format `standard`. */
export function examples(family: Family): { name: string; value: unknown }[] {
  const shown: readonly EventName[] =
    family === 'message_status' ? ['sent', 'delivered_failed', 'verified'] : families[family];
  const [first] = shown;
  const standard = first && standardBody(exampleEntry(first), exampleMessage);
  return [
    ...shown.map((event) => ({
      name: event,
      value: { total: 1, rows: [rowOf(exampleEntry(event), exampleMessage)] },
    })),
    { name: `standard_${first}`, value: standard },
  ];
}
