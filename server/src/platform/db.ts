/**
 * The one database interface: PostgreSQL in production, PGlite embedded. Both speak through `pg`, so types map alike:
 * int8 and numeric arrive as strings, timestamptz as Date, bytea as Buffer, jsonb parsed.
 * Statements are kept prepared by the hash of their text.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { createBatch } from './batch.ts';
import { raw, type Sql } from './sql.ts';

export interface Queryable {
  query<Row extends object = Record<string, never>>(statement: Sql): Promise<Row[]>;
}

export interface BatchSpec<Item, Result> {
  run(db: Queryable, items: readonly Item[]): Promise<readonly Result[]>;
  key?(item: Item): string;
  maxItems?: number;
  gatherMs?: number;
}

export interface Db extends Queryable {
  readonly kind: 'postgres' | 'pglite';
  /**
   * begin … commit on one connection; rolls back and rethrows when `work` throws. Never await the network inside. After a deadlock
   * `work` runs again from the beginning.
   */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
  /** Calls back for each notification on the channel, and once with '' after a reconnect (some may have been missed). */
  listen(channel: string, onMessage: (payload: string) => void): Promise<void>;
  /** Group commit, see batch.ts. */
  batch<Item, Result>(spec: BatchSpec<Item, Result>): (item: Item) => Promise<Result>;
  /** Resolves when the database answers. */
  ping(): Promise<void>;
  /** Calls back after every statement: milliseconds, and whether it was answered with rows. */
  watch(watcher: Watcher): void;
  /** Connections now; `waiting` counts statements without one. */
  connections(): { open: number; idle: number; waiting: number };
  close(): Promise<void>;
}

export type Watcher = (tookMs: number, answered: boolean) => void;

/** The database cannot be reached or refuses work for now; the request had no known effect. Answered as 503. */
export class DatabaseUnavailable extends Error {
  constructor(cause: unknown) {
    super('database unavailable', { cause });
    this.name = 'DatabaseUnavailable';
  }
}

const stateOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '');

/** Lost or refused connections, shutdowns, no free connection slot, disk full, statement cancelled by its time limit. */
function isUnavailable(error: unknown): boolean {
  const state = stateOf(error);
  if (/^(08...|57P..|57014|53...|58030|25006)$/.test(state)) return true;
  if (/^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_|EHOSTUNREACH|ENETUNREACH)/.test(state)) return true;
  return /connection terminated|query read timeout|timeout exceeded when trying to connect|not queryable|client was closed/i.test(
    String((error as Partial<Error> | null)?.message),
  );
}

/** Deadlock or serialization failure: the statement had no effect and may be run again. */
const isTransient = (error: unknown): boolean => /^(40001|40P01)$/.test(stateOf(error));
/** Fault of the data of one row (bad value, broken constraint). */
const isDataFault = (error: unknown): boolean => /^2[23]...$/.test(stateOf(error));

/** Runs one statement on one connection, and tells who watches. */
type Run = <Row extends object>(client: pg.ClientBase, statement: Sql) => Promise<Row[]>;

function createRun(watchers: readonly Watcher[]): Run {
  const tell = (startedAtMs: number, answered: boolean): void => {
    for (const watcher of watchers) watcher(performance.now() - startedAtMs, answered);
  };
  return async <Row extends object>(client: pg.ClientBase, statement: Sql) => {
    const startedAtMs = performance.now();
    try {
      const { rows } = await client.query<Row>(statement.toQuery());
      tell(startedAtMs, true);
      return rows;
    } catch (error) {
      tell(startedAtMs, false);
      throw isUnavailable(error) ? new DatabaseUnavailable(error) : error;
    }
  };
}

/** Not `pool.query`: that throws the connection away after every error, also after one of our own making such as a broken constraint. */
async function withClient<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw new DatabaseUnavailable(error);
  });
  let broken = false;
  try {
    return await work(client);
  } catch (error) {
    broken = error instanceof DatabaseUnavailable;
    throw error;
  } finally {
    client.release(broken);
  }
}

/** One statement is its own transaction, so a deadlock's victim is simply run again. */
const runAlone = <Row extends object>(pool: pg.Pool, run: Run, statement: Sql): Promise<Row[]> =>
  untilNoDeadlock(() => withClient(pool, (client) => run<Row>(client, statement)));

const maxTries = 10;

/** Victims come back at different moments, or they would meet again. One that never gets through had no effect: it may be asked again. */
async function untilNoDeadlock<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!isTransient(error)) throw error;
      if (tries === maxTries) throw new DatabaseUnavailable(error);
      await pause(Math.random() * 25 * tries);
    }
  }
}

async function runTransaction<T>(client: pg.PoolClient, run: Run, work: (tx: Queryable) => Promise<T>): Promise<T> {
  const tx: Queryable = { query: (statement) => run(client, statement) };
  await tx.query(raw('begin'));
  try {
    const result = await work(tx);
    await tx.query(raw('commit'));
    return result;
  } catch (error) {
    if (!(error instanceof DatabaseUnavailable)) await tx.query(raw('rollback'));
    throw error;
  }
}

/**
 * Every statement of the product finds its rows by an index, so plans are made once and for tables of any size: a plan made while a
 * table was empty must not read it whole a million rows later, and planning a large statement anew costs more than running it.
 */
export const sessionSettings = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_mergejoin: 'off',
  jit: 'off',
} as const;

export interface PoolDbOptions {
  kind: Db['kind'];
  pool: pg.Pool;
  /** Statements of one batch kind under way at once. */
  batchesInFlight: number;
  listen: Db['listen'];
  close(): Promise<void>;
}

/** Db over a pg.Pool; the two engines differ only in how the pool connects and listens. */
export function createPoolDb(options: PoolDbOptions): Db {
  const { pool } = options;
  const watchers: Watcher[] = [];
  const run = createRun(watchers);
  // A connection that dies while it is in use fails its statement, and says so once more here; unheard, that ends the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  const db: Db = {
    kind: options.kind,
    query: (statement) => runAlone(pool, run, statement),
    listen: options.listen,
    close: options.close,
    async ping() {
      await runAlone(pool, run, raw('select 1'));
    },
    transaction: (work) => untilNoDeadlock(() => withClient(pool, (client) => runTransaction(client, run, work))),
    watch: (watcher) => void watchers.push(watcher),
    connections: () => ({ open: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    batch: ({ run: runBatch, key, maxItems = 200, gatherMs }) =>
      createBatch({
        run: (items) => runBatch(db, items),
        ...(key && { key }),
        ...(gatherMs !== undefined && { gatherMs }),
        maxItems,
        maxInFlight: options.batchesInFlight,
        isItemFault: isDataFault,
      }),
  };
  return db;
}
