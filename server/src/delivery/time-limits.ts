/** Times that end by themselves or all at once when the process stops: no timer outlives the engine. */

export interface TimeLimits {
  /** Calls `onEnd` after that time, or when all end; returns what takes that back. */
  within(ms: number, onEnd: () => void): () => void;
  end(): void;
  ended(): boolean;
}

export function createTimeLimits(): TimeLimits {
  const ends = new Set<() => void>();
  let ended = false;
  return {
    within(ms, onEnd) {
      const cancel = (): void => {
        clearTimeout(timer);
        ends.delete(end);
      };
      const end = (): void => {
        cancel();
        onEnd();
      };
      const timer = setTimeout(end, ended ? 0 : ms);
      ends.add(end);
      return cancel;
    },
    end() {
      ended = true;
      for (const end of [...ends]) end();
    },
    ended: () => ended,
  };
}
