/** From an ask to lines, and from a line's id to everything one hand-over needs; from memory, without a promise. */
import type { Channel, SendOutcome } from '../channels/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Ask, Candidates, Line } from './door.ts';
import type { Pass } from './gate.ts';
import type { Handle } from './handle.ts';
import type { Live } from './live.ts';
import type { Memory } from './memory.ts';
import { type Picked, type ProviderState, pick, reasonAgainst, routesFor, whyOf } from './pick.ts';
import type { Entry, Route } from './records.ts';

interface LinesPorts {
  memory: Memory;
  clock: Clock;
}

/** What picking knows of a provider; null for one this node has not read yet. */
function stateOf({ roster }: Memory, id: string): ProviderState | null {
  const live = roster.find(id);
  if (!live) return null;
  const { row, adapter, gate, handle } = live;
  return {
    channels: adapter?.channels ?? [],
    enabled: row.enabled,
    drainedUntilMs: row.drainedUntil?.getTime() ?? null,
    quietHours: row.quietHours,
    up: handle !== null && gate.lets(),
  };
}

export function pickFor({ memory, clock }: LinesPorts, ask: Ask): Picked {
  return pick(memory.routes(), ask, (id) => stateOf(memory, id), clock.now());
}

export function reasonOf({ picks }: Picked): Candidates['reason'] {
  if (picks.some(({ up }) => up)) return null;
  return picks.length > 0 ? 'circuit_open' : 'no_route';
}

export function candidates(ports: LinesPorts, ask: Ask): Candidates {
  const picked = pickFor(ports, ask);
  const reason = reasonOf(picked);
  return { lines: reason === null ? picked.picks.map(({ entry }) => entry.id) : [], reason };
}

/** Drain, quiet hours and circuits pass; they do not take a channel away. */
export function serves({ memory }: LinesPorts, applicationId: string, channel: Channel): boolean {
  return routesFor(memory.routes(), applicationId, channel).some(({ entries }) =>
    entries.some((entry) => {
      const state = stateOf(memory, entry.provider);
      return state !== null && entry.enabled && state.enabled && state.channels.includes(channel);
    }),
  );
}

export function line(
  { memory, clock }: LinesPorts,
  id: string,
  content: { from?: string; segments?: number },
): Line | null {
  const found = memory.entry(id);
  const live = found && memory.roster.find(found.entry.provider);
  if (!found?.route.enabled || !live?.handle || !live.adapter) return null;
  const { route, entry } = found;
  const against = reasonAgainst(entry, route.channel, stateOf(memory, entry.provider), clock.now());
  if (against !== null && against !== 'drained' && against !== 'quiet_hours') return null;
  return createLine(route, entry, live, live.handle, content);
}

function createLine(
  route: Route,
  entry: Entry,
  live: Live,
  first: Handle,
  { from, segments = 1 }: { from?: string; segments?: number },
): Line {
  // Where the upstream was replaced since, admission is to the new one.
  let handle = first;
  let pass: Pass | null = null;
  return {
    id: entry.id,
    provider: entry.provider,
    get upstream() {
      return handle.upstream;
    },
    idempotent: live.adapter?.limits.idempotent ?? false,
    ...senderOf(entry, from),
    costMicros: entry.priceMicros * segments,
    why: whyOf(route, entry),
    admit() {
      if (!live.handle) return Infinity;
      const entered = live.gate.enter();
      if (typeof entered === 'number') return entered;
      handle = live.handle;
      handle.enter();
      pass = entered;
      return 0;
    },
    done(outcome: SendOutcome) {
      if (!pass) return;
      pass.done(outcome);
      pass = null;
      handle.leave();
    },
  };
}

/** The sender asked for where the entry allows it, else the entry's own. */
function senderOf(
  { sender, senders }: Pick<Entry, 'sender' | 'senders'>,
  asked: string | undefined,
): { sender: string | undefined; senderReplaced: boolean } {
  const own = sender ?? undefined;
  if (asked === undefined || asked === own) return { sender: own, senderReplaced: false };
  const allowed = senders === 'any' || (senders !== 'own' && senders.includes(asked));
  return allowed ? { sender: asked, senderReplaced: false } : { sender: own, senderReplaced: true };
}
