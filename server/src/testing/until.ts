/** Waiting for what comes about elsewhere (another process, a timer of the product): ends with the condition, not with the clock. */
import { setTimeout as pause } from 'node:timers/promises';

const lookEveryMs = 50;

type Truthy<T> = Exclude<T, null | undefined | false | '' | 0>;

/** What `look` found, as soon as it is truthy. Throws naming `what` at the deadline, with the last fault of `look` as its cause. */
export async function until<T>(what: string, look: () => Promise<T> | T, withinMs = 20_000): Promise<Truthy<T>> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    let fault: unknown;
    try {
      const found = await look();
      if (found) return found as Truthy<T>;
    } catch (error) {
      fault = error;
    }
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`, { cause: fault });
    await pause(lookEveryMs);
  }
}
