/** The events of an application over HTTP, for those who would rather ask than be called back: pages with a cursor, or a stream. */
import { z } from 'zod';
import { type Caller, defineOperation, EventStream, type Operation } from '../http/operation.ts';
import { isId } from '../platform/ids.ts';
import { plainText } from '../wire.ts';
import { cursorOf, readCursor, staleCursor } from './cursor.ts';
import { readEvents } from './read-events.ts';
import { type StreamPorts, streamEvents, wireEvent } from './stream.ts';
import { findHorizon } from './stream-store.ts';
import { parseEventNames, type Wanted } from './told.ts';

export const eventsPath = '/v1/events';

export interface EventsPorts extends StreamPorts {
  /** The normalised form of an address to look for; throws 3002 for what can be none. */
  searchedAddress(text: string, field: string): string;
}

const query = z.object({
  cursor: plainText(1, 64)
    .optional()
    .describe('From `next_cursor` or an event: what comes behind it. Absent: the events of the last 24 hours.'),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  wait: z.coerce.number().int().min(0).max(30).default(0).describe('Seconds to wait for an event if there is none.'),
  type: plainText(1, 1000)
    .refine(
      (text) => parseEventNames(text) !== null,
      'must name events or families of events, with commas between them',
    )
    .optional()
    .describe('Events or families: `delivered,verified`, `system_event`.'),
  message_id: z.string().refine(isId, 'must be a message id').optional(),
  to: plainText(1, 320).optional().describe('Recipient of the message: phone number or e-mail address.'),
});

const event = z.object({
  id: z.string().describe('The same as `webhook-id` of its callback.'),
  cursor: z.string(),
  at: z.iso.datetime(),
  event: z.string().describe('The callback status, or the name of the notification or system event.'),
  row: z.record(z.string(), z.unknown()).describe('As in a callback.'),
});

const exampleRow = {
  message_id: '2072832692843466759',
  to: '+6598120044',
  server: 'otp',
  channel: 'sms',
  itime: 1_783_036_801,
  status: {
    message_status: 'delivered',
    status_data: {
      msg_time: 1_783_036_800,
      message_id: '2072832692843466759',
      current_send_channel: 'sms',
      template_key: 'signin_demo',
      business_id: '2072800000000000001',
      sequence: 4,
      attempt: 1,
    },
    error_code: 0,
  },
};
const exampleEvent = {
  id: 'evt_2072832697037770756',
  cursor: '1-48213-4',
  at: '2026-07-03T00:00:01.000Z',
  event: 'delivered',
  row: exampleRow,
};

const description = `Everything that callbacks tell, oldest first; nothing is left out or told twice to who goes on at \`next_cursor\`, which is always given.
Without \`cursor\` the list begins with the oldest event kept of the last 24 hours. A page may be empty although more follows: filters are applied to at most 2,000 events at a time; ask again with \`next_cursor\`. What is past retention is left out, so an old cursor goes on at the oldest event kept.

With \`Accept: text/event-stream\` the same events come as server-sent events, from \`Last-Event-ID\`, else \`cursor\`, else now. A stream ends after 15 minutes, and clients reconnect with Last-Event-ID by themselves. At most 20 streams and waiting requests per key. Reading events raises no api_call event.`;

export function createOperations(ports: EventsPorts): Operation[] {
  return [
    defineOperation(
      {
        id: 'listEvents',
        method: 'GET',
        path: eventsPath,
        tag: 'Events',
        auth: 'key',
        permission: 'read',
        summary: 'Read or follow the events of the application',
        description,
        input: { query },
        output: z.object({ events: z.array(event).describe('Oldest first.'), next_cursor: z.string() }),
        errors: [],
        examples: [{ name: 'delivered', output: { events: [exampleEvent], next_cursor: '1-48213-4' } }],
        stream: {
          description: 'Blocks of `id` (a cursor), `event` (its name) and `data` (an event of the list, in one line).',
          example: `retry: 2000\nid: 1-48213-0\n\nid: 1-48213-4\nevent: delivered\ndata: ${JSON.stringify(exampleEvent)}\n\n`,
        },
      },
      async (call) => {
        const { caller, query: asked, signal } = call;
        const wanted = wantedOf(ports, asked);
        const epoch = ports.epoch();
        if (/\btext\/event-stream\b/i.test(call.header('accept') ?? ''))
          return openStream(ports, caller, wanted, call.header('last-event-id') || undefined, asked.cursor);
        const after = asked.cursor === undefined ? null : readCursor(asked.cursor, epoch, 'cursor');
        const request = { after, wanted, limit: asked.limit, waitMs: asked.wait * 1000 };
        const { told, next } = await readEvents(ports, caller, request, signal);
        return { events: told.map((one) => wireEvent(one, epoch)), next_cursor: cursorOf(epoch, next) };
      },
    ),
  ];
}

function wantedOf(ports: EventsPorts, asked: z.output<typeof query>): Wanted {
  return {
    events: asked.type === undefined ? null : parseEventNames(asked.type),
    messageId: asked.message_id ?? null,
    to: asked.to === undefined ? null : ports.searchedAddress(asked.to, 'to'),
  };
}

/** Everything that may be refused is, before the answer begins. */
async function openStream(
  ports: EventsPorts,
  { application, keyId }: Caller,
  wanted: Wanted,
  lastEventId: string | undefined,
  cursor: string | undefined,
): Promise<EventStream> {
  const field = lastEventId === undefined ? 'cursor' : 'Last-Event-ID';
  const text = lastEventId ?? cursor;
  const horizon = await findHorizon(ports.db);
  const after = text === undefined ? horizon : readCursor(text, ports.epoch(), field);
  if (after.txid > horizon.txid) throw staleCursor(field);
  const follower = ports.following.follow(application.id, keyId);
  return new EventStream((signal) => streamEvents(ports, { application, follower, after, wanted }, signal));
}
