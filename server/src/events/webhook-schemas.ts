/**
 * What callbacks carry, family by family, as schemas for the API description and the tests: the rows of contract §10.4 and §10.5 in
 * their envelope, and the one event of the format `standard`. The examples are made by the code that makes the rows.
 */
import { z } from 'zod';
import { type Family, families, familyNames } from './families.ts';
import { examples } from './webhook-examples.ts';

const seconds = z.int().min(0).describe('Unix seconds.');
const id = z.string();
const server = z.literal('otp');
const billing = z.object({ cost: z.number(), currency: z.string() }).describe('Only at `sent`.');
const itime = seconds.describe('Unix seconds of the event, not of this try to deliver it.');

const statusRow = z
  .object({
    message_id: id,
    to: z.string().describe('As requested, normalised.'),
    server,
    channel: z.string().describe('The same as `current_send_channel`.'),
    itime,
    custom_args: z.record(z.string(), z.string()).optional(),
    status: z.object({
      message_status: z.enum(families.message_status),
      status_data: z.object({
        msg_time: seconds.describe('Unix seconds of the creation of the message.'),
        message_id: id,
        current_send_channel: z.string(),
        template_key: z.string(),
        business_id: id.describe('Id of the application.'),
        sequence: z.int().min(1).describe('1, 2, 3 … per message; a filtered endpoint sees gaps.'),
        attempt: z.int().min(1).optional().describe('Over steps and resends.'),
        fallback_pending: z.literal(true).optional().describe('Another channel follows: this is not the end.'),
        late: z.literal(true).optional().describe('Came after the chain had moved on or the code had ended.'),
        current_to: z.string().optional().describe('Only if sent to another address than `to`.'),
      }),
      billing: billing.optional(),
      error_code: z.int().describe('0: none.'),
      error_detail: z.object({ message: z.string() }).optional(),
    }),
  })
  .meta({ id: 'CallbackStatusRow' });

const business = { business_id: id.describe('Id of the application.') };

/** Event → what its data holds beside the application. */
const notifications = {
  insufficient_balance: { remain_balance: z.number(), balance_threshold: z.number(), currency: z.string() },
  insufficient_verification_rate: {
    rate: z.number().min(0).max(100).describe('Percent over the last 60 minutes.'),
    threshold: z.number().min(0).max(100),
  },
  template_audit_result: {
    template_id: z.string(),
    status: z.literal([2, 3]).describe('2: approved, 3: rejected.'),
    reason: z.string(),
  },
  alert: {
    alert_id: id,
    kind: z.string(),
    state: z.enum(['raised', 'ended']),
    value: z.number(),
    threshold: z.number(),
    text: z.string(),
  },
  callback_endpoint_disabled: {
    endpoint_id: id,
    host: z.string(),
    because: z.enum(['gone', 'failing']).describe('gone: it answered 410. failing: for five days.'),
    failing_since: z.string().nullable(),
  },
} satisfies Record<(typeof families.notification)[number], Record<string, z.ZodType>>;

/** Event → what stands below the key of its name. */
const systemEvents = {
  account_login: {
    action: z.enum(['login_success', 'login_failed', 'logout']),
    fail_reason: z.string().optional(),
  },
  key_manage: {
    action: z.enum(['create api_key', 'update api_key', 'delete api_key', 'view api_secret']),
    api_key: z.string(),
    description: z.string().optional(),
  },
  template_manage: {
    template_id: z.string(),
    template_name: z.string(),
    action: z.enum(['create template', 'update template', 'delete template']),
  },
  api_call: {
    api_path: z.string(),
    method: z.string(),
    http_status: z.int(),
    code: z.int(),
    request_id: z.string(),
  },
  msg_history: { action: z.enum(['query', 'view', 'export']), count: z.int().min(0) },
} satisfies Record<(typeof families.system_event)[number], Record<string, z.ZodType>>;

const operator = z
  .object({
    email: z.string().optional(),
    api_key: z.string().optional(),
    ip_address: z.string().nullable().optional(),
  })
  .describe('Who did it.');

const dataOf = (event: (typeof families.notification)[number]) => {
  const data = z.object({ ...notifications[event], ...business });
  // An alert says more, by its kind.
  return event === 'alert' ? data.catchall(z.unknown()) : data;
};
const systemDataOf = (event: (typeof families.system_event)[number]) => ({
  org_id: id.optional().describe('Id of the organization.'),
  operator: operator.optional(),
  [event]: z.object(systemEvents[event]),
});

const uplink = z.object({
  message_sid: z.string(),
  account_sid: z.string(),
  from: z.string(),
  to: z.string(),
  body: z.string(),
});

