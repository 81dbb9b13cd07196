/**
 * The one connection that listens for notifications. It comes back by itself, one attempt at a time however long the server is
 * away, and then tells every handler that something may have been missed. A beat finds out that its network fell silent.
 */
import pg from 'pg';
import { DatabaseUnavailable, type Db } from './db.ts';
import type { Log } from './log.ts';

const reconnectAfterMs = 500;

export interface ListenerOptions {
  url: string;
  log: Log;
  /** Without an answer for so long, the connection counts as lost. */
  silenceMs: number;
}

export interface Listener {
  listen: Db['listen'];
  close(): Promise<void>;
}

export function createListener({ url, log, silenceMs }: ListenerOptions): Listener {
  const handlers = new Map<string, ((payload: string) => void)[]>();
  let client: pg.Client | undefined;
  let connecting: Promise<pg.Client> | undefined;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  async function connect(): Promise<pg.Client> {
    const fresh = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: 3_000,
      query_timeout: silenceMs,
      application_name: 'otp-platform-listen',
    });
    fresh.on('notification', ({ channel, payload }) => tell(channel, payload ?? ''));
    fresh.on('error', (error) => log.warn({ err: error }, 'listening connection lost'));
    fresh.on('end', () => lose(fresh));
    try {
      await fresh.connect();
      for (const channel of handlers.keys()) await listenOn(fresh, channel);
      // Closed while this one was on its way: nobody else would end it, and its socket would keep the process alive.
      if (closed) throw new DatabaseUnavailable(new Error('the database is closed'));
    } catch (error) {
      void fresh.end().catch(() => undefined);
      throw error;
    }
    client = fresh;
    beat(fresh);
    return fresh;
  }

  /** However many ask at once, one connection is made. */
  async function connected(): Promise<pg.Client> {
    if (closed) throw new DatabaseUnavailable(new Error('the database is closed'));
    if (client) return client;
    connecting ??= connect().finally(() => {
      connecting = undefined;
    });
    return connecting;
  }

  function beat(of: pg.Client): void {
    const beating = setTimeout(() => {
      if (client !== of) return;
      of.query('select 1').then(
        () => beat(of),
        (error: unknown) => {
          log.warn({ err: error }, 'the listening connection is silent');
          void of.end().catch(() => undefined);
          lose(of);
        },
      );
    }, silenceMs);
    beating.unref();
  }

  function lose(lost: pg.Client): void {
    if (client !== lost) return;
    client = undefined;
    reconnectSoon();
  }

  function reconnectSoon(): void {
    if (closed || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      connected().then(
        () => {
          for (const channel of handlers.keys()) tell(channel, '');
        },
        (error: unknown) => {
          log.warn({ err: error }, 'cannot listen to the database yet');
          reconnectSoon();
        },
      );
    }, reconnectAfterMs);
  }

  function tell(channel: string, payload: string): void {
    for (const handler of handlers.get(channel) ?? []) handler(payload);
  }

  return {
    async listen(channel, onMessage) {
      handlers.set(channel, [...(handlers.get(channel) ?? []), onMessage]);
      await listenOn(await connected(), channel);
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await connecting?.catch(() => undefined);
      await client?.end();
    },
  };
}

const listenOn = (client: pg.Client, channel: string): Promise<unknown> =>
  client.query(`listen ${pg.escapeIdentifier(channel)}`);
