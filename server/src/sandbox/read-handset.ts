/** What the handset of a recipient received, with a long poll (contract §11.8). */

import type { Channel } from '../channels/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import type { Keyring } from '../platform/seal.ts';
import { openContent } from './sealed-content.ts';
import { type HandsetRow, listHandset, nextArrivalInMs } from './store.ts';
import type { Watchers } from './watchers.ts';

export interface HandsetQuery {
  /** Normalised. */
  to: string;
  waitMs: number;
  /** Only messages with a greater id; '0' for all. */
  after: string;
  limit: number;
}

/** Wire form. */
export interface HandsetMessage {
  message_id: string;
  to: string;
  channel: Channel;
  language: string;
  text: string;
  code: string | null;
  subject?: string;
  step: number;
  attempt: number;
  segments: number | null;
  received_at: string;
}

export interface ReadHandsetPorts {
  db: Db;
  keyring: Keyring;
  clock: Clock;
  watchers: Watchers;
}

/** At once if something matches; else waits until something does, the wait is over, the signal aborts or the server stops. */
export async function readHandset(
  ports: ReadHandsetPorts,
  applicationId: string,
  query: HandsetQuery,
  signal: AbortSignal,
): Promise<HandsetMessage[]> {
  const { db, clock, watchers } = ports;
  const read = async (): Promise<HandsetMessage[]> => {
    const rows = await listHandset(db, applicationId, query.to, query);
    return rows.map((row) => toWire(ports.keyring, applicationId, query.to, row));
  };
  const found = await read();
  if (found.length > 0 || query.waitMs === 0) return found;
  const endsAt = clock.now() + query.waitMs;
  const watch = await watchers.watch(watchers.keyOf(applicationId, query.to));
  try {
    for (;;) {
      const messages = await read();
      const leftMs = endsAt - clock.now();
      if (messages.length > 0 || leftMs <= 0 || signal.aborted || watchers.closed) return messages;
      const arrivalMs = await nextArrivalInMs(db, applicationId, query.to);
      // One more, since a timer may fire a little early.
      await watch.sleep(Math.min(leftMs, arrivalMs === null ? leftMs : Math.ceil(arrivalMs) + 1), signal);
    }
  } finally {
    watch.end();
  }
}

function toWire(keyring: Keyring, applicationId: string, to: string, row: HandsetRow): HandsetMessage {
  const { text, code, subject } = openContent(keyring, applicationId, row.message_id, row.content);
  return {
    message_id: row.message_id,
    to,
    channel: row.channel,
    language: row.language,
    text,
    code,
    ...(subject !== undefined && { subject }),
    step: row.step,
    attempt: row.attempt,
    segments: row.segments,
    received_at: row.received_at.toISOString(),
  };
}
