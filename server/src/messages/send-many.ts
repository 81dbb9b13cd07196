/**
 * Custom messages to one or many recipients (contract §5.3): one id per recipient, a failing one does not disturb the others.
 * With an Idempotency-Key all of them and the answer are one transaction.
 */
import { ApiError } from '../errors.ts';
import type { Queryable } from '../platform/db.ts';
import type { Application } from '../policy.ts';
import type { SendTemplate } from '../templates/index.ts';
import { ApprovalNeeded } from './approval.ts';
import type { SendRequest } from './compose.ts';
import type { MessagesContext } from './context.ts';
import { normalisedAddress } from './recipient.ts';
import { type SendResult, sendOne } from './send.ts';

export type Outcome = { to: string; result: SendResult } | { to: string; error: ApiError };

/** Outcomes in request order, duplicates (after normalisation) removed; `start` begins the deliveries, after the commit. */
export async function sendMany(
  context: MessagesContext,
  application: Application,
  template: SendTemplate,
  recipients: readonly string[],
  request: Omit<SendRequest, 'to'>,
  /** Refuses one recipient for its form. */
  requireForm: (to: string) => void,
  tx?: Queryable,
): Promise<{ outcomes: Outcome[]; start(): void }> {
  const starts: (() => void)[] = [];
  const unique = withoutDuplicates(recipients);
  const sendTo = async (to: string): Promise<Outcome> => {
    try {
      requireForm(to);
      const { result, start } = await sendOne(context, application, template, { ...request, to }, tx);
      if (tx) starts.push(start);
      return { to, result };
    } catch (error) {
      // Concerns the key and so all of them.
      if (error instanceof ApprovalNeeded) {
        error.ask.recipients = unique.size;
        throw error;
      }
      if (error instanceof ApiError) return { to, error };
      throw error;
    }
  };
  const outcomes = tx ? await inTurn(unique, sendTo) : await inGroups([...unique.values()], sendTo);
  const start = (): void => {
    for (const one of starts) one();
  };
  return { outcomes, start };
}

/** Their texts stand in memory at the same time, so not those of a thousand. */
const groupSize = 20;

async function inGroups(recipients: readonly string[], sendTo: (to: string) => Promise<Outcome>): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let i = 0; i < recipients.length; i += groupSize)
    outcomes.push(...(await Promise.all(recipients.slice(i, i + groupSize).map(sendTo))));
  return outcomes;
}

/**
 * One connection runs one statement after the other; outside a transaction the statements are gathered instead. Targets are
 * locked in the order of their addresses, so that two such requests wait for each other instead of deadlocking.
 */
async function inTurn(
  unique: ReadonlyMap<string, string>,
  sendTo: (to: string) => Promise<Outcome>,
): Promise<Outcome[]> {
  const done = new Map<string, Outcome>();
  for (const [address, to] of [...unique].sort(([a], [b]) => (a < b ? -1 : 1))) done.set(address, await sendTo(to));
  return [...unique.keys()].flatMap((address) => done.get(address) ?? []);
}

/** By normalised address, as first written. What is no address stays in the list and is refused in its place. */
function withoutDuplicates(recipients: readonly string[]): Map<string, string> {
  const seen = new Map<string, string>();
  for (const to of recipients) {
    const key = normalisedAddress(to);
    if (!seen.has(key)) seen.set(key, to);
  }
  return seen;
}
