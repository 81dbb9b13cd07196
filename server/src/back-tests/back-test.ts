/** Runs a rule set over the last days of an application's ledger, in chunks and within bounds. Changes nothing. */
import { setTimeout as pause } from 'node:timers/promises';
import { findPlaceOfAge } from '../events/index.ts';
import { type LedgerRelations, listCountries, readBeat, readEntries } from '../fraud/index.ts';
import type { Db } from '../platform/db.ts';
import { createReplay, type Replay, type ReplayOptions } from './replay.ts';

export interface BackTestPorts extends Pick<ReplayOptions, 'numberOf' | 'isExempt'> {
  db: Db;
  relations: LedgerRelations;
  /** Tests have smaller bounds. */
  bounds?: { entries: number; ms: number };
}

export interface BackTestRequest extends Pick<ReplayOptions, 'set' | 'closesPrefixes'> {
  applicationId: string;
  days: number;
  signal: AbortSignal;
}

export interface BackTestResult {
  figures: Replay['figures'];
  fromMs: number;
  /** Everything before it was judged. */
  untilMs: number;
  /** False: it ended at a bound. */
  complete: boolean;
}

const dayMs = 86_400_000;
const daySeconds = 86_400;
const entriesAtOnce = 1_000;
const defaultBounds = { entries: 2_000_000, ms: 25_000 };

/** The day before is read too, so that the first send judged finds a full day of facts. */
export async function backTest(ports: BackTestPorts, request: BackTestRequest): Promise<BackTestResult> {
  const { db, relations, bounds = defaultBounds } = ports;
  const { applicationId, days, signal } = request;
  const startedAt = performance.now();
  const { nowMs } = await readBeat(db);
  const fromMs = nowMs - days * dayMs;
  const replay = createReplay({ ...ports, ...request, fromMs });
  const secondsAgo = (days + 1) * daySeconds;
  for (const { country, lastAtMs } of await listCountries(db, relations, applicationId, secondsAgo))
    replay.book.knowsCountry(country, lastAtMs);
  let after = await findPlaceOfAge(db, applicationId, secondsAgo);
  let atMs = fromMs;
  for (let read = 0; ; ) {
    const chunkAt = performance.now();
    const [page = []] = await readEntries(db, relations, [{ applicationId, after }], entriesAtOnce);
    for (const entry of page) replay.take(entry);
    read += page.length;
    after = page.at(-1)?.place ?? after;
    const result = { figures: replay.figures, fromMs };
    atMs = Math.max(atMs, page.at(-1)?.atMs ?? atMs);
    // What comes in while it runs is not waited for.
    if (page.length < entriesAtOnce || atMs > nowMs) return { ...result, untilMs: nowMs, complete: true };
    if (read >= bounds.entries || performance.now() - startedAt > bounds.ms || signal.aborted)
      return { ...result, untilMs: atMs, complete: false };
    // Sending goes first: half of the time is its.
    await pause(performance.now() - chunkAt);
  }
}
