/** The events room behind a real socket, a client of server-sent events that can be cut off, and entries to be told. */
import { type IncomingMessage, request } from 'node:http';
import { messageFacts, searchedAddress } from '../messages/index.ts';
import { createLog } from '../platform/log.ts';
import type { TestDatabase } from '../testing/database.ts';
import { good, openDoor } from '../testing/open-door.ts';
import { until } from '../testing/until.ts';
import { createEvents, type EventDraft, type EventsOptions } from './index.ts';

/** Of `good`, and of `other`. */
export const mine = '11';
export const theirs = '12';

export type EventsHouse = Awaited<ReturnType<typeof openEvents>>;

export async function openEvents(database: TestDatabase, options: Partial<EventsOptions> & { drainMs?: number } = {}) {
  const { db, clock } = database;
  const { drainMs = 60_000, limits, ...ports } = options;
  const events = createEvents({
    db,
    clock,
    log: createLog('silent'),
    facts: messageFacts(),
    searchedAddress,
    wantsCalls: () => false,
    limits: { pollMs: 5, ...limits },
    ...ports,
  });
  await events.start();
  const open = openDoor(database, {
    operations: events.operations,
    onAnswered: events.noteCall,
    streamDrainMs: drainMs,
  });
  const address = await open.door.listen('127.0.0.1', 0);
  return {
    ...open,
    events,
    address,
    listen: (asked: Asked = {}) => listen(address, asked),
    async list(query = '', authorization = good) {
      const reply = await open.door.inject({ url: `/v1/events${query}`, headers: { authorization } });
      return { status: reply.statusCode, headers: reply.headers, body: reply.json() };
    },
    async close() {
      await Promise.all([open.door.close(), events.endStreams()]);
      await events.stop();
    },
  };
}

interface Asked {
  query?: string;
  authorization?: string;
  lastEventId?: string;
  /** Takes the headers and then reads nothing. */
  paused?: boolean;
}

export interface Heard {
  id: string;
  event: string;
  data: { id: string; cursor: string; at: string; event: string; row: Record<string, unknown> };
}

export type Listener = Awaited<ReturnType<typeof listen>>;

/** Resolves with the answer's head; whole blocks alone count as heard. */
async function listen(address: string, { query = '', authorization = good, lastEventId, paused = false }: Asked) {
  const heard: Heard[] = [];
  const blocks: string[] = [];
  let place = lastEventId;
  let rest = '';
  let state: 'open' | 'ended' | 'cut' = 'open';
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = {
      authorization,
      accept: 'text/event-stream',
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    };
    request(`${address}/v1/events${query}`, { headers, agent: false }, resolve).on('error', reject).end();
  });
  const take = (piece: string): void => {
    const parts = (rest + piece).split('\n\n');
    rest = parts.pop() ?? '';
    for (const block of parts) {
      blocks.push(block);
      const fields = new Map(block.split('\n').map((line) => [line.split(': ', 1)[0], line.replace(/^[^:]*: ?/, '')]));
      place = fields.get('id') ?? place;
      const data = fields.get('data');
      if (data !== undefined)
        heard.push({ id: fields.get('id') ?? '', event: fields.get('event') ?? '', data: JSON.parse(data) });
    }
  };
  response.setEncoding('utf8');
  response.on('error', () => undefined);
  response.on('close', () => {
    state = response.complete ? 'ended' : 'cut';
  });
  if (!paused) response.on('data', take);
  return {
    status: response.statusCode,
    headers: response.headers,
    heard,
    blocks,
    /** What a client would send as Last-Event-ID. */
    place: () => place,
    state: () => state,
    hears: (count: number) => until(`${count} events`, () => heard.length >= count),
    ends: () => until('the end of the stream', () => state !== 'open'),
    /** Reads on after a pause. */
    read: () => response.on('data', take),
    drop: () => response.destroy(),
    rest: () => rest,
  };
}

/** An entry that is told and belongs to no message. */
export const note = (n: number, applicationId = mine): EventDraft => ({
  applicationId,
  messageId: '0',
  cause: 'uplink',
  status: 'uplink_message',
  data: { message_sid: `in-${n}`, account_sid: 'a', from: '+6591234567', to: 'Acme', body: String(n) },
});

/** The number of the note behind what was heard or listed. */
export const numberOf = ({ row }: { row: Record<string, unknown> }): number =>
  Number((row['response'] as { response_data: { body: string } }).response_data.body);
