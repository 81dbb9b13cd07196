/** PostgreSQL ≥ 15 through a `pg` pool; one connection of its own listens and comes back by itself. */
import pg from 'pg';
import { createPoolDb, DatabaseUnavailable, type Db, sessionSettings } from './db.ts';
import type { Log } from './log.ts';

const reconnectAfterMs = 500;

export interface PostgresOptions {
  url: string;
  log: Log;
  maxConnections?: number;
}

export function openPostgres({ url, log, maxConnections = 10 }: PostgresOptions): Db {
  const pool = new pg.Pool({
    connectionString: url,
    max: maxConnections,
    connectionTimeoutMillis: 3_000,
    statement_timeout: 15_000,
    idle_in_transaction_session_timeout: 15_000,
    application_name: 'otp-platform',
    options: Object.entries(sessionSettings)
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
  });
  // A connection that dies while idle is replaced by the pool; without a listener it would end the process.
  pool.on('error', (error) => log.warn({ err: error }, 'idle database connection lost'));
  const listener = createListener(url, log);
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

function createListener(url: string, log: Log): { listen: Db['listen']; close(): Promise<void> } {
  const handlers = new Map<string, ((payload: string) => void)[]>();
  let client: pg.Client | undefined;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  async function connect(): Promise<void> {
    const fresh = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: 3_000,
      application_name: 'otp-platform-listen',
    });
    fresh.on('notification', ({ channel, payload }) => {
      for (const handler of handlers.get(channel) ?? []) handler(payload ?? '');
    });
    fresh.on('error', (error) => log.warn({ err: error }, 'listening connection lost'));
    fresh.on('end', () => {
      if (client === fresh) client = undefined;
      if (!closed) timer = setTimeout(() => void reconnect(), reconnectAfterMs);
    });
    await fresh.connect();
    for (const channel of handlers.keys()) await fresh.query(`listen ${pg.escapeIdentifier(channel)}`);
    // Closed while this one was on its way: nobody else would end it, and its socket would keep the process alive.
    if (closed) await fresh.end();
    else client = fresh;
  }

  async function reconnect(): Promise<void> {
    try {
      await connect();
      for (const list of handlers.values()) for (const handler of list) handler('');
    } catch (error) {
      log.warn({ err: error }, 'cannot listen to the database yet');
      if (!closed) timer = setTimeout(() => void reconnect(), reconnectAfterMs);
    }
  }

  return {
    async listen(channel, onMessage) {
      if (closed) throw new DatabaseUnavailable(new Error('the database is closed'));
      handlers.set(channel, [...(handlers.get(channel) ?? []), onMessage]);
      if (client) await client.query(`listen ${pg.escapeIdentifier(channel)}`);
      else await connect();
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await client?.end();
    },
  };
}
