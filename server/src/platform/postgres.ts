/** PostgreSQL ≥ 15 through a `pg` pool; one connection of its own listens and comes back by itself. */
import pg from 'pg';
import { createPoolDb, type Db, sessionSettings } from './db.ts';
import type { Log } from './log.ts';
import { createListener } from './postgres-listener.ts';

export interface PostgresOptions {
  url: string;
  log: Log;
  maxConnections?: number;
  /** A connection that gives no answer for so long is given up. More than the server's own limit on a statement. */
  silenceMs?: number;
}

export function openPostgres({ url, log, maxConnections = 10, silenceMs = 20_000 }: PostgresOptions): Db {
  const pool = new pg.Pool({
    connectionString: url,
    max: maxConnections,
    connectionTimeoutMillis: 3_000,
    statement_timeout: 15_000,
    query_timeout: silenceMs,
    idle_in_transaction_session_timeout: 15_000,
    application_name: 'otp-platform',
    options: Object.entries(sessionSettings)
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
  });
  // A connection that dies while idle is replaced by the pool; without a listener it would end the process.
  pool.on('error', (error) => log.warn({ err: error }, 'idle database connection lost'));
  const listener = createListener({ url, log, silenceMs });
  return createPoolDb({
    kind: 'postgres',
    pool,
    batchesInFlight: 1,
    listen: listener.listen,
    async close() {
      await listener.close();
      await pool.end();
    },
  });
}
