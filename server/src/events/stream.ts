/**
 * The events of an application as server-sent events. Each carries its place as its id, and so do the heartbeats and the first
 * block: wherever a client is cut off, its Last-Event-ID leads on from exactly there. A stream ends by itself after a while, so that a
 * key that has expired or was disabled does not read on for long; clients reconnect without being told.
 */
import type { Clock } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import type { Sql } from '../platform/sql.ts';
import type { Application } from '../policy.ts';
import { cursorOf, type Place } from './cursor.ts';
import type { Follower, Following } from './follow.ts';
import { isWanted, type Told, type Wanted } from './told.ts';

export interface StreamPorts {
  db: Db;
  clock: Clock;
  /** What is known of messages, see stream-store.ts. */
  facts: Sql;
  following: Following;
  /** Of the ledger, as it stands in cursors. */
  epoch(): number;
  heartbeatMs: number;
  lifeMs: number;
}

export interface WireEvent {
  id: string;
  cursor: string;
  at: string;
  event: string;
  row: Record<string, unknown>;
}

export const wireEvent = ({ id, place, at, event, row }: Told, epoch: number): WireEvent => ({
  id,
  cursor: cursorOf(epoch, place),
  at: at.toISOString(),
  event,
  row,
});

const reconnectMs = 2_000;

/** Followers of one application are handed the same objects: what one of them has made of them serves all. */
const texts = new WeakMap<Told, string>();

function textOf(told: Told, epoch: number): string {
  let text = texts.get(told);
  if (text === undefined) {
    const wire = wireEvent(told, epoch);
    text = `id: ${wire.cursor}\nevent: ${wire.event}\ndata: ${JSON.stringify(wire)}\n\n`;
    texts.set(told, text);
  }
  return text;
}

export interface StreamRequest {
  application: Application;
  follower: Follower;
  after: Place;
  wanted: Wanted;
}

/** The text of the stream, piece by piece; ends the follower. */
export async function* streamEvents(
  { clock, following, epoch, heartbeatMs, lifeMs }: StreamPorts,
  { application, follower, after, wanted }: StreamRequest,
  signal: AbortSignal,
): AsyncGenerator<string> {
  try {
    const endsAt = performance.now() + lifeMs;
    let place = after;
    yield `retry: ${reconnectMs}\nid: ${cursorOf(epoch(), place)}\n\n`;
    let spokeAt = performance.now();
    while (!signal.aborted && !following.closed && performance.now() < endsAt) {
      const untilMs = Math.min(endsAt, spokeAt + heartbeatMs) - performance.now();
      const slice = await follower.next(place, untilMs, signal);
      place = slice.next;
      const wantedNow = slice.told.filter((told) => isWanted(told, wanted, application, clock.now()));
      let text = wantedNow.map((told) => textOf(told, epoch())).join('');
      // Without data an id moves a client's place and is no event.
      if (text === '' && performance.now() - spokeAt >= heartbeatMs)
        text = `: still here\nid: ${cursorOf(epoch(), place)}\n\n`;
      if (text === '') continue;
      yield text;
      spokeAt = performance.now();
    }
  } finally {
    follower.end();
  }
}
