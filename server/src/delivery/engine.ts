/**
 * The delivery engine of one process: hands over what it accepted itself at once, looks after what is due, takes receipts.
 * Everything it knows is in the database; what it holds in memory may be lost at any moment and is taken over by another node
 * when its lease lapses.
 */
import { type Content, type Receipt, unknown } from '../channels/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import type { Keyring } from '../platform/seal.ts';
import { type Clear, unsealContent } from './content.ts';
import { createLanes } from './lanes.ts';
import type { Line, LineOf } from './line.ts';
import { createLoop } from './loop.ts';
import type { Happening, Next } from './next.ts';
import { leaseMs, type Prepared } from './prepare.ts';
import { createFindTries } from './receipt-tries.ts';
import { createRun, type Run } from './run.ts';
import { type Active, type State, stepAt } from './state.ts';
import { type CallRecord, type Claimed, type Loaded, notifyWorkers } from './store.ts';
import type { Write } from './write.ts';

/** An attempt that waited longer for a lane is given back: its lease of 15 s would not outlast the call. */
const maxWaitMs = 4_000;
/** Attempts that may wait for a lane, per lane; beyond it new messages are left to the loops of all nodes. */
const maxWaitingPerLane = 5;

interface EnginePorts {
  db: Db;
  keyring: Keyring;
  clock: Clock;
  log: Log;
  worker: boolean;
  lineOf: LineOf;
  write: Write;
  attemptTimeoutMs: number;
  concurrency: number;
  watch?: DeliveryWatch | undefined;
}

/** Told what happens here; must not throw. */
export interface DeliveryWatch {
  /** A provider was called, with what outcome; also one whose node was lost at it. */
  attempted(call: CallRecord): void;
  /** A receipt was taken. */
  received(provider: string, outcome: Receipt['outcome']['kind']): void;
}

interface Engine {
  /** Whether the next accepted message may be leased to this process. */
  takesMore(): boolean;
  accepted(prepared: Prepared): void;
  receive(provider: string, receipt: Receipt): Promise<boolean>;
  wake(): void;
  start(): Promise<void>;
  stop(drainMs: number): Promise<void>;
  runUntilIdle(): Promise<void>;
  /** Attempts of this process. */
  underWay(): { running: number; waiting: number };
}

export function createEngine(ports: EnginePorts): Engine {
  const { db, clock, log, worker, lineOf, write, concurrency } = ports;
  let stopping = false;

  const lanes = createLanes(concurrency, log, () => {
    if (lanes.free() * 2 >= concurrency) loop.roomCame();
  });
  const loop = createLoop({
    db,
    log,
    free: lanes.free,
    handle: (claimed) => lanes.add(() => handle(claimed, ports, run)),
  });
  const run = createRun({
    write,
    clock,
    log,
    lineOf,
    timeoutMs: ports.attemptTimeoutMs,
    onChange: (made) => seen(made),
    onCall: (call) => ports.watch?.attempted(call),
  });
  const findTries = createFindTries(db);

  /** What is due within the second is looked at in time; later times are found by the loop. */
  function seen(result: Next | null): void {
    const dueAtMs = result?.state.dueAtMs ?? null;
    if (dueAtMs === null || result?.state.inFlight) return;
    const inMs = dueAtMs - clock.now();
    if (worker) loop.wake(inMs);
    else if (inMs <= 0) tellWorkers();
  }

  function tellWorkers(): void {
    notifyWorkers(db).catch((error: unknown) => log.warn({ err: error }, 'cannot wake the workers, they will look'));
  }

  async function runAccepted(loaded: Loaded, clear: Clear, sinceMs: number): Promise<void> {
    if (!stopping && clock.now() - sinceMs < maxWaitMs) return run.attempt(loaded, clear);
    await run.insist(() => write.change(loaded, loaded, { kind: 'not_started' }));
  }

  return {
    takesMore: () => worker && !stopping && lanes.waiting() < concurrency * maxWaitingPerLane,
    accepted({ applicationId, messageId, state, dueInMs, clear }) {
      const sinceMs = clock.now();
      if (state.inFlight) lanes.add(() => runAccepted({ applicationId, messageId, version: 1, state }, clear, sinceMs));
      else if (worker && dueInMs !== null) loop.wake(dueInMs);
    },
    async receive(provider, receipt) {
      const found = await findTries(provider, receipt);
      if (!found) return false;
      const { loaded, about, call } = found;
      const { outcome } = receipt;
      const result = await write.change(loaded, loaded, { kind: 'receipt', about, outcome }, call);
      seen(result);
      const isTaken = result !== null && !result.early;
      if (isTaken) ports.watch?.received(provider, outcome.kind);
      return isTaken;
    },
    wake: () => (worker ? loop.wake() : tellWorkers()),
    async start() {
      if (!worker) return;
      loop.start();
      await db.listen('delivery', () => loop.wake());
    },
    async stop(drainMs) {
      stopping = true;
      await loop.stop();
      const timer = setTimeout(run.abort, drainMs);
      await lanes.whenIdle();
      clearTimeout(timer);
    },
    async runUntilIdle() {
      do await lanes.whenIdle();
      while ((await loop.turn()) > 0 || !lanes.isIdle());
    },
    underWay: () => ({ running: concurrency - lanes.free(), waiting: lanes.waiting() }),
  };
}

/** What a claimed delivery is due for: a lapsed lease, its deadline, the end of a wait, or its next attempt. */
function handle(claimed: Claimed, ports: EnginePorts, run: Run): Promise<void> {
  const { write } = ports;
  const happens = (happening: Happening): Promise<void> => run.insist(() => write.change(claimed, claimed, happening));
  if (claimed.wasInFlight) return lapsed(claimed, ports, run);
  if (claimed.pastDeadline) return happens({ kind: 'deadline', newest: false, sentElsewhere: false });
  if (!claimed.state.active) return happens({ kind: 'wait_over' });
  return run.attempt(claimed, clearOf(claimed, ports));
}

const clearOf = (claimed: Claimed, { keyring }: Pick<EnginePorts, 'keyring'>): Clear =>
  claimed.content ? unsealContent(keyring, claimed, claimed.content) : { code: null, contents: [] };

/** The call whose node was lost is written down as unknown, by the provider it was given to. */
function lapsed(claimed: Claimed, ports: EnginePorts, run: Run): Promise<void> {
  const { write, lineOf, watch } = ports;
  const { active, steps } = claimed.state;
  const step = active && steps[active.step];
  const id = step ? (step.lines ?? [null])[active.line ?? 0] : undefined;
  const content = active ? (clearOf(claimed, ports).contents[active.step] ?? {}) : {};
  const line = !step || id === undefined ? null : lineOf(id, content, step);
  const happening: Happening = { kind: 'lapsed', idempotent: line?.idempotent ?? false };
  const call = active && line ? lostCall(claimed.state, active, id ?? null, line, content) : undefined;
  if (call) watch?.attempted(call);
  return run.insist(() => write.change(claimed, claimed, happening, call));
}

function lostCall(
  state: State,
  active: Active,
  id: string | null,
  { provider, why, currency, costMicros }: Line,
  { segments }: Partial<Content>,
): CallRecord {
  return {
    call: { step: active.step, attempt: active.attempt, try: active.try },
    channel: stepAt(state, active.step).channel,
    provider,
    route: id === null ? null : { line: id, why, currency, segments, owed_micros: costMicros },
    outcome: unknown('the node at work was lost'),
    tookMs: leaseMs,
  };
}
