/**
 * Prepared sends, accepted: each with others of the moment, or several in a transaction of the caller. What somebody else changed since it
 * was prepared is composed anew, last in a transaction that holds the target once it has asked. Nothing but the database is awaited here.
 */
import { ApiError } from '../errors.ts';
import type { Queryable } from '../platform/db.ts';
import type { MessagesContext } from './context.ts';
import type { Prepared, SendResult, Sent } from './send.ts';
import type { AcceptResult } from './store.ts';

/** What is prepared and now has to be accepted. */
export interface Deed<Result> {
  accept(): Promise<Result>;
  /** In the caller's transaction; `start` begins the deliveries, after its commit. */
  acceptOn(tx: Queryable): Promise<{ result: Result; start(): void }>;
}

/** One send, alone. */
export const deedOf = (context: MessagesContext, prepared: Prepared): Deed<SendResult> => ({
  accept: async () => (await acceptOne(context, prepared)).result,
  async acceptOn(tx) {
    const [sent] = await acceptAll(context, tx, [prepared]);
    if (!sent) throw new Error('every send has an outcome');
    if (sent instanceof ApiError) throw sent;
    return sent;
  },
});

/** Tries of one send in a transaction. */
const maxTries = 5;

/** One send; its delivery has begun. */
export async function acceptOne(context: MessagesContext, prepared: Prepared): Promise<Sent> {
  const sent = await noting(
    prepared,
    async () =>
      (await acceptShared(context, prepared)) ?? (await context.db.transaction((tx) => insist(context, tx, prepared))),
  );
  sent.start();
  return sent;
}

/** Two tries that share a statement with others. */
async function acceptShared(context: MessagesContext, { acceptance, composeOn, read }: Prepared): Promise<Sent | null> {
  const sent = read(acceptance, await context.accept(acceptance));
  if (sent) return sent;
  const again = await composeOn(context.db);
  return read(again, await context.accept(again));
}

/** All of them in one statement, which locks in the one order of all. No two may be of one target; who is refused before stays so. */
export async function acceptAll(
  context: MessagesContext,
  tx: Queryable,
  all: readonly (Prepared | ApiError)[],
): Promise<(Sent | ApiError)[]> {
  const prepared = all.flatMap((one) => (one instanceof ApiError ? [] : [one]));
  const items = prepared.map(({ acceptance }) => acceptance);
  const rows = items.length > 0 ? await context.acceptOn(tx, items) : [];
  const rowOf = new Map(prepared.map((one, i) => [one, rows[i]]));
  const outcomes: (Sent | ApiError)[] = [];
  for (const one of all)
    outcomes.push(one instanceof ApiError ? one : await orRefusal(() => acceptHeld(context, tx, one, rowOf.get(one))));
  return outcomes;
}

const acceptHeld = (
  context: MessagesContext,
  tx: Queryable,
  prepared: Prepared,
  row: AcceptResult | undefined,
): Promise<Sent> =>
  noting(prepared, async () => prepared.read(prepared.acceptance, row) ?? (await insist(context, tx, prepared)));

async function insist(context: MessagesContext, tx: Queryable, { composeOn, read }: Prepared): Promise<Sent> {
  for (let tries = 0; tries < maxTries; tries++) {
    const acceptance = await composeOn(tx);
    const [row] = await context.acceptOn(tx, [acceptance]);
    const sent = read(acceptance, row);
    if (sent) return sent;
  }
  const cause = new Error('a target changed under every try');
  throw new ApiError(1000, 'internal error', { status: 503, retryAfter: 1, cause });
}

async function noting<T>({ noteRefused }: Prepared, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ApiError) noteRefused(error);
    throw error;
  }
}

/** A refusal of one of many is a value. */
export async function orRefusal<T>(work: () => Promise<T>): Promise<T | ApiError> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
}
