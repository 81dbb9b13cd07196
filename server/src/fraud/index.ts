/**
 * Fraud: every send is judged from this node's memory, in microseconds, by its application's rules (fraud-rules/) over what the ledger
 * told of the last day, and by what is closed for its prefix, address or device. Promises: what cannot be known stops nobody; a
 * changed rule set or block holds on every node within a second; times are the database's, so a node whose clock is wrong judges
 * the same; a prefix is closed once, whatever nodes ask for it.
 */
import { createLoop } from '../platform/loop.ts';
import { closePumped } from './automatic-blocks.ts';
import { createBlockOperations } from './block-operations.ts';
import { insertBlocks, type NewBlock, sweepBlocks } from './block-store.ts';
import { createJudge, type FraudAsk, type FraudVerdict } from './judge.ts';
import { createMemory } from './memory.ts';
import { createOperations, type Operation } from './operations.ts';
import type { FraudPorts } from './ports.ts';
import { createTallies } from './tallies.ts';
import { sweepTallies } from './tally-store.ts';
import { createWatch, type ReadOptions } from './watch.ts';

export { boundsOf } from './automatic-blocks.ts';
export { askedOf, feed } from './feed.ts';
export type { FraudAsk, FraudVerdict } from './judge.ts';
export { type FraudEntry, type FraudMessage, listCountries, readEntries } from './ledger-store.ts';
export type { FraudPorts, LedgerRelations } from './ports.ts';
export { findRuleSet, readBeat } from './store.ts';

export interface Fraud {
  operations: readonly Operation[];
  /** Says at once what is to be done with a send. Allows before the room is started. */
  judge(ask: FraudAsk): FraudVerdict;
  /** The shipped rules as they hold for an application. */
  shipped: ReturnType<typeof createMemory>['shipped'];
  /** Reads the ledger to its end, closes what is pumped, writes what was counted. For tests. */
  round(): Promise<void>;
  sweep(): Promise<void>;
  /** Reads rules and blocks, and begins to follow the ledger. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

const everyMs = 1_000;
/** While it is behind it rests so many times as long as it reads: the embedded database does nothing else meanwhile. */
const restFactors = { pglite: 9, postgres: 1 };
/** Of a round that is far behind, before it looks at the rest of its work. */
const atMostMs = 5_000;
const sweepEveryMs = 3_600_000;
const rowsAtOnce = 1_000;

export function createFraud(ports: FraudPorts): Fraud {
  const { db, log, worker } = ports;
  const memory = createMemory(ports);
  const watch = createWatch(ports);
  const tallies = createTallies();
  let holds = new Map<string, NewBlock>();
  let working: Promise<void> = Promise.resolve();

  async function flush(): Promise<void> {
    await tallies.flush(db);
    if (holds.size === 0) return;
    const writing = [...holds.values()];
    holds = new Map();
    await memory.afterWrite(() => insertBlocks(db, writing));
  }

  async function roundOnce(reading: ReadOptions): Promise<void> {
    await watch.read(await memory.beat(), reading);
    if (worker) await closePumped(ports, memory, watch, memory.nowMs() ?? 0);
    await flush();
  }

  /** One after the other. */
  function round(reading: ReadOptions): Promise<void> {
    const next = working.catch(() => undefined).then(() => roundOnce(reading));
    working = next;
    return next;
  }

  /** Until it knows everything up to now: what others still write beside it holds readers back. */
  async function roundToTheEnd(): Promise<void> {
    const { nowMs } = await memory.beat();
    const reading = { goOn: () => true, restFactor: 0, atMostMs: Number.POSITIVE_INFINITY };
    do await round(reading);
    while ((watch.of('').knownUntilMs ?? 0) < nowMs);
  }

  async function sweep(): Promise<void> {
    while ((await sweepTallies(db, rowsAtOnce)) === rowsAtOnce);
    while ((await sweepBlocks(db, rowsAtOnce)) === rowsAtOnce);
  }

  const following = createLoop({
    work: (goOn) => round({ goOn, restFactor: restFactors[db.kind], atMostMs }),
    everyMs,
    log,
    fault: 'the ledger could not be read for fraud rules yet',
  });
  const sweeping = createLoop({
    work: sweep,
    everyMs: sweepEveryMs,
    log,
    fault: 'old fraud figures were not forgotten yet',
  });
  const loops = worker ? [following, sweeping] : [following];
  return {
    operations: [...createOperations(ports, memory), ...createBlockOperations(ports, memory)],
    judge: createJudge({
      memory,
      watch,
      tallies,
      keep: (block) => holds.set(`${block.applicationId} ${block.kind} ${block.subject} ${block.source}`, block),
    }),
    shipped: memory.shipped,
    round: roundToTheEnd,
    sweep,
    async start() {
      await memory.listen();
      await memory.beat();
      for (const loop of loops) loop.start();
    },
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()));
      await flush().catch((error: unknown) => log.warn({ err: error }, 'what rules counted last was not written'));
    },
  };
}
