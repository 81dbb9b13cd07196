/**
 * Posts what is queued: takes leases on endpoints, looks for what is due, has it posted. Every node may run one; an endpoint is
 * served by one of them at a time. While the database is away it backs off and goes on by itself.
 */
import { randomUUID } from 'node:crypto';
import type { Endpoint } from '../callbacks/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import type { Outbound } from '../platform/outbound.ts';
import type { Keyring } from '../platform/seal.ts';
import type { Sql } from '../platform/sql.ts';
import { createHealth } from './health.ts';
import { Lane, type Unit } from './lane.ts';
import { createLeases } from './leases.ts';
import { createPoster, type PostWatch } from './poster.ts';
import { listDue, putOff } from './queue-store.ts';

/** While something happens, and while nothing does. */
const busyPauseMs = 5;
const idlePauseMs = 100;
const maxBackOffMs = 5_000;
/** How long posts under way may go on once the node stops. */
const drainMs = 8_000;

export interface DispatcherOptions {
  db: Db;
  clock: Clock;
  log: Log;
  keyring: Keyring;
  outbound: Outbound;
  /** What the ledger does not hold of messages, as a relation. */
  facts: () => Sql;
  /** In [0, 1), to spread retries. */
  chance?: (() => number) | undefined;
  watch?: PostWatch | undefined;
}

export interface Dispatcher {
  start(): Promise<void>;
  /** Lets posts under way finish for a while, writes down what came of them, gives the leases back. */
  stop(): Promise<void>;
  /** Looks at the endpoints anew at once: one was made, changed or removed. */
  changed(): void;
  /** Posts everything that is due at this moment; resolves with how many posts were made. */
  runUntilIdle(): Promise<number>;
}

export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const cut = new AbortController();
  const lanes = createLanes(options, cut.signal);
  const { log } = options;
  const leases = createLeases({ ...options, holder: randomUUID(), open: lanes.open, close: lanes.close });
  lanes.onDisabled(() => leases.recheck());
  let started = false;
  let turning: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let backOffMs = 0;

  /** Looks for what is due and begins to post it; resolves with how many rows it had to do with. */
  async function look(hurry: boolean): Promise<number> {
    await leases.keep();
    const found = leases.trusted() ? await lanes.look() : 0;
    lanes.pump(hurry);
    return found;
  }

  async function turn(): Promise<void> {
    let pauseMs = idlePauseMs;
    try {
      const found = await look(false);
      if (found > 0 || lanes.busy()) pauseMs = busyPauseMs;
      backOffMs = 0;
    } catch (error) {
      backOffMs = Math.min(maxBackOffMs, Math.max(250, backOffMs * 2));
      pauseMs = backOffMs;
      log.warn({ err: error }, 'cannot look for due callbacks, trying again');
    }
    turning = null;
    if (started) timer = setTimeout(begin, pauseMs);
  }

  function begin(): void {
    if (started && turning === null) turning = turn();
  }

  return {
    async start() {
      started = true;
      begin();
      await leases.listen();
    },
    async stop() {
      started = false;
      clearTimeout(timer);
      await turning;
      const cutting = setTimeout(() => cut.abort(), drainMs);
      await lanes.drain();
      clearTimeout(cutting);
      cut.abort();
      await leases.release().catch((error: unknown) => {
        log.warn({ err: error }, 'the leases of callback endpoints were not given back; they lapse by themselves');
      });
    },
    changed() {
      leases.recheck();
      if (!started) return;
      clearTimeout(timer);
      begin();
    },
    async runUntilIdle() {
      const before = lanes.posts();
      leases.recheck();
      for (let found = 1; found > 0; ) {
        found = await look(true);
        await lanes.whenIdle();
      }
      return lanes.posts() - before;
    },
  };
}

/** The lanes of this node, and the posts they have under way. */
function createLanes(options: DispatcherOptions, signal: AbortSignal) {
  const { db, log, clock, facts } = options;
  const lanes = new Map<string, Lane>();
  const running = new Map<Promise<void>, Lane>();
  const poster = createPoster({ ...options, chance: options.chance ?? Math.random, signal });
  let disabled = (): void => undefined;
  const health = createHealth({ db, clock, log, disabled: () => disabled() });
  let posts = 0;
  let hurrying = false;

  function pumpOne(lane: Lane): void {
    for (;;) {
      const unit = signal.aborted ? null : lane.take(clock.now(), hurrying);
      if (!unit) return;
      const task: Promise<void> = run(lane, unit).then(() => {
        running.delete(task);
        pumpOne(lane);
      });
      running.set(task, lane);
    }
  }

  /** Never rejects: what fails is logged, and its rows come again by the next look. */
  async function run(lane: Lane, unit: Unit): Promise<void> {
    const { endpoint } = lane;
    let ended = false;
    try {
      const verdict = await poster.handle(endpoint, unit.rows, (outcome) => {
        ended = true;
        lane.ended(outcome, clock.now());
      });
      lane.settled(unit, verdict === null || verdict.outcome === 'retry');
      if (!verdict) return;
      posts++;
      await health.note(endpoint, verdict);
    } catch (error) {
      log.error({ err: error, endpoint: endpoint.id }, 'a callback could not be handled, it will be tried again');
      if (!ended) lane.ended(null, clock.now());
      lane.settled(unit, true);
    }
  }

  async function whenIdle(of?: Lane): Promise<void> {
    const tasks = (): Promise<void>[] => [...running].flatMap(([task, lane]) => (!of || lane === of ? [task] : []));
    while (tasks().length > 0) await Promise.all(tasks());
  }

  return {
    onDisabled(call: () => void): void {
      disabled = call;
    },
    open(endpoint: Endpoint): void {
      const lane = lanes.get(endpoint.id);
      if (lane) lane.reopen(endpoint);
      else lanes.set(endpoint.id, new Lane(endpoint));
    },
    /** Resolves when nothing of it is under way any more. */
    async close(id: string): Promise<void> {
      const lane = lanes.get(id);
      if (!lane) return;
      lane.close();
      await whenIdle(lane);
      if (lane.isClosed()) lanes.delete(id);
    },
    async look(): Promise<number> {
      const wanting = [...lanes.values()].filter((lane) => lane.room() > 0);
      if (wanting.length === 0) return 0;
      for (const lane of wanting) lane.beginLook();
      const wants = wanting.map((lane) => ({ endpointId: lane.endpoint.id, rows: lane.room() }));
      const rows = await listDue(
        db,
        facts(),
        wants,
        wanting.flatMap((lane) => [...lane.held()]),
      );
      const byLane = Map.groupBy(rows, ({ endpointId }) => endpointId);
      const offered = wanting.map((lane) => lane.offer(byLane.get(lane.endpoint.id) ?? [], clock.now()));
      const blocked = offered.flatMap((one) => one.blocked);
      if (blocked.length > 0) await putOff(db, blocked);
      return offered.reduce((sum, { taken }) => sum + taken, blocked.length);
    },
    pump(hurry: boolean): void {
      hurrying = hurry;
      for (const lane of lanes.values()) pumpOne(lane);
    },
    busy: () => running.size > 0,
    posts: () => posts,
    whenIdle,
    async drain(): Promise<void> {
      for (const lane of lanes.values()) lane.close();
      await whenIdle();
    },
  };
}
