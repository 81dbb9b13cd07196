/**
 * One provider as this process runs it: its gate and, where it is enabled and could be opened, its upstream. A change of the row is
 * taken over without losing hand-overs under way; an upstream that is replaced closes after the last of them.
 */
import type { Adapter } from '../channels/index.ts';
import { createGate, type Gate, type GateTerms } from './gate.ts';
import { createHandle, type Handle } from './handle.ts';
import { type OpeningPorts, openUpstream, unsealToken } from './open-upstream.ts';
import type { Provider } from './records.ts';

const retryAfterMs = 30_000;

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

export interface LiveProvider extends Live {
  /** Takes over the row as it is now; what has to be opened is at it when this returns. */
  update(row: Provider): void;
  /** Opens again what could not be opened a while ago. */
  retry(): void;
  /** For good; waits for hand-overs under way unless `atOnce`. */
  end(atOnce: boolean): Promise<void>;
  /** Resolves when nothing is being opened any more. */
  settled(): Promise<void>;
}

export interface LivePorts extends OpeningPorts {
  liveNodes: () => number;
  /** Its health is to be told; at once when urgent. */
  touch(id: string, urgent: boolean): void;
}

interface State {
  row: Provider;
  handle: Handle | null;
  /** The row the handle was opened for. */
  openedFor: Provider | null;
  fault: string | null;
  token: string | null;
  triedAtMs: number;
  ended: boolean;
  /** Openings follow each other. */
  opening: Promise<void>;
  /** Replaced, with hand-overs still under way. */
  retiring: Set<Handle>;
}

/** Begins to open it at once where it is enabled. */
export function createLive(first: Provider, ports: LivePorts): LiveProvider {
  const adapter = ports.registry.find(first.adapter);
  const gate = gateFor(first, adapter, ports);
  const state: State = {
    row: first,
    handle: null,
    openedFor: null,
    fault: first.enabled ? 'being opened' : 'disabled',
    token: tokenOf(first, ports),
    triedAtMs: 0,
    ended: false,
    opening: Promise.resolve(),
    retiring: new Set(),
  };
  bring(state, ports);
  return {
    adapter,
    gate,
    get row() {
      return state.row;
    },
    get handle() {
      return state.handle;
    },
    get fault() {
      return state.fault;
    },
    get token() {
      return state.token;
    },
    update: (row) => update(state, gate, adapter, row, ports),
    retry() {
      if (!state.handle && ports.clock.now() >= state.triedAtMs + retryAfterMs) bring(state, ports);
    },
    async end(atOnce) {
      state.ended = true;
      retire(state);
      await Promise.all([...state.retiring].map((handle) => (atOnce ? handle.close() : handle.retire())));
      await state.opening;
    },
    settled: () => state.opening,
  };
}

function gateFor(row: Provider, adapter: Adapter | null, { clock, log, liveNodes, touch }: LivePorts): Gate {
  const onCall = (changed: boolean): void => {
    touch(row.id, changed);
    if (!changed) return;
    const { circuit, reason } = gate.view();
    if (circuit === 'open') log.error({ provider: row.id, reason }, 'the circuit of a provider is open');
  };
  const gate: Gate = createGate(termsOf(row, adapter), { clock, liveNodes, onCall });
  return gate;
}

function tokenOf(row: Provider, { keyring }: LivePorts): string | null {
  try {
    return unsealToken(keyring, row);
  } catch {
    return null;
  }
}

function update(state: State, gate: Gate, adapter: Adapter | null, row: Provider, ports: LivePorts): void {
  const before = state.row;
  if (before.version === row.version) return;
  state.row = row;
  state.token = tokenOf(row, ports);
  gate.change(termsOf(row, adapter));
  // What failed under other settings says nothing about these.
  const isRepaired = differs(before, row) || !before.enabled;
  if (isRepaired || before.circuitResetAt?.getTime() !== row.circuitResetAt?.getTime()) gate.reset();
  if (row.enabled) bring(state, ports);
  else {
    retire(state);
    state.fault = 'disabled';
  }
  ports.touch(row.id, true);
}

function bring(state: State, ports: LivePorts): void {
  state.triedAtMs = ports.clock.now();
  state.opening = state.opening.then(() => open(state, ports));
}

/** Opens what the row says now, unless that is open already. */
async function open(state: State, ports: LivePorts): Promise<void> {
  const { row, openedFor, ended } = state;
  if (ended || !row.enabled || (openedFor && !differs(openedFor, row))) return;
  const opened = await openUpstream(row, ports);
  const isWanted = !state.ended && state.row.enabled && !differs(row, state.row);
  if ('upstream' in opened) {
    const handle = createHandle(opened.upstream, ports.log);
    if (!isWanted) return handle.retire();
    retire(state);
    state.handle = handle;
    state.openedFor = row;
    state.fault = null;
  } else if (isWanted) {
    retire(state);
    state.fault = opened.fault;
    ports.log.error({ provider: row.id, fault: opened.fault }, 'a provider is not open');
  }
  ports.touch(row.id, true);
}

/** Takes the upstream away; it closes when the last hand-over through it has ended. */
function retire(state: State): void {
  const old = state.handle;
  state.handle = null;
  state.openedFor = null;
  if (!old) return;
  state.retiring.add(old);
  void old.retire().then(() => state.retiring.delete(old));
}

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
