/**
 * One post from beginning to end: the body, kept where it must not change from now on; the request; what the answer means; the
 * outcome in the database. A receiver that has answered is not asked again, however long the database is away.
 */
import { type Endpoint, type PostPorts, post } from '../callbacks/index.ts';
import { DatabaseUnavailable, type Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import { bodyOf, type Told } from './body.ts';
import { judge, type Verdict } from './judge.ts';
import { dropRows, keepBatch, type QueuedRow, type RowKey, type Settled, settle } from './queue-store.ts';

const maxWaitMs = 5_000;

/** Told about every post and what its answer meant; must not throw. */
export interface PostWatch {
  posted(outcome: Verdict['outcome'], tookMs: number): void;
}

export interface PosterPorts extends PostPorts {
  db: Db;
  log: Log;
  /** In [0, 1), to spread retries. */
  chance: () => number;
  watch?: PostWatch | undefined;
  /** Cuts posts under way when the node stops. */
  signal: AbortSignal;
}

/** Null: nothing was posted, or it was cut off by us. */
export type Outcome = Verdict | null;

export interface Poster {
  /** `onAnswer` is called once, before the outcome is written. */
  handle(endpoint: Endpoint, rows: readonly QueuedRow[], onAnswer: (outcome: Outcome) => void): Promise<Outcome>;
}

export function createPoster(ports: PosterPorts): Poster {
  const { db, log, clock, signal } = ports;
  const write = db.batch<Settled, undefined>({
    async run(on, posts) {
      await settle(on, posts);
      return [];
    },
  });

  async function untilWritten(settled: Settled): Promise<void> {
    for (let waitMs = 250; ; waitMs = Math.min(maxWaitMs, waitMs * 2)) {
      try {
        await write(settled);
        return;
      } catch (error) {
        if (!(error instanceof DatabaseUnavailable) || signal.aborted) throw error;
        log.warn({ err: error }, 'the outcome of a callback is not written yet');
        await pause(waitMs, signal);
      }
    }
  }

  return {
    async handle(endpoint, rows, onAnswer) {
      const [first] = rows;
      const prepared = await prepare(db, endpoint, rows);
      if (!first || !prepared) {
        onAnswer(null);
        await dropRows(db, rows);
        return null;
      }
      const { body, carried } = prepared;
      const { answer, latencyMs } = await post(ports, endpoint, { eventId: first.eventId, body }, signal);
      // Cut off by us, not by the receiver: it comes again.
      const cut = signal.aborted && answer.kind === 'failed';
      const tries = first.tries + 1;
      const verdict = cut ? null : judge(endpoint, tries, answer, clock.now(), ports.chance());
      onAnswer(verdict);
      if (!verdict) return null;
      ports.watch?.posted(verdict.outcome, latencyMs);
      const heldUp = tries > 1 || carried.length > 1 || first.replayed;
      await untilWritten({ rows: carried, tries, verdict, latencyMs, body, heldUp });
      return verdict;
    },
  };
}

/** The body and every row it carries; null when nothing can be told any more. */
async function prepare(
  db: Db,
  { format }: Endpoint,
  rows: readonly QueuedRow[],
): Promise<{ body: string; carried: readonly RowKey[] } | null> {
  const [first] = rows;
  if (first && first.body !== null) return { body: first.body, carried: [first, ...first.others] };
  const told = rows.map((row) => row.told).filter((one): one is Told => one !== null);
  const body = bodyOf(format, told);
  if (body !== null && rows.length > 1) await keepBatch(db, rows, body);
  return body === null ? null : { body, carried: rows };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
