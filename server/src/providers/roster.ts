/**
 * The providers as this process runs them: each with its gate and, where it is enabled and could be opened, its upstream. A change
 * of the row is taken over without losing hand-overs under way; what could not be opened is tried again.
 */
import type { Adapter } from '../channels/index.ts';
import { createGate, type Gate, type GateTerms } from './gate.ts';
import { createHandle, type Handle } from './handle.ts';
import { type OpeningPorts, openUpstream, unsealToken } from './open-upstream.ts';
import type { Provider } from './records.ts';

const retryAfterMs = 30_000;

/** One provider on this node. */
export interface Live {
  readonly row: Provider;
  readonly adapter: Adapter | null;
  readonly gate: Gate;
  readonly handle: Handle | null;
  /** Why there is no handle. */
  readonly fault: string | null;
  /** The unguessable part of its webhook addresses; null when it cannot be unsealed. */
  readonly token: string | null;
}

export interface Roster {
  find(id: string): Live | null;
  list(): Iterable<Live>;
  /** Takes over the rows as they are now; what has to be opened is at it when this returns. */
  apply(rows: readonly Provider[]): void;
  /** Opens again what could not be opened a while ago. */
  retry(): void;
  /** Resolves when nothing is being opened any more. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export interface RosterPorts extends OpeningPorts {
  liveNodes: () => number;
  /** Its health is to be told; at once when urgent. */
  touch(id: string, urgent: boolean): void;
}

interface Keeping extends Live {
  row: Provider;
  handle: Handle | null;
  /** The row its handle was opened for. */
  openedFor: Provider | null;
  fault: string | null;
  triedAtMs: number;
  /** Openings of one provider follow each other. */
  work: Promise<void>;
}

export function createRoster(ports: RosterPorts): Roster {
  const { registry, clock, log, keyring } = ports;
  const lives = new Map<string, Keeping>();
  const retiring = new Set<Promise<void>>();
  let closed = false;

  function add(row: Provider): Keeping {
    const adapter = registry.find(row.adapter);
    const onCall = (changed: boolean): void => {
      ports.touch(row.id, changed);
      const { circuit, reason } = gate.view();
      if (changed && circuit === 'open') log.error({ provider: row.id, reason }, 'the circuit of a provider is open');
    };
    const gate: Gate = createGate(termsOf(row, adapter), { clock, liveNodes: ports.liveNodes, onCall });
    const token = tokenOf(row);
    const fault = row.enabled ? 'being opened' : 'disabled';
    const closedYet = { handle: null, openedFor: null, triedAtMs: 0, work: Promise.resolve() };
    const live: Keeping = { row, adapter, gate, fault, token, ...closedYet };
    lives.set(row.id, live);
    return live;
  }

  function tokenOf(row: Provider): string | null {
    try {
      return unsealToken(keyring, row);
    } catch {
      return null;
    }
  }

  /** Takes the upstream away; it closes when the last hand-over through it has ended. */
  function retire(live: Keeping): void {
    const old = live.handle;
    live.handle = null;
    live.openedFor = null;
    if (!old) return;
    const gone = old.retire().finally(() => retiring.delete(gone));
    retiring.add(gone);
  }

  function bring(live: Keeping): void {
    live.triedAtMs = clock.now();
    live.work = live.work.then(() => open(live));
  }

  /** Opens what the row says now, unless that is open already. */
  async function open(live: Keeping): Promise<void> {
    const { row } = live;
    if (closed || !isHere(live) || !row.enabled || (live.openedFor && !differs(live.openedFor, row))) return;
    const opened = await openUpstream(row, ports);
    const isWanted = !closed && isHere(live) && live.row.enabled && !differs(row, live.row);
    if ('upstream' in opened) {
      const handle = createHandle(opened.upstream, log);
      if (!isWanted) return handle.retire();
      retire(live);
      live.handle = handle;
      live.openedFor = row;
      live.fault = null;
    } else if (isWanted) {
      retire(live);
      live.fault = opened.fault;
      log.error({ provider: row.id, fault: opened.fault }, 'a provider is not open');
    }
    ports.touch(row.id, true);
  }

  const isHere = (live: Keeping): boolean => lives.get(live.row.id) === live;

  function update(live: Keeping, row: Provider): void {
    const before = live.row;
    if (before.version === row.version) return;
    live.row = row;
    live.gate.change(termsOf(row, live.adapter));
    const isRepaired = differs(before, row) || !before.enabled;
    if (isRepaired || before.circuitResetAt?.getTime() !== row.circuitResetAt?.getTime()) live.gate.reset();
    if (row.enabled) bring(live);
    else {
      retire(live);
      live.fault = 'disabled';
    }
    ports.touch(row.id, true);
  }

  return {
    find: (id) => lives.get(id) ?? null,
    list: () => lives.values(),
    apply(rows) {
      if (closed) return;
      for (const row of rows) {
        const live = lives.get(row.id);
        if (live && isSame(live.row, row)) update(live, row);
        else {
          if (live) retire(live);
          bring(add(row));
          ports.touch(row.id, true);
        }
      }
      const ids = new Set(rows.map(({ id }) => id));
      for (const [id, live] of lives) {
        if (ids.has(id)) continue;
        lives.delete(id);
        retire(live);
      }
    },
    retry() {
      for (const live of lives.values())
        if (!closed && live.row.enabled && !live.handle && clock.now() >= live.triedAtMs + retryAfterMs) bring(live);
    },
    async settled() {
      await Promise.all([...lives.values()].map(({ work }) => work));
    },
    async close() {
      closed = true;
      const handles = [...lives.values()].flatMap(({ handle }) => (handle ? [handle] : []));
      await Promise.all(handles.map((handle) => handle.close()));
      await Promise.all([...lives.values()].map(({ work }) => work));
      await Promise.all(retiring);
    },
  };
}

/** Not one that was deleted and made again under its old name. */
const isSame = (before: Provider, row: Provider): boolean =>
  before.adapter === row.adapter && before.createdAt.getTime() === row.createdAt.getTime();

/** Whether the upstream has to be opened anew. */
const differs = (before: Provider, row: Provider): boolean =>
  !before.settings.equals(row.settings) || !before.hookToken.equals(row.hookToken);

function termsOf(row: Provider, adapter: Adapter | null): GateTerms {
  return {
    enabled: row.enabled,
    drainedUntilMs: row.drainedUntil?.getTime() ?? null,
    quietHours: row.quietHours,
    circuit: row.circuit,
    concurrency: Math.min(row.concurrency, adapter?.limits.maxConcurrency ?? row.concurrency),
    ratePerSecond: row.ratePerSecond,
  };
}
