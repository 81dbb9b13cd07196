/**
 * Which calls a receipt is about: those whose id the upstream gave us; where none has it, those made by this provider under our reference,
 * because the node was lost, or the answer, before the id could be written down.
 */
import type { Receipt } from '../channels/index.ts';
import type { Db } from '../platform/db.ts';
import { type Answer, listAnswers } from './attempt-store.ts';
import { readReference } from './reference.ts';
import { type CallRecord, findByUpstreamIds, findDeliveries, type Loaded, type ReceiptKey } from './store.ts';
import type { About } from './told.ts';

interface Found {
  loaded: Loaded;
  about: About;
  /** To be written down as accepted with it: a call that had no answer, and yet the message arrived. */
  call?: CallRecord;
}

export type FindTries = (provider: string, receipt: Receipt) => Promise<Found | null>;

export function createFindTries(db: Db): FindTries {
  const byUpstreamId = db.batch<ReceiptKey, Found | null>({ run: findByUpstreamIds, gatherMs: 2 });

  async function byReference(provider: string, receipt: Receipt): Promise<Found | null> {
    const named = receipt.reference === undefined ? null : readReference(receipt.reference);
    // The delivery first: an attempt that it knows as concluded gets no more calls.
    const [loaded] = named ? await findDeliveries(db, [named]) : [];
    if (!named || !loaded) return null;
    const calls = callsOf(await listAnswers(db, named), provider, named.reference);
    const [first] = calls;
    if (!first) return null;
    const about = { attempt: named.attempt, tries: calls.map((call) => call.try) };
    if (first.outcome === 'refused') return { loaded, about: { ...about, refused: true } };
    if (first.outcome === 'accepted' || receipt.outcome.kind !== 'delivered') return { loaded, about };
    const call = acceptanceOf(first, named.attempt, receipt.upstreamId);
    const acceptance = { step: call.call.step, outcome: call.outcome };
    return { loaded, about: { ...about, tries: [first.try], acceptance }, call };
  }

  return async (provider, receipt) =>
    (await byUpstreamId({ provider, upstreamId: receipt.upstreamId })) ?? byReference(provider, receipt);
}

/** The route stays as it was written with the call. */
const acceptanceOf = ({ step, channel, provider, ...one }: Answer, attempt: number, upstreamId: string) => ({
  call: { step: step - 1, attempt, try: one.try },
  channel,
  provider,
  route: null,
  outcome: { kind: 'accepted' as const, upstreamId, costMicros: one.owedMicros },
  tookMs: 0,
});

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
