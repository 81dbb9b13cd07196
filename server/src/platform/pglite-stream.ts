/**
 * Looks like a socket to `pg`, and carries its PostgreSQL protocol to the thread of the embedded database. All connections, one
 * after the other, share the one session of that thread, so each begins by putting it in order: nothing open, nothing prepared.
 */
import { Duplex } from 'node:stream';
import type { Engine } from './pglite-engine.ts';

const syncByte = 0x53;
const queryByte = 0x51;
const terminateByte = 0x58;
const errorByte = 0x45;
/** AuthenticationOk, ParameterStatus client_encoding and DateStyle, ReadyForQuery idle: what a server says after a trusted start-up. */
const greeting = Buffer.concat([
  Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]),
  message(0x53, 'client_encoding\0UTF8\0'),
  message(0x53, 'DateStyle\0ISO, MDY\0'),
  Buffer.from([0x5a, 0, 0, 0, 5, 0x49]),
]);

function message(type: number, body: string): Buffer {
  const bytes = Buffer.from(`.....${body}`);
  bytes[0] = type;
  bytes.writeInt32BE(bytes.length - 1, 1);
  return bytes;
}

export interface Session {
  engine: Engine;
  /** Statements that prepare the session of a new connection, separated by semicolons. */
  prelude(): string;
}

/** Gathers messages up to Sync or Query and has the engine run them as one. */
export class EngineStream extends Duplex {
  readonly #session: Session;
  #started: boolean = false;
  #pending: Buffer = Buffer.alloc(0);
  /** Where the next message of #pending that has not been looked at begins. */
  #scanned = 0;

  constructor(session: Session) {
    super();
    this.#session = session;
  }

  connect(): this {
    this.#session.engine.ready().then(
      () => this.emit('connect'),
      (error: Error) => this.destroy(error),
    );
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
    if (this.#started) this.#forward();
    else this.#start();
    done();
  }

  /** `pg` says nothing after its start-up message before it is greeted. */
  #start(): void {
    if (this.#pending.length < 4 || this.#pending.length < this.#pending.readInt32BE(0)) return;
    this.#pending = this.#pending.subarray(this.#pending.readInt32BE(0));
    this.#started = true;
    const prelude = message(queryByte, `rollback; deallocate all; ${this.#session.prelude()}\0`);
    this.#run(prelude, 0, prelude.length, (reply) => {
      if (hasError(reply)) this.destroy(new Error('the embedded database refuses to begin a session'));
      else this.push(greeting);
    });
  }

  #forward(): void {
    while (this.#pending.length >= this.#scanned + 5) {
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
      this.#run(this.#pending, 0, end, (reply) => this.push(reply));
      this.#pending = this.#pending.subarray(end);
      this.#scanned = 0;
    }
  }

  #run(from: Buffer, start: number, end: number, onReply: (reply: Buffer) => void): void {
    this.#session.engine.run(Uint8Array.prototype.slice.call(from, start, end)).then(
      (reply) => {
        if (!this.destroyed) onReply(Buffer.from(reply.buffer, reply.byteOffset, reply.byteLength));
      },
      (error: Error) => this.destroy(error),
    );
  }
}

function hasError(reply: Buffer): boolean {
  for (let at = 0; at < reply.length; at += 1 + reply.readInt32BE(at + 1)) if (reply[at] === errorByte) return true;
  return false;
}
