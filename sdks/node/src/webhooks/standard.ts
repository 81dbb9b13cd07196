// The other body an endpoint may choose: one event per request, `{type, timestamp, data}` with types like `message.delivered`.
// It is turned into the row of the vendor's envelope, so that both formats are read by one code and give the same events.

import { type Fields, fields, isFields, readRow, text, type WebhookEvent } from './events.ts';

/** The event of such a body, or null for a type that is not known. */
export function readStandard(body: Fields): WebhookEvent | null {
  const type = text(body['type']) ?? '';
  const dot = type.indexOf('.');
  const data = body['data'];
  if (dot < 0 || !isFields(data)) return null;
  const row = rowOf(type.slice(0, dot), type.slice(dot + 1), data);
  return (
    row &&
    readRow({ server: 'otp', itime: seconds(body['timestamp']), business_id: data['application_id'], ...row }, body)
  );
}

function rowOf(family: string, event: string, data: Fields): Fields | null {
  const { application_id, ...rest } = data;
  if (family === 'message') return messageRow(event, data);
  if (family === 'notification') {
    return { notification: { event, notification_data: { ...rest, business_id: application_id } } };
  }
  if (family === 'uplink') {
    const { message_id, ...response_data } = rest;
    return { message_id, response: { event, response_data } };
  }
  if (family === 'system') return { system_event: { event, data: { business_id: application_id, ...rest } } };
  return null;
}

function messageRow(message_status: string, data: Fields): Fields {
  const error = fields(data['error']);
  return {
    message_id: data['message_id'],
    to: data['to'],
    channel: data['channel'],
    custom_args: data['custom_args'],
    status: {
      message_status,
      status_data: {
        ...data,
        msg_time: seconds(data['created_at']),
        current_send_channel: data['channel'],
        template_key: data['template_id'],
        business_id: data['application_id'],
      },
      billing: data['billing'],
      error_code: error['code'],
      error_detail: error,
    },
  };
}

/** Whole seconds of a time in ISO 8601, as rows have them. */
function seconds(value: unknown): number | null {
  const ms = Date.parse(text(value) ?? '');
  return Number.isNaN(ms) ? null : Math.floor(ms / 1000);
}
