/** What is under way: a request whose client has left still runs, and its database must not be closed under it. */

export interface Work {
  track(running: Promise<unknown>): void;
  /** Resolves when nothing is running, at the latest after so many milliseconds. */
  idle(withinMs: number): Promise<void>;
}

export function createWork(): Work {
  let running = 0;
  let onIdle: (() => void) | undefined;
  const end = (): void => {
    running--;
    if (running === 0) onIdle?.();
  };
  return {
    track(promise) {
      running++;
      promise.then(end, end);
    },
    idle(withinMs) {
      if (running === 0) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, withinMs);
        onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
  };
}
