/**
 * Which calls a receipt is about: those whose id the upstream gave us; where none has it, those made by this provider under our reference,
 * because the node was lost, or the answer, before the id could be written down.
 */
import type { Receipt } from '../channels/index.ts';
import type { Db } from '../platform/db.ts';
import { type Answer, listAnswers } from './attempt-store.ts';
import { readReference } from './reference.ts';
import { findByUpstreamIds, findDeliveries, type Loaded, type ReceiptKey } from './store.ts';
import type { About } from './told.ts';

interface Found {
  loaded: Loaded;
  about: About;
}

export type FindTries = (provider: string, receipt: Receipt) => Promise<Found | null>;

export function createFindTries(db: Db): FindTries {
  const byUpstreamId = db.batch<ReceiptKey, Found | null>({ run: findByUpstreamIds, gatherMs: 2 });

  async function byReference(provider: string, text: string | undefined): Promise<Found | null> {
    const named = text === undefined ? null : readReference(text);
    // The delivery first: an attempt that it knows as concluded gets no more calls.
    const [loaded] = named ? await findDeliveries(db, [named]) : [];
    if (!named || !loaded) return null;
    const calls = callsOf(await listAnswers(db, named), provider, named.reference);
    const [first] = calls;
    if (!first) return null;
    const about = { attempt: named.attempt, tries: calls.map((call) => call.try) };
    return { loaded, about: first.outcome === 'refused' ? { ...about, refused: true } : about };
  }

  return async (provider, { upstreamId, reference }) =>
    (await byUpstreamId({ provider, upstreamId })) ?? byReference(provider, reference);
}

/** The accepted ones of that reference; where there is none, those without an answer; else the refused. */
function callsOf(answers: readonly Answer[], provider: string, reference: number): Answer[] {
  const own = answers.filter((call) => call.provider === provider && referenceOfTry(answers, call.try) === reference);
  for (const outcome of ['accepted', 'unknown'] as const) {
    const such = own.filter((call) => call.outcome === outcome);
    if (such.length > 0) return such;
  }
  return own;
}

/** It changed with each refusal until the first call that was not refused, or was never written down. */
function referenceOfTry(answers: readonly Answer[], one: number): number {
  const refusals = answers.findIndex((call, i) => call.try !== i + 1 || call.outcome !== 'refused');
  return Math.min(one, (refusals === -1 ? answers.length : refusals) + 1);
}
