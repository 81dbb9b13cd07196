/**
 * The embedded database: PGlite in a worker thread, so that queries do not block requests, reached by `pg` through a stream
 * that carries the PostgreSQL protocol to that thread. One connection; fsync on; the directory locked for one process.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { Worker } from 'node:worker_threads';
import pg from 'pg';
import { createPoolDb, type Db, sessionSettings } from './db.ts';
import { lockDirectory } from './directory-lock.ts';

export interface PgliteOptions {
  /** Undefined keeps everything in memory (tests). */
  dataDir?: string;
  /** A tar of a migrated data directory to start from (tests). */
  template?: Uint8Array;
}

/** Opens (and makes, if empty) the database in `dataDir`. Throws DirectoryLocked when another process has it. */
export async function openPglite({ dataDir, template }: PgliteOptions): Promise<Db> {
  if (dataDir !== undefined) mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const lock = dataDir === undefined ? undefined : lockDirectory(dataDir);
  const worker = new Worker(new URL('./pglite-worker.ts', import.meta.url), {
    workerData: { directory: dataDir === undefined ? undefined : join(dataDir, 'pg'), template },
  });
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
  });
  const handlers = new Map<string, ((payload: string) => void)[]>();
  // pg asks for the stream of a new connection; the pool never holds more than one.
  const pool = new pg.Pool({
    max: 1,
    min: 1,
    idleTimeoutMillis: 0,
    stream: () => new WorkerStream(worker),
  } as unknown as pg.PoolConfig);
  pool.on('connect', (client) => {
    client.on('notification', ({ channel, payload }) => {
      for (const handler of handlers.get(channel) ?? []) handler(payload ?? '');
    });
  });
  for (const [name, value] of Object.entries(sessionSettings)) await pool.query(`set ${name} = ${value}`);
  return createPoolDb({
    kind: 'pglite',
    pool,
    batchesInFlight: 1,
    async listen(channel, onMessage) {
      handlers.set(channel, [...(handlers.get(channel) ?? []), onMessage]);
      await pool.query(`listen ${pg.escapeIdentifier(channel)}`);
    },
    async close() {
      await pool.end();
      await closeWorker(worker);
      lock?.release();
    },
  });
}

function closeWorker(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    worker.once('exit', () => resolve());
    worker.postMessage('close');
  });
}

const syncByte = 0x53;
const queryByte = 0x51;
const terminateByte = 0x58;
/** AuthenticationOk, ParameterStatus client_encoding and DateStyle, ReadyForQuery idle: what a server says after a trusted start-up. */
const greeting = Buffer.concat([
  Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]),
  parameterStatus('client_encoding', 'UTF8'),
  parameterStatus('DateStyle', 'ISO, MDY'),
  Buffer.from([0x5a, 0, 0, 0, 5, 0x49]),
]);

function parameterStatus(name: string, value: string): Buffer {
  const body = Buffer.from(`${name}\0${value}\0`);
  const head = Buffer.from([0x53, 0, 0, 0, 0]);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/** Looks like a socket to `pg`; gathers messages up to Sync or Query and has the worker run them as one. */
class WorkerStream extends Duplex {
  readonly #worker: Worker;
  #started: boolean = false;
  #pending: Buffer = Buffer.alloc(0);
  /** Where the next message of #pending that has not been looked at begins. */
  #scanned = 0;
  #awaited = 0;

  constructor(worker: Worker) {
    super();
    this.#worker = worker;
    worker.on('message', this.#onReply);
    worker.once('exit', this.#onExit);
  }

  /** Replies come in the order of the requests; one stream may still wait while its successor already asks. */
  readonly #onReply = (reply: Uint8Array): void => {
    if (this.#awaited === 0) return;
    this.#awaited--;
    this.push(Buffer.from(reply.buffer, reply.byteOffset, reply.byteLength));
  };
  readonly #onExit = (): void => {
    this.destroy();
  };

  connect(): this {
    setImmediate(() => this.emit('connect'));
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    if (!this.#started) this.#start();
    this.#forward();
    done();
  }

  #start(): void {
    if (this.#pending.length < 4 || this.#pending.length < this.#pending.readInt32BE(0)) return;
    this.#pending = this.#pending.subarray(this.#pending.readInt32BE(0));
    this.#started = true;
    this.push(greeting);
  }

  #forward(): void {
    while (this.#started && this.#pending.length >= this.#scanned + 5) {
      const type = this.#pending[this.#scanned];
      const end = this.#scanned + 1 + this.#pending.readInt32BE(this.#scanned + 1);
      if (this.#pending.length < end) return;
      this.#scanned = end;
      if (type === terminateByte) {
        this.push(null);
        this.destroy();
        return;
      }
      if (type !== syncByte && type !== queryByte) continue;
      const bytes = Uint8Array.prototype.slice.call(this.#pending, 0, end);
      this.#awaited++;
      this.#worker.postMessage(bytes, [bytes.buffer as ArrayBuffer]);
      this.#pending = this.#pending.subarray(end);
      this.#scanned = 0;
    }
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#worker.off('message', this.#onReply);
    this.#worker.off('exit', this.#onExit);
    done(error);
  }
}
