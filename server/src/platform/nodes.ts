/**
 * The node number inside message ids: each process leases one of 1,024 in the database and renews it. A process that could not
 * renew in time makes no ids until it holds a number again, so two never use the same.
 */
import { randomUUID } from 'node:crypto';
import { DatabaseUnavailable, type Db, type Queryable } from './db.ts';
import type { Log } from './log.ts';
import { sql } from './sql.ts';

const leaseSeconds = 60;
/** Shorter than the lease by more than a clock or a pause may deceive. */
const trustedMs = 50_000;
const renewEveryMs = 15_000;

export interface NodeLease {
  /** The number held; throws DatabaseUnavailable when the lease may have lapsed. */
  node(): number;
  release(): Promise<void>;
}

/** `worker`: whether this process hands messages over. */
export async function leaseNode(db: Db, log: Log, worker = true): Promise<NodeLease> {
  const holder = randomUUID();
  let held = await claim(db, holder, worker);
  let trustedUntil = performance.now() + trustedMs;

  async function renew(): Promise<void> {
    const startedAt = performance.now();
    const rows = await db.query<{ node: number }>(sql`
      update nodes set expires_at = clock_now() + ${leaseSeconds} * interval '1 second'
      where node = ${held} and holder = ${holder} returning node`);
    if (rows.length === 0) held = await claim(db, holder, worker);
    trustedUntil = startedAt + trustedMs;
  }
  const timer = setInterval(() => {
    renew().catch((error: unknown) =>
      log.warn({ err: error }, 'the lease of the node number could not be renewed yet'),
    );
  }, renewEveryMs);
  timer.unref();

  return {
    node() {
      if (performance.now() > trustedUntil)
        throw new DatabaseUnavailable(new Error('the lease of the node number has lapsed'));
      return held;
    },
    async release() {
      clearInterval(timer);
      await db.query(sql`delete from nodes where node = ${held} and holder = ${holder}`).catch((error: unknown) => {
        if (!(error instanceof DatabaseUnavailable)) throw error;
        log.warn({ err: error }, 'the node number was not given back; its lease lapses by itself');
      });
    },
  };
}

async function claim(db: Db, holder: string, worker: boolean): Promise<number> {
  for (let tries = 0; tries < 1024; tries++) {
    const rows = await db.query<{ node: number }>(sql`
      insert into nodes (node, holder, worker, expires_at)
      select n, ${holder}, ${worker}, clock_now() + ${leaseSeconds} * interval '1 second' from generate_series(0, 1023) n
      where not exists (select 1 from nodes taken where taken.node = n and taken.expires_at > clock_now())
      order by n limit 1
      on conflict (node) do update
        set holder = excluded.holder, worker = excluded.worker, expires_at = excluded.expires_at
        where nodes.expires_at <= clock_now()
      returning node`);
    // No row: another process took the same number at this moment.
    if (rows[0]) return rows[0].node;
  }
  throw new Error('No node number is free: 1,024 processes hold one.');
}

/** Live processes that hand messages over. */
export async function countWorkers(db: Queryable): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    sql`select count(*)::integer as count from nodes where worker and expires_at > clock_now()`,
  );
  return row?.count ?? 0;
}
