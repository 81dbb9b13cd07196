/**
 * Bounded concurrency: so many tasks run at once, the others wait in order. Knows when nothing runs or waits, and tells when a
 * lane became free. A task must not throw; one that does is logged and its lane goes on.
 */
import type { Log } from '../platform/log.ts';

interface Lanes {
  add(task: () => Promise<void>): void;
  /** Tasks that could start at once. */
  free(): number;
  waiting(): number;
  /** Resolves when nothing runs or waits. */
  whenIdle(): Promise<void>;
  isIdle(): boolean;
}

export function createLanes(count: number, log: Log, onFree: () => void): Lanes {
  const queue: (() => Promise<void>)[] = [];
  let idle: (() => void)[] = [];
  let running = 0;

  async function run(task: () => Promise<void>): Promise<void> {
    running++;
    try {
      await task();
    } catch (error) {
      log.error({ err: error }, 'a delivery task failed');
    }
    running--;
    const following = queue.shift();
    if (following) void run(following);
    else onFree();
    if (running === 0) {
      for (const resolve of idle) resolve();
      idle = [];
    }
  }

  return {
    add(task) {
      if (running < count) void run(task);
      else queue.push(task);
    },
    free: () => Math.max(0, count - running),
    waiting: () => queue.length,
    isIdle: () => running === 0,
    whenIdle: () => (running === 0 ? Promise.resolve() : new Promise((resolve) => idle.push(resolve))),
  };
}
