/**
 * What a customer is told about one entry of the ledger: the row of contract §10.4 and §10.5, in callbacks and in the stream.
 * Pure, and the same for the same entry, so that a body is byte-identical over tries. The code is in none of it.
 */
import { callbackText } from '../errors.ts';
import { messageIdOf } from '../platform/ids.ts';
import { familyOf } from './families.ts';
import type { LedgerEntry } from './ledger.ts';

/** What the ledger does not hold of a message. */
export interface MessageFacts {
  /** As requested, normalised. */
  to: string;
  templateId: string;
  customArgs: Record<string, string> | null;
  createdAt: Date;
  expiresAt: Date | null;
}

/** Of an entry with a status. */
export type ToldEntry = LedgerEntry & { status: string };

export type Row = Record<string, unknown>;

const seconds = (at: Date): number => Math.floor(at.getTime() / 1000);

/** The number of `webhook-id: evt_…`: time and the end of the position, 19 digits. Also made in SQL by queue_callbacks(). */
export function eventIdOf({ at, position }: Pick<LedgerEntry, 'at' | 'position'>): string {
  return (BigInt(messageIdOf(at.getTime(), 0, 0)) | (BigInt(position) & 4_194_303n)).toString();
}

/** Null for a status of a message that is forgotten: its recipient is erased. */
export function rowOf(entry: ToldEntry, message: MessageFacts | null): Row | null {
  const itime = seconds(entry.at);
  const { status: event, data = {} } = entry;
  switch (familyOf(event)) {
    case 'message_status':
      return message && statusRow(entry, message);
    case 'response': {
      const known = entry.messageId !== '0';
      const ids = { message_id: entry.messageId, business_id: known ? entry.applicationId : '0' };
      return { server: 'otp', itime, ...ids, response: { event, response_data: data } };
    }
    case 'system_event':
      return { server: 'otp', itime, system_event: { event, data: { business_id: entry.applicationId, ...data } } };
    default:
      return {
        server: 'otp',
        itime,
        notification: { event, notification_data: { ...data, business_id: entry.applicationId } },
      };
  }
}

function statusRow(entry: ToldEntry, message: MessageFacts): Row {
  const { data = {}, errorCode } = entry;
  return {
    message_id: entry.messageId,
    to: message.to,
    server: 'otp',
    channel: entry.channel,
    itime: seconds(entry.at),
    ...(message.customArgs && { custom_args: message.customArgs }),
    status: {
      message_status: entry.status,
      status_data: {
        msg_time: seconds(message.createdAt),
        message_id: entry.messageId,
        current_send_channel: entry.channel,
        template_key: message.templateId,
        business_id: entry.applicationId,
        sequence: entry.sequence,
        ...(entry.attempt !== undefined && { attempt: entry.attempt }),
        ...(data['fallback_pending'] === true && { fallback_pending: true }),
        ...(data['late'] === true && { late: true }),
        ...(data['current_to'] !== undefined && { current_to: data['current_to'] }),
      },
      ...(data['billing'] !== undefined && { billing: data['billing'] }),
      error_code: errorCode ?? 0,
      ...(errorCode !== undefined && { error_detail: { message: callbackText(errorCode, entry) } }),
    },
  };
}

/** The body an endpoint of format `standard` gets: one event, named by family and event. */
export function standardBody(entry: ToldEntry, message: MessageFacts | null): object | null {
  const family = familyOf(entry.status);
  const timestamp = entry.at.toISOString();
  const { data = {} } = entry;
  if (family !== 'message_status') {
    const type = `${standardNames[family ?? 'notification']}.${entry.status}`;
    const message_id = family === 'response' && entry.messageId !== '0' ? { message_id: entry.messageId } : {};
    return { type, timestamp, data: { application_id: entry.applicationId, ...message_id, ...data } };
  }
  if (!message) return null;
  const { billing, fallback_pending, late, current_to } = data;
  return {
    type: `message.${entry.status}`,
    timestamp,
    data: {
      application_id: entry.applicationId,
      message_id: entry.messageId,
      to: message.to,
      channel: entry.channel,
      template_id: message.templateId,
      sequence: entry.sequence,
      ...(entry.attempt !== undefined && { attempt: entry.attempt }),
      ...(fallback_pending === true && { fallback_pending }),
      ...(late === true && { late }),
      ...(current_to !== undefined && { current_to }),
      ...(billing !== undefined && { billing }),
      ...(entry.errorCode !== undefined && {
        error: { code: entry.errorCode, message: callbackText(entry.errorCode, entry) },
      }),
      ...(message.customArgs && { custom_args: message.customArgs }),
      created_at: message.createdAt.toISOString(),
      expires_at: message.expiresAt?.toISOString() ?? null,
    },
  };
}

const standardNames = {
  notification: 'notification',
  response: 'uplink',
  system_event: 'system',
  message_status: 'message',
};
