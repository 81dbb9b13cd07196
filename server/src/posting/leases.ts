/**
 * Which endpoints this node posts to. Leases are renewed well within their time; a node that could not renew in time posts
 * nothing until it holds them again. A node takes whatever is free, because a dead one counts for live for a while and must leave
 * nothing unserved; who has less than its part and finds nothing free asks, and the others give back what they hold beyond theirs.
 */
import { type Endpoint, listEndpointsById } from '../callbacks/index.ts';
import type { Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import { countWorkers } from '../platform/nodes.ts';
import type { Keyring } from '../platform/seal.ts';
import {
  askForLeases,
  clearLeases,
  countEnabled,
  type Held,
  leaseSeconds,
  leasesAsked,
  releaseLeases,
  renewLeases,
  takeLeases,
} from './lease-store.ts';

const renewEveryMs = 2_000;
const askEveryMs = 5_000;
/** How long a node that gave back leaves what is free to those who asked. */
const modestMs = 10_000;
/** More than any node serves. */
const plenty = 100_000;
/** Shorter than the lease by more than a clock or a pause may deceive. */
const trustedMs = (leaseSeconds - 3) * 1_000;

interface LeasePorts {
  db: Db;
  log: Log;
  keyring: Keyring;
  holder: string;
  /** An endpoint came, or changed. */
  open(endpoint: Endpoint): void;
  /** Resolves when nothing of it is under way any more. */
  close(id: string): Promise<void>;
}

export interface Leases {
  /** Renews and takes leases when it is time. */
  keep(): Promise<void>;
  /** Whether what was held at the last renewal surely still is. */
  trusted(): boolean;
  /** The next `keep` looks whatever the time. */
  recheck(): void;
  /** Hears when another node asks for its part. */
  listen(): Promise<void>;
  release(): Promise<void>;
}

export function createLeases({ db, log, keyring, holder, open, close }: LeasePorts): Leases {
  /** Version by id. */
  const held = new Map<string, number>();
  /** Being given back: what is under way finishes first. */
  const leaving = new Set<string>();
  let renewedAtMs = Number.NEGATIVE_INFINITY;
  let wanted = true;
  let asked = false;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let modestUntilMs = Number.NEGATIVE_INFINITY;

  async function apply(found: readonly Held[]): Promise<void> {
    const ids = new Set(found.map(({ id }) => id));
    for (const id of held.keys()) {
      if (ids.has(id)) continue;
      held.delete(id);
      void close(id);
    }
    const changed = found.filter(({ id, version }) => held.get(id) !== version && !leaving.has(id));
    if (changed.length === 0) return;
    for (const endpoint of await listEndpointsById(
      db,
      keyring,
      changed.map(({ id }) => id),
    )) {
      held.set(endpoint.id, endpoint.version);
      open(endpoint);
    }
  }

  /** This node's part of all there is. */
  async function share(): Promise<number> {
    return Math.ceil((await countEnabled(db)) / Math.max(1, await countWorkers(db)));
  }

  async function balance(part: number, nowMs: number): Promise<void> {
    if (asked && held.size > part) {
      giveBack(held.size - part);
      modestUntilMs = nowMs + modestMs;
    } else if (held.size < part && nowMs - askedAtMs >= askEveryMs) {
      askedAtMs = nowMs;
      await askForLeases(db);
    }
    asked = false;
  }

  function giveBack(over: number): void {
    for (const id of [...held.keys()].slice(0, over)) {
      held.delete(id);
      leaving.add(id);
      close(id)
        .then(() => releaseLeases(db, holder, [id]))
        // Not given back, it lapses.
        .catch((error: unknown) => log.warn({ err: error }, 'the lease of a callback endpoint was not given back yet'))
        .finally(() => leaving.delete(id));
    }
  }

  return {
    async keep() {
      const nowMs = performance.now();
      if (!wanted && nowMs - renewedAtMs < renewEveryMs) return;
      wanted = false;
      if (db.kind === 'pglite' && renewedAtMs < 0) await clearLeases(db);
      const mine = await renewLeases(db, holder);
      const part = await share();
      const most = nowMs < modestUntilMs ? part - mine.length : plenty;
      const more = most > 0 ? await takeLeases(db, holder, most) : [];
      await apply([...mine, ...more]);
      await balance(part, nowMs);
      renewedAtMs = nowMs;
    },
    trusted: () => performance.now() - renewedAtMs < trustedMs,
    recheck() {
      wanted = true;
    },
    listen: () =>
      db.listen(leasesAsked, () => {
        asked = true;
        wanted = true;
      }),
    async release() {
      const ids = [...held.keys()];
      held.clear();
      if (ids.length > 0) await releaseLeases(db, holder, ids);
    },
  };
}
