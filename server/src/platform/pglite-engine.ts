/**
 * The life of the thread that holds PGlite: started, replaced by a new one when it dies (a panic on a full disk, memory), closed.
 * What was committed is in the directory; what was under way is answered as a lost connection. While opening fails, as it does as
 * long as the disk stays full, callers are told so at once and it is tried again every second that somebody asks.
 */
import { performance } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import type { Log } from './log.ts';

const retryAfterMs = 1_000;
/** Replaying the log after a crash takes seconds; longer than this is a thread that hangs. */
const openMs = 60_000;

export interface EngineOptions {
  /** Undefined keeps everything in memory, and then a thread that died is not replaced. */
  directory: string | undefined;
  template: Uint8Array | undefined;
  log: Log | undefined;
}

export interface Engine {
  /** 1 for the first thread, one more for each that replaced another. */
  generation(): number;
  /** Resolves when a thread runs; opens one if none does. Rejects with EngineLost. */
  ready(): Promise<void>;
  /** Answers protocol bytes, in the order of the calls. Rejects with EngineLost when the thread dies before. */
  run(bytes: Uint8Array): Promise<Uint8Array>;
  /** Closes the database and ends the thread. */
  close(): Promise<void>;
}

/** Told apart from faults of a statement by its code, like a lost connection to a server. */
class EngineLost extends Error {
  readonly code = 'ECONNRESET';
  constructor(cause: unknown) {
    super('the embedded database is not open', { cause });
    this.name = 'EngineLost';
  }
}

export function createEngine(options: EngineOptions): Engine {
  const { log } = options;
  let worker: Worker | undefined;
  let opening: Promise<void> | undefined;
  let generation = 0;
  let closed = false;
  let failedAt = Number.NEGATIVE_INFINITY;
  let failure: unknown;
  let waiting: PromiseWithResolvers<Uint8Array>[] = [];

  async function open(): Promise<void> {
    const fresh = await openThread(options).catch((error: unknown) => {
      failedAt = performance.now();
      failure = error;
      log?.warn({ err: error }, 'the embedded database cannot be opened yet');
      throw new EngineLost(error);
    });
    generation++;
    worker = fresh;
    fresh.on('message', (reply: Uint8Array) => waiting.shift()?.resolve(reply));
    fresh.on('error', (error) => lose(fresh, error));
    fresh.on('exit', (code) => lose(fresh, new Error(`the thread ended with ${code}`)));
  }

  function lose(lost: Worker, cause: unknown): void {
    if (worker !== lost) return;
    worker = undefined;
    if (!closed) log?.error({ err: cause }, 'the embedded database stopped and is opened again');
    for (const { reject } of waiting) reject(new EngineLost(cause));
    waiting = [];
  }

  return {
    generation: () => generation,
    async ready() {
      if (worker) return;
      if (closed || (generation > 0 && options.directory === undefined)) throw new EngineLost(failure);
      if (opening === undefined && performance.now() - failedAt < retryAfterMs) throw new EngineLost(failure);
      opening ??= open().finally(() => {
        opening = undefined;
      });
      await opening;
    },
    run(bytes) {
      if (!worker) return Promise.reject(new EngineLost(failure));
      const answer = Promise.withResolvers<Uint8Array>();
      waiting.push(answer);
      worker.postMessage(bytes, [bytes.buffer as ArrayBuffer]);
      return answer.promise;
    },
    async close() {
      closed = true;
      await opening?.catch(() => undefined);
      const last = worker;
      if (!last) return;
      await new Promise<void>((resolve) => {
        last.once('exit', () => resolve());
        last.postMessage('close');
      });
    },
  };
}

/** A thread whose database is open. */
function openThread({ directory, template }: EngineOptions): Promise<Worker> {
  const worker = new Worker(new URL('./pglite-worker.ts', import.meta.url), {
    workerData: { directory, template },
    // It passes bytes on; what it allocates dies at once and needs no large nursery.
    resourceLimits: { maxYoungGenerationSizeMb: 6 },
  });
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      clearTimeout(limit);
      void worker.terminate();
      reject(error);
    };
    const limit = setTimeout(() => fail(new Error(`not open after ${openMs} ms`)), openMs);
    const onExit = (code: number): void => fail(new Error(`the thread ended with ${code}`));
    worker.on('error', fail);
    worker.once('exit', onExit);
    worker.once('message', () => {
      clearTimeout(limit);
      worker.off('error', fail);
      worker.off('exit', onExit);
      resolve(worker);
    });
  });
}
