/**
 * Custom messages to one or many recipients (contract §5.3): one id per recipient, a failing one does not disturb the others.
 * With an Idempotency-Key all of them and the answer are one transaction.
 */
import { ApiError, invalid } from '../errors.ts';
import type { Application } from '../policy.ts';
import type { SendTemplate } from '../templates/index.ts';
import { acceptAll, acceptOne, type Deed, orRefusal } from './accept.ts';
import { ApprovalNeeded } from './approval.ts';
import type { SendRequest } from './compose.ts';
import type { MessagesContext } from './context.ts';
import { normalisedAddress } from './recipient.ts';
import { type Prepared, prepareSend, type SendResult, type Sent } from './send.ts';

export type Outcome = { to: string; result: SendResult } | { to: string; error: ApiError };

/** Outcomes in request order, duplicates (after normalisation) removed. */
export async function prepareMany(
  context: MessagesContext,
  application: Application,
  template: SendTemplate,
  recipients: readonly string[],
  request: Omit<SendRequest, 'to'>,
  /** Refuses one recipient for its form. */
  requireForm: (to: string) => void,
): Promise<Deed<Outcome[]>> {
  const unique = withoutDuplicates(recipients);
  const prepare = async (to: string): Promise<Prepared> => {
    requireForm(to);
    return prepareSend(context, application, template, { ...request, to });
  };
  const prepared = await inGroups(unique, (to) => orRefusal(() => prepare(to)));
  const unapproved = prepared.find((one) => one instanceof ApprovalNeeded);
  if (unapproved) {
    // Concerns the key and so all of them.
    unapproved.ask.recipients = unique.length;
    throw unapproved;
  }
  const outcomesOf = (sent: readonly (Sent | ApiError)[]): Outcome[] =>
    unique.flatMap((to, i) => {
      const one = sent[i];
      if (!one) return [];
      return one instanceof ApiError ? { to, error: one } : { to, result: one.result };
    });
  return {
    accept: async () =>
      outcomesOf(
        await Promise.all(
          prepared.map((one) => (one instanceof ApiError ? one : orRefusal(() => acceptOne(context, one)))),
        ),
      ),
    async acceptOn(tx) {
      const sent = await acceptAll(context, tx, prepared);
      const start = (): void => {
        for (const one of sent) if (!(one instanceof ApiError)) one.start();
      };
      return { result: outcomesOf(sent), start };
    },
  };
}

/** So many are prepared beside each other. */
const groupSize = 20;
/** All texts of a request stand in memory until they are accepted. */
const maxBytes = 32 * 1024 * 1024;

async function inGroups(
  recipients: readonly string[],
  prepare: (to: string) => Promise<Prepared | ApiError>,
): Promise<(Prepared | ApiError)[]> {
  const all: (Prepared | ApiError)[] = [];
  let bytes = 0;
  for (let i = 0; i < recipients.length; i += groupSize) {
    const group = await Promise.all(recipients.slice(i, i + groupSize).map(prepare));
    for (const one of group) if (!(one instanceof ApiError)) bytes += one.acceptance.delivery.sealed?.length ?? 0;
    if (bytes > maxBytes)
      throw invalid([{ field: 'to', problem: 'the texts to all of them are over 32 MiB; send to fewer at once' }]);
    all.push(...group);
  }
  return all;
}

/** By normalised address, as first written. What is no address stays in the list and is refused in its place. */
function withoutDuplicates(recipients: readonly string[]): string[] {
  const seen = new Map<string, string>();
  for (const to of recipients) {
    const key = normalisedAddress(to);
    if (!seen.has(key)) seen.set(key, to);
  }
  return [...seen.values()];
}
