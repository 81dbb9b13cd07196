/**
 * Refusals on their way into the database: gathered for a moment and written many at once, behind the answers they belong to. Best
 * effort, so that a flood of refusals costs nobody anything: what is too much is dropped and counted, one application's flood
 * leaves room for the others, and what the database does not take is lost.
 */
import type { Log } from '../platform/log.ts';
import type { Refusal } from './refusal.ts';

const gatherMs = 200;
/** With the time between them, a thousand a second and node at most. */
const rowsAtOnce = 200;
const maxQueued = 10_000;
const maxPerApplication = 2_000;
const tellEveryMs = 60_000;

export interface Waiting {
  refusal: Refusal;
  /** By performance.now(). */
  notedAtMs: number;
}

export interface Queue {
  /** Never throws, never waits. */
  add(refusal: Refusal): void;
  /** Writes what is there by now. */
  flush(): Promise<void>;
  dropped(): number;
}

export function createQueue({ write, log }: { write(rows: readonly Waiting[]): Promise<void>; log: Log }): Queue {
  let queue: Waiting[] = [];
  const held = new Map<string, number>();
  let dropped = 0;
  let untold = 0;
  let toldAtMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let working: Promise<void> = Promise.resolve();

  function take(): Waiting[] {
    const taken = queue.slice(0, rowsAtOnce);
    queue = queue.slice(rowsAtOnce);
    for (const { refusal } of taken) {
      const left = (held.get(refusal.applicationId) ?? 1) - 1;
      if (left > 0) held.set(refusal.applicationId, left);
      else held.delete(refusal.applicationId);
    }
    return taken;
  }

  function drop(count: number): void {
    dropped += count;
    untold += count;
  }

  function tell(): void {
    if (untold === 0 || performance.now() - toldAtMs < tellEveryMs) return;
    log.warn({ dropped: untold }, 'refusals were not kept');
    toldAtMs = performance.now();
    untold = 0;
  }

  async function writeSome(): Promise<void> {
    const rows = take();
    if (rows.length === 0) return;
    await write(rows).catch((error: unknown) => {
      drop(rows.length);
      log.debug({ err: error }, 'refusals could not be written');
    });
    tell();
  }

  /** One after the other, so that a slow database is asked for one thing at a time. */
  function goOn(): Promise<void> {
    working = working.then(writeSome);
    return working;
  }

  function schedule(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      void goOn().then(() => {
        if (queue.length > 0) schedule();
      });
    }, gatherMs);
  }

  return {
    add(refusal) {
      const mine = held.get(refusal.applicationId) ?? 0;
      if (queue.length >= maxQueued || mine >= maxPerApplication) return drop(1);
      queue.push({ refusal, notedAtMs: performance.now() });
      held.set(refusal.applicationId, mine + 1);
      schedule();
    },
    async flush() {
      clearTimeout(timer);
      timer = undefined;
      do await goOn();
      while (queue.length > 0);
    },
    dropped: () => dropped,
  };
}
