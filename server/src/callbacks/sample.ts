/** What a test event tells: an entry as the ledger would hold it, of a message that does not exist. Pure. */
import { type EventName, familyOf, type MessageFacts, type ToldEntry } from '../events/index.ts';
import { messageIdOf } from '../platform/ids.ts';

const agoMs = 10_000;
const lifeMs = 300_000;
const templateId = 'sample_template';

export interface SampleOf {
  event: EventName;
  applicationId: string;
  organizationId: string;
  nowMs: number;
}

export interface Sample {
  entry: ToldEntry;
  message: MessageFacts | null;
}

export function sampleOf({ event, applicationId, organizationId, nowMs }: SampleOf): Sample {
  const sentMs = nowMs - agoMs;
  const common = { position: '0', at: new Date(nowMs), applicationId, cause: 'accepted' as const, status: event };
  if (familyOf(event) !== 'message_status')
    return { entry: { ...common, messageId: '0', ...details(event, organizationId) }, message: null };
  return {
    entry: { ...common, messageId: messageIdOf(sentMs, 0, 0), channel: 'sms', ...details(event, organizationId) },
    message: {
      to: '+6598120044',
      templateId,
      customArgs: { test: 'true' },
      createdAt: new Date(sentMs),
      expiresAt: new Date(sentMs + lifeMs),
    },
  };
}

type Details = Pick<ToldEntry, 'sequence' | 'attempt' | 'errorCode' | 'data'>;

const details = (event: EventName, organizationId: string): Details => ({
  ...(statusDetails[event] ?? {}),
  ...(otherData[event] && { data: otherData[event] }),
  ...(familyOf(event) === 'system_event' && { data: systemData(event, organizationId) }),
});

const statusDetails: Partial<Record<EventName, Details>> = {
  plan: { sequence: 1 },
  target_valid: { sequence: 2 },
  target_invalid: { sequence: 2, errorCode: 5020 },
  sent: { sequence: 3, attempt: 1, data: { billing: { cost: 0.0412, currency: 'USD' } } },
  sent_failed: { sequence: 3, attempt: 1, errorCode: 5001 },
  delivered: { sequence: 4, attempt: 1 },
  delivered_failed: { sequence: 4, attempt: 1, errorCode: 5018 },
  verified: { sequence: 5, attempt: 1 },
  verified_failed: { sequence: 5, attempt: 1, errorCode: 3003 },
  verified_timeout: { sequence: 5, attempt: 1, errorCode: 3003 },
};

const otherData: Partial<Record<EventName, Record<string, unknown>>> = {
  insufficient_balance: { remain_balance: 1.2, balance_threshold: 2, currency: 'USD' },
  insufficient_verification_rate: { rate: 41.7, threshold: 60 },
  template_audit_result: { template_id: templateId, status: 2, reason: '' },
  alert: { alert_id: '1', kind: 'delivery_rate', state: 'raised', value: 41.7, threshold: 60, detail: 'a test event' },
  callback_endpoint_disabled: { endpoint_id: '1', reason: 'failing', detail: 'a test event' },
  uplink_message: { message_sid: 'SM0', account_sid: 'AC0', from: '+6598120044', to: '+6580000000', body: 'STOP' },
};

const systemDetails: Partial<Record<EventName, Record<string, unknown>>> = {
  account_login: { action: 'login_success' },
  key_manage: { action: 'create api_key', api_key: 'dk_sample', description: 'a test event' },
  template_manage: { template_id: templateId, template_name: templateId, action: 'update template' },
  api_call: {
    api_path: '/v1/messages',
    method: 'POST',
    http_status: 200,
    code: 0,
    request_id: 'req_00000000000000000000000000',
  },
  msg_history: { action: 'query', count: 1 },
};

const systemData = (event: EventName, organizationId: string): Record<string, unknown> => ({
  org_id: organizationId,
  operator: {
    ...(event === 'api_call' ? { api_key: 'dk_sample' } : { email: 'operator@example.com' }),
    ip_address: '198.51.100.7',
  },
  [event]: systemDetails[event],
});
