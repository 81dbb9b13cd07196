/**
 * The embedded database: PGlite in a worker thread, so that queries do not block requests, reached by `pg` through a stream
 * that carries the PostgreSQL protocol to that thread. One connection; fsync on; the directory locked for one process. A thread
 * that dies is replaced, and the statements it had not answered fail as DatabaseUnavailable.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { createPoolDb, type Db, sessionSettings } from './db.ts';
import { lockDirectory } from './directory-lock.ts';
import type { Log } from './log.ts';
import { createEngine } from './pglite-engine.ts';
import { EngineStream, type Session } from './pglite-stream.ts';
import { startUpkeep } from './pglite-upkeep.ts';

export interface PgliteOptions {
  /** Undefined keeps everything in memory (tests). */
  dataDir?: string;
  /** A tar of a migrated data directory to start from (tests). */
  template?: Uint8Array;
  log?: Log;
}

/**
 * Made beside its place and moved there when it is whole: a first start that is cut off leaves nothing that looks like a database and
 * is none.
 */
async function makeDatabase(directory: string, log: Log | undefined): Promise<void> {
  if (existsSync(join(directory, 'PG_VERSION'))) return;
  const making = `${directory}.new`;
  rmSync(making, { recursive: true, force: true });
  const engine = createEngine({ directory: making, template: undefined, log });
  await engine.ready();
  await engine.close();
  renameSync(making, directory);
}

/** Opens (and makes, if empty) the database in `dataDir`. Throws DirectoryLocked when another process has it, DirectoryUnusable when nobody can. */
export async function openPglite({ dataDir, template, log }: PgliteOptions): Promise<Db> {
  const lock = dataDir === undefined ? undefined : lockDirectory(dataDir);
  const directory = dataDir === undefined ? undefined : join(dataDir, 'pg');
  const engine = createEngine({ directory, template, log });
  try {
    if (directory !== undefined) await makeDatabase(directory, log);
    await engine.ready();
  } catch (error) {
    lock?.release();
    throw error;
  }
  const listeners = createListeners();
  const session: Session = { engine, prelude: () => [settings, ...listeners.statements()].join('; ') };
  const pool = createPool(session, log);
  let told = engine.generation();
  pool.on('connect', (client) => {
    client.on('notification', ({ channel, payload }) => listeners.tell(channel, payload ?? ''));
    if (told === engine.generation()) return;
    told = engine.generation();
    listeners.tellAll();
  });
  const db = createPoolDb({
    kind: 'pglite',
    pool,
    batchesInFlight: 1,
    async listen(channel, onMessage) {
      listeners.add(channel, onMessage);
      await pool.query(`listen ${pg.escapeIdentifier(channel)}`);
    },
    async close() {
      await endUpkeep();
      await pool.end();
      await engine.close();
      lock?.release();
    },
  });
  const endUpkeep = startUpkeep((statement) => db.query(statement), log);
  return db;
}

const settings = Object.entries(sessionSettings)
  .map(([name, value]) => `set ${name} = ${value}`)
  .join('; ');

/** Never more than one connection: `pg` asks for the stream of each. */
function createPool(session: Session, log: Log | undefined): pg.Pool {
  const pool = new pg.Pool({
    max: 1,
    min: 1,
    idleTimeoutMillis: 0,
    stream: () => new EngineStream(session),
  } as unknown as pg.PoolConfig);
  // A connection lost while idle is replaced by the pool; without a listener it would end the process.
  pool.on('error', (error) => log?.warn({ err: error }, 'idle connection to the embedded database lost'));
  return pool;
}

function createListeners() {
  const handlers = new Map<string, ((payload: string) => void)[]>();
  const tell = (channel: string, payload: string): void => {
    for (const handler of handlers.get(channel) ?? []) handler(payload);
  };
  return {
    add: (channel: string, handler: (payload: string) => void) =>
      handlers.set(channel, [...(handlers.get(channel) ?? []), handler]),
    statements: () => [...handlers.keys()].map((channel) => `listen ${pg.escapeIdentifier(channel)}`),
    tell,
    /** Some notifications may have been missed. */
    tellAll: () => {
      for (const channel of handlers.keys()) tell(channel, '');
    },
  };
}
