/**
 * Rule sets and blocks in this process, kept equal to the database: read again when a notification or the beat of a second says that
 * something changed. A write of this process is known to it before its answer goes out.
 */
import { defaultRuleSet, type RuleSet, readRuleSet } from '../fraud-rules/index.ts';
import type { Db } from '../platform/db.ts';
import { timeOfId } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import { listOpenBlocks, type NewBlock } from './block-store.ts';
import { type Beat, changesChannel, listRuleSets, readBeat, type StoredRuleSet } from './store.ts';

export interface KnownBlock extends Pick<NewBlock, 'source' | 'channels'> {
  because: string;
  /** Infinity: until lifted. */
  untilMs: number;
}

export interface KnownSet {
  set: RuleSet;
  /** Until then everything is in shadow. */
  shadowUntilMs: number;
}

export interface Memory {
  ruleSet(applicationId: string): KnownSet;
  blocksOf(applicationId: string, kind: NewBlock['kind'], subject: string): readonly KnownBlock[];
  /** Holds on this node at once; the database has the last word. */
  hold(block: NewBlock, nowMs: number): void;
  /** Milliseconds since 1970 by the database; null before it was asked. */
  nowMs(): number | null;
  /** The shipped rules as they hold for an application. */
  shipped(applicationId: string): RuleSet;
  listen(): Promise<void>;
  /** Asks the database for the time, and for what changed if something did. */
  beat(): Promise<Beat>;
  /** Runs a write and knows what it changed, also when its outcome is unknown. */
  afterWrite<T>(write: () => Promise<T>): Promise<T>;
}

const keyOf = (applicationId: string, kind: string, subject: string): string => `${applicationId} ${kind} ${subject}`;

export function createMemory({ db, log }: { db: Db; log: Log }): Memory {
  const sets = new Map<string, KnownSet>();
  const shippedSets = new Map<string, KnownSet>();
  let blocks = new Map<string, KnownBlock[]>();
  let changes = '';
  let installedAtMs = 0;
  /** The database's time minus this process's steady counter. */
  let offsetMs: number | null = null;
  let reading: Promise<unknown> = Promise.resolve();

  async function readBlocks(): Promise<void> {
    const found = new Map<string, KnownBlock[]>();
    for (const { applicationId, kind, subject, source, channels, reasons, until } of await listOpenBlocks(db)) {
      const known = {
        source,
        channels,
        because: reasons.because,
        untilMs: until?.getTime() ?? Number.POSITIVE_INFINITY,
      };
      add(found, keyOf(applicationId, kind, subject), known);
    }
    blocks = found;
  }

  async function readSets(): Promise<void> {
    for (const stored of await listRuleSets(db)) {
      const known = knownOf(stored, log);
      if (known) sets.set(stored.applicationId, known);
      else sets.delete(stored.applicationId);
    }
  }

  async function beatOnce(): Promise<Beat> {
    const before = performance.now();
    const beat = await readBeat(db);
    // As if it had been told at the beginning: never ahead.
    offsetMs = beat.nowMs - before;
    installedAtMs = beat.installedAtMs;
    if (beat.changes === changes) return beat;
    await readSets();
    await readBlocks();
    // What changed between these statements is read by the next beat.
    changes = beat.changes;
    return beat;
  }

  /** One after the other, each beginning after it was asked for. */
  function beat(): Promise<Beat> {
    const next = reading.catch(() => undefined).then(beatOnce);
    reading = next;
    return next;
  }

  function shipped(applicationId: string): KnownSet {
    let known = shippedSets.get(applicationId);
    if (!known) {
      const set = defaultRuleSet(Math.max(installedAtMs, timeOfId(applicationId)));
      known = { set, shadowUntilMs: shadowUntil(set) };
      shippedSets.set(applicationId, known);
    }
    return known;
  }

  return {
    ruleSet: (id) => sets.get(id) ?? shipped(id),
    blocksOf: (...subject) => blocks.get(keyOf(...subject)) ?? [],
    hold({ applicationId, kind, subject, source, channels, reasons, seconds }, nowMs) {
      const held = { source, channels, because: reasons.because, untilMs: nowMs + seconds * 1_000 };
      add(blocks, keyOf(applicationId, kind, subject), held);
    },
    nowMs: () => (offsetMs === null ? null : performance.now() + offsetMs),
    shipped: (id) => shipped(id).set,
    listen: () =>
      db.listen(changesChannel, () => {
        beat().catch((error: unknown) => log.warn({ err: error }, 'fraud rules were not read yet'));
      }),
    beat,
    async afterWrite(write) {
      try {
        return await write();
      } finally {
        await beat();
      }
    },
  };
}

function add(blocks: Map<string, KnownBlock[]>, key: string, block: KnownBlock): void {
  const others = (blocks.get(key) ?? []).filter(({ source }) => source !== block.source);
  blocks.set(key, [...others, block]);
}

const shadowUntil = ({ shadow_until: until }: RuleSet): number =>
  until === null ? Number.NEGATIVE_INFINITY : Date.parse(until);

/** Null for the shipped rules, and for what this version of the program cannot read. */
function knownOf({ document, applicationId, version }: StoredRuleSet, log: Log): KnownSet | null {
  if (document === null) return null;
  try {
    const set = readRuleSet(document);
    return { set, shadowUntilMs: shadowUntil(set) };
  } catch (error) {
    log.error({ err: error, applicationId, version }, 'a stored rule set cannot be read; the shipped rules hold');
    return null;
  }
}