const rows: Record<Family, z.ZodType> = {
  message_status: statusRow,
  notification: z
    .object({
      server,
      itime,
      notification: z.union(
        families.notification.map((event) => z.object({ event: z.literal(event), notification_data: dataOf(event) })),
      ),
    })
    .meta({ id: 'CallbackNotificationRow' }),
  response: z
    .object({
      server,
      itime,
      message_id: id.describe('The last message to the sender within 24 hours, else `0`.'),
      business_id: id.describe('Id of the application where the message is known, else `0`.'),
      response: z.object({ event: z.enum(families.response), response_data: uplink }),
    })
    .meta({ id: 'CallbackUplinkRow' }),
  system_event: z
    .object({
      server,
      itime,
      system_event: z.union(
        families.system_event.map((event) =>
          z.object({ event: z.literal(event), data: z.object({ ...business, ...systemDataOf(event) }) }),
        ),
      ),
    })
    .meta({ id: 'CallbackSystemEventRow' }),
};

const application = { application_id: id };

const message = z.object({
  ...application,
  message_id: id,
  to: z.string(),
  channel: z.string(),
  template_id: z.string(),
  sequence: z.int().min(1),
  attempt: z.int().min(1).optional(),
  fallback_pending: z.literal(true).optional(),
  late: z.literal(true).optional(),
  current_to: z.string().optional(),
  billing: billing.optional(),
  error: z.object({ code: z.int(), message: z.string() }).optional(),
  custom_args: z.record(z.string(), z.string()).optional(),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
});

const event = (type: string, data: z.ZodType) => z.object({ type: z.literal(type), timestamp: z.iso.datetime(), data });

/** Type and data of the format `standard`, by family. */
const standardEvents: Record<Family, z.ZodType> = {
  message_status: z.object({
    type: z.enum(families.message_status.map((status) => `message.${status}` as const)),
    timestamp: z.iso.datetime(),
    data: message,
  }),
  notification: z.union(
    families.notification.map((name) =>
      event(`notification.${name}`, dataOf(name).omit({ business_id: true }).extend(application)),
    ),
  ),
  response: event('uplink.uplink_message', uplink.extend({ ...application, message_id: id.optional() })),
  system_event: z.union(
    families.system_event.map((name) => event(`system.${name}`, z.object({ ...application, ...systemDataOf(name) }))),
  ),
};

const envelopeOf = (row: z.ZodType) => z.object({ total: z.int().min(1).max(100), rows: z.array(row).min(1).max(100) });

/** Of any families: a batch takes what comes next. */
const envelope = envelopeOf(z.union(familyNames.map((family) => rows[family]))).meta({ id: 'CallbackEnvelope' });

const bodiesOf = (family: Family) => ({
  vendor: envelopeOf(rows[family]),
  standard: standardEvents[family],
});

/** The body of a callback of one family, by the format of its endpoint. */
export const callbackBodies: Record<Family, ReturnType<typeof bodiesOf>> = {
  message_status: bodiesOf('message_status'),
  notification: bodiesOf('notification'),
  response: bodiesOf('response'),
  system_event: bodiesOf('system_event'),
};

const about: Record<Family, { id: string; summary: string; description: string }> = {
  message_status: {
    id: 'messageStatus',
    summary: 'A message has a new status',
    description:
      'The statuses of one message come in order, each with the next `sequence`. A failure with `fallback_pending` is not the end: another channel follows.',
  },
  notification: {
    id: 'notification',
    summary: 'Something the owner of the application should know',
    description:
      'The balance or the verification rate fell, a template was reviewed, an alert began or ended, an endpoint was switched off.',
  },
  response: {
    id: 'uplinkMessage',
    summary: 'Somebody wrote back',
    description: 'A text to one of the numbers that messages of the application came from.',
  },
  system_event: {
    id: 'systemEvent',
    summary: 'Something was done in the account',
    description:
      'Logins, keys, templates, calls of the API, reading of the history. `api_call` only where it is chosen.',
  },
};

/** One entry per family, for the section `webhooks` of the API description. */
export const webhooks = familyNames.map((family) => ({
  ...about[family],
  description: `${about[family].description} At least once, from an endpoint's queue; answer 2xx in time and do long work elsewhere. Up to 100 rows, of any kinds, where the endpoint asks for batches; one event as \`{type, timestamp, data}\` where its format is \`standard\`. A probe has the body \`{}\`.`,
  body: z.union([envelope, standardEvents[family]]),
  examples: examples(family),
}));
