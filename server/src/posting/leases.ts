/**
 * Which endpoints this node posts to. Leases are renewed well within their time; a node that could not renew in time posts
 * nothing until it holds them again. Nodes share: each takes its part of all enabled endpoints, and gives back what is over.
 */
import { type Endpoint, listEndpointsById } from '../callbacks/index.ts';
import type { Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import { countWorkers } from '../platform/nodes.ts';
import type { Keyring } from '../platform/seal.ts';
import {
  clearLeases,
  countEnabled,
  type Held,
  leaseSeconds,
  releaseLeases,
  renewLeases,
  takeLeases,
} from './lease-store.ts';

const renewEveryMs = 2_000;
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
  release(): Promise<void>;
}

export function createLeases({ db, log, keyring, holder, open, close }: LeasePorts): Leases {
  /** Version by id. */
  const held = new Map<string, number>();
  /** Being given back: what is under way finishes first. */
  const leaving = new Set<string>();
  let renewedAtMs = Number.NEGATIVE_INFINITY;
  let wanted = true;

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

  /** This node's part, and not more than is there. */
  async function share(): Promise<number> {
    return Math.ceil((await countEnabled(db)) / Math.max(1, await countWorkers(db)));
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
      const more = mine.length < part ? await takeLeases(db, holder, part - mine.length) : [];
      await apply([...mine, ...more]);
      // One more than the part is no reason to move: shares change with every endpoint.
      if (held.size > part + 1) giveBack(held.size - part);
      renewedAtMs = nowMs;
    },
    trusted: () => performance.now() - renewedAtMs < trustedMs,
    recheck() {
      wanted = true;
    },
    async release() {
      const ids = [...held.keys()];
      held.clear();
      if (ids.length > 0) await releaseLeases(db, holder, ids);
    },
  };
}
