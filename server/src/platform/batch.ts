/**
 * Group commit: calls of one kind that arrive while a statement is under way are gathered and done as one multi-row
 * statement; every caller is answered after that commit. Alone, a call waits for nothing but the end of this tick.
 */

export interface BatchOptions<Item, Result> {
  /** Does all items in one statement; results in the order of items. */
  run(items: readonly Item[]): Promise<readonly Result[]>;
  /** Two items with one key never share a statement (they would touch one row twice); the later one waits. */
  key?(item: Item): string;
  maxItems: number;
  /** How long the first item waits for company, in milliseconds; default not beyond this tick. For work that nobody waits for. */
  gatherMs?: number;
  /** Statements of this kind under way at once. */
  maxInFlight: number;
  /** Whether the failure comes from one item's data, so that the others are worth doing alone. */
  isItemFault(error: unknown): boolean;
}

interface Waiting<Item, Result> {
  item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/** Returns the function that adds one item and resolves with its result. */
export function createBatch<Item, Result>(options: BatchOptions<Item, Result>): (item: Item) => Promise<Result> {
  let queue: Waiting<Item, Result>[] = [];
  let inFlight = 0;
  let scheduled = false;

  function take(): Waiting<Item, Result>[] {
    if (!options.key) return queue.splice(0, options.maxItems);
    const taken: Waiting<Item, Result>[] = [];
    const left: Waiting<Item, Result>[] = [];
    const keys = new Set<string>();
    for (const waiting of queue) {
      const key = options.key(waiting.item);
      if (taken.length < options.maxItems && !keys.has(key)) {
        keys.add(key);
        taken.push(waiting);
      } else left.push(waiting);
    }
    queue = left;
    return taken;
  }

  async function flush(batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await options.run(batch.map((waiting) => waiting.item));
      for (const [i, waiting] of batch.entries()) waiting.resolve(results[i] as Result);
    } catch (error) {
      if (batch.length > 1 && options.isItemFault(error)) {
        for (const waiting of batch) await flush([waiting]);
      } else for (const waiting of batch) waiting.reject(error);
    }
  }

  function pump(): void {
    scheduled = false;
    while (inFlight < options.maxInFlight && queue.length > 0) {
      inFlight++;
      void flush(take()).finally(() => {
        inFlight--;
        schedule();
      });
    }
  }

  function schedule(): void {
    if (scheduled || queue.length === 0 || inFlight >= options.maxInFlight) return;
    scheduled = true;
    if (options.gatherMs === undefined) setImmediate(pump);
    else setTimeout(pump, options.gatherMs);
  }

  return (item) =>
    new Promise<Result>((resolve, reject) => {
      queue.push({ item, resolve, reject });
      schedule();
    });
}
