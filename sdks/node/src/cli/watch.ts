// Following what happens: to one message until nothing more is expected, or to everything of the application.

import { errorFromReply } from '../errors.ts';
import { type Message, Messages } from '../resources/messages.ts';
import type { Transport } from '../transport.ts';
import { VERSION } from '../version.ts';
import { type MessageStatusEvent, readRow } from '../webhooks/events.ts';
import { type Call, type Command, exitCodes, Halt, type Outcome, oneOf } from './command.ts';
import { addressOf, findCredential, openClient, openTransport } from './connection.ts';
import { follow, type Open, type StreamEvent } from './event-stream.ts';
import { jsonText, plain } from './terminal.ts';

const failed = ['delivered_failed', 'sent_failed', 'target_invalid', 'verified_failed', 'verified_timeout'];
const endsOfCode = ['verified', 'verified_failed', 'verified_timeout', 'sent_failed', 'target_invalid'];

export const watch: Command = {
  name: 'watch',
  summary: 'Follow events as they happen; with a MESSAGE_ID until that message is done.',
  words: [
    {
      name: 'MESSAGE_ID',
      sentence: 'what send printed; without it everything from now on, until Ctrl-C',
      optional: true,
    },
  ],
  options: {
    'until-verified': {
      type: 'boolean',
      sentence: 'With a MESSAGE_ID: go on after the delivery, until the code is verified, spent or expired.',
    },
    type: {
      type: 'string',
      value: 'LIST',
      sentence: 'Without a MESSAGE_ID: only these events or families, such as delivered,verified.',
    },
  },
  notes: [
    'With --json each event is a line of its own. Exit code 1: the message failed, or its code was not verified.',
  ],
  examples: ['engagelab-otp watch 2072832692843466759', 'engagelab-otp watch --type delivered,verified --json'],
  async run(call) {
    const [id] = call.words;
    if (id === undefined && call.options['until-verified'] !== undefined)
      throw new Halt(
        '--until-verified wants a MESSAGE_ID',
        'Write it as: engagelab-otp watch MESSAGE_ID --until-verified',
      );
    if (id !== undefined && call.options['type'] !== undefined)
      throw new Halt('--type and a MESSAGE_ID do not go together');
    const client = openClient(call);
    if (id === undefined) {
      for await (const event of follow(opener(call, {}), undefined, call.terminal.gone)) print(call, event);
      return { json: undefined, text: '' };
    }
    // Tells an unknown id at once, instead of waiting for events that never come.
    return watchMessage(call, await client.messages.get(id));
  },
};

/** Where a message has no time of its own: for so long its events are waited for, and a little longer. */
const defaultLifeMs = 600_000;
const graceMs = 30_000;

async function watchMessage(call: Call, message: Message): Promise<Outcome> {
  const { message_id: id } = message;
  const transport = openTransport(call, requireCredential(call));
  const messages = new Messages(transport);
  const untilVerified = call.options['until-verified'] === true && message.kind === 'otp';
  const isEnd = (event: StreamEvent): boolean => {
    const status = readStatus(event);
    return status?.is_terminal === true && (!untilVerified || endsOfCode.includes(status.status));
  };
  const past = await readPast(call, transport, id);
  const ended = past.events.filter(isEnd).pop();
  if (ended) return outcomeOf(ended.event, await messages.get(id));
  if (!['failed', 'invalid', 'cancelled'].includes(message.state)) {
    // Not every end has an event: a message can be cancelled, or its channel has no receipts.
    const end =
      Date.parse(message.expires_at ?? message.created_at) + (message.expires_at ? 0 : defaultLifeMs) + graceMs;
    const signal = AbortSignal.timeout(Math.max(0, end - Date.now()));
    for await (const event of follow(opener(call, { message_id: id }), past.cursor, signal)) {
      print(call, event);
      if (isEnd(event)) return outcomeOf(event.event, await messages.get(id));
    }
  }
  const { state } = await messages.get(id);
  const exit = ['sent', 'delivered'].includes(state) && !untilVerified ? exitCodes.done : exitCodes.refused;
  return { json: undefined, text: plain(`no more events come; the message is ${state}`), exit };
}

function requireCredential(call: Call): { devKey: string; devSecret: string } {
  const found = findCredential(call);
  if (!found) throw new Error('openClient has refused this already');
  return found;
}

/** What has happened already, printed; and where to go on. */
async function readPast(
  call: Call,
  transport: Transport,
  id: string,
): Promise<{ events: StreamEvent[]; cursor: string | undefined }> {
  const events: StreamEvent[] = [];
  let cursor: string | undefined;
  for (;;) {
    const query = { message_id: id, limit: 1000, cursor };
    const page: { events: StreamEvent[]; next_cursor: string } = await transport.request({
      method: 'GET',
      path: '/v1/events',
      query,
    });
    for (const event of page.events) print(call, event);
    events.push(...page.events);
    // Filters are applied to a stretch of events at a time: only a cursor that stands still is the end.
    if (page.events.length === 0 && page.next_cursor === cursor) return { events, cursor };
    cursor = page.next_cursor;
  }
}

function opener(call: Call, filter: { [name: string]: string }): Open {
  const { devKey, devSecret } = requireCredential(call);
  const type = oneOf(call.options, 'type');
  return async (cursor, signal) => {
    const query = new URLSearchParams({ ...filter, ...(type ? { type } : {}), ...(cursor ? { cursor } : {}) });
    const response = await fetch(`${addressOf(call)}/v1/events?${query}`, {
      redirect: 'manual',
      ...(signal ? { signal } : {}),
      headers: {
        Accept: 'text/event-stream',
        Authorization: `Basic ${Buffer.from(`${devKey}:${devSecret}`).toString('base64')}`,
        'User-Agent': `engagelab-otp-cli/${VERSION}`,
      },
    });
    if (response.status === 200) return { body: response.body };
    const reply = {
      status: response.status,
      header: (name: string) => response.headers.get(name),
      body: await response.text(),
    };
    throw errorFromReply(
      reply,
      [devKey, devSecret].filter((value) => value.length > 3),
    );
  };
}

function readStatus({ row }: StreamEvent): MessageStatusEvent | undefined {
  const event = readRow(row);
  return event?.kind === 'message_status' ? event : undefined;
}

function print({ terminal }: Call, event: StreamEvent): void {
  if (terminal.json) {
    terminal.out(`${jsonText(event)}\n`);
    return;
  }
  const status = readStatus(event);
  const parts = [
    // Painted once they are harmless: nothing from outside brings an escape of its own.
    terminal.paint('dim', plain(event.at)),
    terminal.paint(failed.includes(event.event) ? 'red' : 'green', plain(event.event)),
    ...(status
      ? [
          status.channel,
          status.to,
          status.error_code ? `${status.error_code} ${status.error_message ?? ''}` : '',
          status.message_id,
        ].map(plain)
      : []),
    status?.fallback_pending ? 'another channel follows' : '',
  ];
  terminal.out(`${parts.filter(Boolean).join('  ')}\n`);
}

function outcomeOf(status: string, message: object): Outcome {
  const { explanation } = message as { explanation?: { cause: string; next_step: string } };
  const bad = failed.includes(status);
  const text = explanation ? `${explanation.cause} ${explanation.next_step}` : status;
  return { json: undefined, text: plain(text), exit: bad ? exitCodes.refused : exitCodes.done };
}
