// What the rows of a callback become: four event classes with one `kind` each, names in snake_case as on the wire.
// Reading is tolerant: unknown rows are left out, missing fields are null, and known variants are read as the current form.
// `raw` always holds the row as it came.

export interface Billing {
  cost: number;
  currency: string;
}

export type Fields = { readonly [name: string]: unknown };

const terminalStatuses: readonly string[] = [
  'delivered',
  'delivered_failed',
  'sent_failed',
  'target_invalid',
  'verified',
  'verified_failed',
  'verified_timeout',
];

/** One status of one message, such as `delivered` or `verified`. */
export class MessageStatusEvent {
  readonly kind = 'message_status';
  readonly message_id: string | null;
  readonly to: string | null;
  readonly server: string | null;
  readonly channel: string | null;
  /** Unix seconds of the event, not of this try to deliver it. */
  readonly timestamp: number | null;
  readonly custom_args: { [name: string]: string };
  readonly status: string;
  /** Nothing more is expected: a final status without another channel still to come. */
  readonly is_terminal: boolean;
  readonly current_send_channel: string | null;
  readonly template_key: string | null;
  readonly business_id: string | null;
  /** Unix seconds of the message's creation. */
  readonly msg_time: number | null;
  readonly billing: Billing | null;
  /** 0 = none. */
  readonly error_code: number;
  readonly error_message: string | null;
  /** 1, 2, 3 … per message. */
  readonly sequence: number | null;
  readonly attempt: number | null;
  readonly fallback_pending: boolean;
  readonly late: boolean;
  readonly raw: unknown;

  constructor(row: Fields, raw: unknown = row) {
    const status = fields(row['status']);
    const data = fields(status['status_data']);
    this.message_id = text(row['message_id']) ?? text(data['message_id']);
    this.to = text(row['to']);
    this.server = text(row['server']);
    this.channel = text(row['channel']);
    this.timestamp = number(row['itime']);
    this.custom_args = fields(row['custom_args']) as { [name: string]: string };
    this.status = statusName(text(status['message_status']) ?? '');
    this.fallback_pending = data['fallback_pending'] === true;
    this.is_terminal = terminalStatuses.includes(this.status) && !this.fallback_pending;
    this.current_send_channel = text(data['current_send_channel']);
    this.template_key = text(data['template_key']);
    this.business_id = text(data['business_id']) ?? text(row['business_id']);
    this.msg_time = number(data['msg_time']);
    this.billing = isFields(status['billing']) ? (status['billing'] as unknown as Billing) : null;
    this.error_code = number(status['error_code']) ?? 0;
    this.error_message = text(fields(status['error_detail'])['message']);
    this.sequence = number(data['sequence']);
    this.attempt = number(data['attempt']);
    this.late = data['late'] === true;
    this.raw = raw;
  }
}

/** Something the application's owner should know: balance, verification rate, template review. */
export class NotificationEvent {
  readonly kind = 'notification';
  readonly event: string | null;
  readonly data: Fields;
  readonly timestamp: number | null;
  readonly business_id: string | null;
  readonly raw: unknown;

  constructor(row: Fields, raw: unknown = row) {
    const notification = fields(row['notification']);
    this.event = text(notification['event']);
    this.data = withParams(fields(notification['notification_data']));
    this.timestamp = number(row['itime']);
    this.business_id = text(this.data['business_id']) ?? text(row['business_id']);
    this.raw = raw;
  }
}

/** A text that a person sent to one of your numbers. */
export class UplinkEvent {
  readonly kind = 'uplink';
  readonly event: string | null;
  readonly data: Fields;
  readonly timestamp: number | null;
  readonly business_id: string | null;
  readonly message_id: string | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly body: string | null;
  readonly message_sid: string | null;
  readonly account_sid: string | null;
  readonly raw: unknown;

  constructor(row: Fields, raw: unknown = row) {
    const response = fields(row['response']);
    this.event = text(response['event']);
    this.data = withParams(fields(response['response_data']));
    this.timestamp = number(row['itime']);
    this.business_id = text(row['business_id']);
    this.message_id = text(row['message_id']);
    this.from = text(this.data['from']);
    this.to = text(this.data['to']);
    this.body = text(this.data['body']);
    this.message_sid = text(this.data['message_sid']);
    this.account_sid = text(this.data['account_sid']);
    this.raw = raw;
  }
}

/** Something that was done in the account: logins, keys, templates, API calls. `data` holds the details of the event. */
export class SystemEvent {
  readonly kind = 'system_event';
  readonly event: string | null;
  readonly data: Fields;
  readonly timestamp: number | null;
  readonly business_id: string | null;
  readonly org_id: string | null;
  readonly operator: Fields;
  readonly raw: unknown;

  constructor(row: Fields, raw: unknown = row) {
    const system = fields(row['system_event']);
    const data = fields(system['data']);
    this.event = text(system['event']);
    this.data = withLongAction(this.event, withParams(fields(data[this.event ?? ''])));
    this.timestamp = number(row['itime']);
    this.business_id = text(data['business_id']) ?? text(row['business_id']);
    this.org_id = text(data['org_id']);
    this.operator = renamed(fields(data['operator']), 'ip', 'ip_address');
    this.raw = raw;
  }
}

export type WebhookEvent = MessageStatusEvent | NotificationEvent | UplinkEvent | SystemEvent;

/** The event of one row, or null for a row of a kind that is not known. `raw` is what came, where that was no row. */
export function readRow(row: unknown, raw: unknown = row): WebhookEvent | null {
  if (!isFields(row)) return null;
  if (isFields(row['status'])) return new MessageStatusEvent(row, raw);
  if (isFields(row['notification'])) return new NotificationEvent(row, raw);
  if (isFields(row['response'])) return new UplinkEvent(row, raw);
  if (isFields(row['system_event'])) return new SystemEvent(row, raw);
  return null;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Published samples say `sent_fail` where the published table says `sent_failed`. */
function statusName(status: string): string {
  return status === 'sent_fail' ? 'sent_failed' : status;
}

/** Some senders give the bare verb: `create` where others say `create api_key`. */
function withLongAction(event: string | null, data: Fields): Fields {
  const action = data['action'];
  if (typeof action !== 'string' || !/^(create|update|delete|view)$/.test(action)) return data;
  if (event === 'template_manage') return { ...data, action: `${action} template` };
  if (event === 'key_manage') return { ...data, action: action === 'view' ? 'view api_secret' : `${action} api_key` };
  return data;
}

function withParams(data: Fields): Fields {
  return renamed(data, 'param_vars', 'params');
}

function renamed(data: Fields, from: string, to: string): Fields {
  if (!(from in data) || to in data) return data;
  const { [from]: value, ...rest } = data;
  return { ...rest, [to]: value };
}

export function fields(value: unknown): Fields {
  return isFields(value) ? value : {};
}

/** Ids sometimes come as numbers; as text they compare equal to what a send returned. */
export function text(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : null;
}

function number(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
