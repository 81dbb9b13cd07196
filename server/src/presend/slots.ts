/** How many questions are under way at once, and those that wait for their turn, first come first served. */
export interface Slots {
  /** `free` and `waited` hold a slot until `leave`; `late`: none came free in time; `cleared`: those that wait were sent away. */
  enter(waitMs: number): Promise<'free' | 'waited' | 'late' | 'cleared'>;
  leave(): void;
  /** Sends everybody away who waits. */
  clear(): void;
}

export function createSlots(max: number): Slots {
  let taken = 0;
  const waiting = new Set<(outcome: 'waited' | 'cleared') => void>();
  return {
    enter(waitMs) {
      if (taken < max) {
        taken++;
        return Promise.resolve('free');
      }
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          waiting.delete(go);
          resolve('late');
        }, waitMs);
        const go = (outcome: 'waited' | 'cleared'): void => {
          clearTimeout(timer);
          waiting.delete(go);
          resolve(outcome);
        };
        waiting.add(go);
      });
    },
    leave() {
      const [next] = waiting;
      // The slot is handed on, so nobody who comes now can take it in between.
      if (next) next('waited');
      else taken--;
    },
    clear() {
      for (const go of [...waiting]) go('cleared');
    },
  };
}
