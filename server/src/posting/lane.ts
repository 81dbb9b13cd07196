/**
 * One endpoint's events in the memory of the node that holds its lease: who may be posted now. The events of one message go one
 * after the other, the next when the one before is accepted or given up; different messages go side by side. No clock and no
 * network of its own.
 */
import type { Endpoint } from '../callbacks/index.ts';
import type { Verdict } from './judge.ts';
import { createPace } from './pace.ts';
import type { QueuedRow } from './queue-store.ts';

/** How long a batch that is not full waits for company. */
const gatherMs = 1_000;

/** What goes into one post, in the order of the ledger. */
export interface Unit {
  rows: QueuedRow[];
}

interface Chain {
  waiting: QueuedRow[];
  busy: boolean;
}

/** Events of no message have no order among them. */
const chainOf = ({ messageId, position }: QueuedRow): string => (messageId === '0' ? `0:${position}` : messageId);

export class Lane {
  endpoint: Endpoint;
  readonly #pace = createPace();
  /** Position → when it came in. */
  readonly #held = new Map<string, number>();
  readonly #chains = new Map<string, Chain>();
  /** Chains with something to post and nothing under way, in the order they became so. */
  readonly #ready = new Set<string>();
  #settledSinceLook = new Set<string>();
  #closed = false;

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint;
  }

  /** Rows it would take in beyond those it holds: enough to go on with while the next look is under way. */
  room(): number {
    const { endpoint } = this;
    const window = Math.max(16, 4 * this.#pace.allowed(endpoint)) * Math.min(endpoint.batchRows, 25);
    return this.#closed ? 0 : Math.max(0, window - this.#held.size);
  }

  /** Positions of the rows it holds. */
  held(): Iterable<string> {
    return this.#held.keys();
  }

  /** Posts under way. */
  active(): number {
    return this.#pace.active();
  }

  /** Begins nothing more; what waits is left to the database. */
  close(): void {
    this.#closed = true;
    for (const chain of this.#chains.values()) this.#forget(chain);
    this.#ready.clear();
  }

  isClosed(): boolean {
    return this.#closed;
  }

  reopen(endpoint: Endpoint): void {
    this.endpoint = endpoint;
    this.#closed = false;
  }

  /** A look into the database begins: what is settled from now on must not come in by what it sees. */
  beginLook(): void {
    this.#settledSinceLook = new Set();
  }

  /** Takes rows in; returns how many, and those that wait for an earlier event of their message that is not held here. */
  offer(rows: readonly QueuedRow[], nowMs: number): { taken: number; blocked: QueuedRow[] } {
    const blocked: QueuedRow[] = [];
    const before = this.#held.size;
    for (const row of rows) {
      const key = chainOf(row);
      if (this.#closed || this.#held.has(row.position) || this.#settledSinceLook.has(key)) continue;
      const chain = this.#chains.get(key);
      // Beside a chain held here the earlier event decides soon by itself what becomes of a blocked one.
      if (!row.blocked) this.#takeIn(row, key, chain, nowMs);
      else if (!chain) blocked.push(row);
    }
    return { taken: this.#held.size - before, blocked };
  }

  #takeIn(row: QueuedRow, key: string, chain: Chain | undefined, nowMs: number): void {
    this.#held.set(row.position, nowMs);
    if (chain) chain.waiting.push(row);
    else this.#chains.set(key, { waiting: [row], busy: false });
    if (!chain?.busy) this.#ready.add(key);
  }

  /** The next post that may begin now; null when none may. `hurry`: without waiting for a batch to fill. */
  take(nowMs: number, hurry: boolean): Unit | null {
    if (this.#closed || !this.#pace.mayBegin(this.endpoint, nowMs)) return null;
    const rows = this.#nextRows(nowMs, hurry);
    if (!rows) return null;
    for (const row of rows) {
      const key = chainOf(row);
      const chain = this.#chains.get(key);
      chain?.waiting.shift();
      if (chain) chain.busy = true;
      this.#ready.delete(key);
    }
    this.#pace.began(this.endpoint, nowMs);
    return { rows };
  }

  #nextRows(nowMs: number, hurry: boolean): QueuedRow[] | null {
    const [key] = this.#ready;
    const row = key === undefined ? undefined : this.#chains.get(key)?.waiting[0];
    if (!row) return null;
    return this.#standsAlone(row) ? [row] : this.#gather(nowMs, hurry);
  }

  /** Posted as it stands: where there are no batches, a body made before, a row asked for again. */
  #standsAlone(row: QueuedRow): boolean {
    return this.endpoint.batchRows === 1 || row.body !== null || row.replayed;
  }

  /** The first rows of ready chains up to a batch; null while it is worth waiting for more. */
  #gather(nowMs: number, hurry: boolean): QueuedRow[] | null {
    const most = this.endpoint.batchRows;
    const rows: QueuedRow[] = [];
    let oldestMs = nowMs;
    for (const key of this.#ready) {
      for (const row of this.#chains.get(key)?.waiting ?? []) {
        if (this.#standsAlone(row) || rows.length === most) break;
        rows.push(row);
        oldestMs = Math.min(oldestMs, this.#held.get(row.position) ?? nowMs);
      }
    }
    return hurry || rows.length === most || nowMs - oldestMs >= gatherMs ? rows : null;
  }

  /** The post is over; another may begin. Null: it ended without an answer of the endpoint. */
  ended(verdict: Verdict | null, nowMs: number): void {
    this.#pace.ended(this.endpoint, verdict, nowMs);
  }

  /** Its outcome is written down, or it is left to the database: what follows in its messages may go, or was put off with it. */
  settled({ rows }: Unit, followersPutOff: boolean): void {
    for (const row of rows) {
      const key = chainOf(row);
      this.#held.delete(row.position);
      this.#settledSinceLook.add(key);
      const chain = this.#chains.get(key);
      if (!chain) continue;
      chain.busy = false;
      if (followersPutOff || this.#closed) this.#forget(chain);
      if (chain.waiting.length > 0) this.#ready.add(key);
      else this.#chains.delete(key);
    }
  }

  /** What is not under way leaves memory. */
  #forget(chain: Chain): void {
    for (const { position } of chain.waiting) this.#held.delete(position);
    chain.waiting = [];
  }
}
