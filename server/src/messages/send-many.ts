/**
 * Custom messages to one or many recipients (contract §5.3): one id per recipient, a failing one does not disturb the others.
 * With an Idempotency-Key all of them and the answer are one transaction.
 */
import { ApiError } from '../errors.ts';
import type { Queryable } from '../platform/db.ts';
import type { Application } from '../policy.ts';
import type { SendTemplate } from '../templates/index.ts';
import type { SendRequest } from './compose.ts';
import type { MessagesContext } from './context.ts';
import { parseAddress } from './recipient.ts';
import { type SendResult, sendOne } from './send.ts';

export type Outcome = { to: string; result: SendResult } | { to: string; error: ApiError };

/** Outcomes in request order, duplicates (after normalisation) removed; `start` begins the deliveries, after the commit. */
export async function sendMany(
  context: MessagesContext,
  application: Application,
  template: SendTemplate,
  recipients: readonly string[],
  request: Omit<SendRequest, 'to'>,
  tx?: Queryable,
): Promise<{ outcomes: Outcome[]; start(): void }> {
  const starts: (() => void)[] = [];
  const sendTo = async (to: string): Promise<Outcome> => {
    try {
      const { result, start } = await sendOne(context, application, template, { ...request, to }, tx);
      if (tx) starts.push(start);
      return { to, result };
    } catch (error) {
      if (error instanceof ApiError) return { to, error };
      throw error;
    }
  };
  const unique = withoutDuplicates(recipients);
  const outcomes: Outcome[] = [];
  // One connection runs one statement after the other; outside a transaction the statements are gathered instead.
  if (tx) for (const to of unique) outcomes.push(await sendTo(to));
  else outcomes.push(...(await Promise.all(unique.map(sendTo))));
  const start = (): void => {
    for (const one of starts) one();
  };
  return { outcomes, start };
}

function withoutDuplicates(recipients: readonly string[]): string[] {
  const seen = new Map<string, string>();
  for (const to of recipients) {
    const key = normalised(to);
    if (!seen.has(key)) seen.set(key, to);
  }
  return [...seen.values()];
}

function normalised(to: string): string {
  try {
    return parseAddress(to).address;
  } catch {
    // Not an address: it stays in the list and is refused in its place.
    return to;
  }
}
