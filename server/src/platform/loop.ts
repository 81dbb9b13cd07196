/** Work done again and again while the process runs: never twice at once, and going on by itself after a fault. */
import type { Log } from './log.ts';

export interface Loop {
  start(): void;
  /** Ends after the work under way. */
  stop(): Promise<void>;
  /** Once more, now or as soon as what is under way has ended. */
  wake(): void;
}

export function createLoop({
  work,
  everyMs,
  log,
  fault,
}: {
  work(goOn: () => boolean): Promise<unknown>;
  everyMs: number;
  log: Log;
  /** What is logged when it failed. */
  fault: string;
}): Loop {
  let running = false;
  let again = false;
  let timer: NodeJS.Timeout | undefined;
  let working: Promise<void> | null = null;

  async function turns(): Promise<void> {
    do {
      again = false;
      await work(() => running).catch((error: unknown) => log.warn({ err: error }, fault));
    } while (again && running);
  }

  function begin(): void {
    if (!running) return;
    if (working !== null) {
      again = true;
      return;
    }
    clearTimeout(timer);
    working = turns().finally(() => {
      working = null;
      if (running) timer = setTimeout(begin, everyMs);
    });
  }

  return {
    start() {
      running = true;
      begin();
    },
    async stop() {
      running = false;
      clearTimeout(timer);
      await working;
    },
    wake: begin,
  };
}
