/** A hand-over made before, for upstreams that fetch the text when somebody answers the call. */
import type { OutgoingMessage } from '../channels/index.ts';
import type { Queryable } from '../platform/db.ts';
import type { Keyring } from '../platform/seal.ts';
import type { Ids } from './content.ts';
import { openContent } from './deeds.ts';
import { referenceOf } from './reference.ts';
import { isOpen, type State, stepAt } from './state.ts';
import { findDeliveries } from './store.ts';

/** Null when there is no such attempt, or nothing may be said any more: ended, expired, erased. */
export async function reopen(
  db: Queryable,
  keyring: Keyring,
  nowMs: number,
  { attempt, ...ids }: Ids & { attempt: number },
): Promise<OutgoingMessage | null> {
  const loaded = (await findDeliveries(db, [ids]))[0];
  const step = loaded ? stepOf(loaded.state, attempt) : undefined;
  if (!loaded || step === undefined || !isOpen(loaded.state, nowMs)) return null;
  const clear = await openContent(db, keyring, ids);
  const content = clear?.contents[step];
  if (!clear || !content) return null;
  const { channel, to } = stepAt(loaded.state, step);
  return {
    ...ids,
    step: step + 1,
    attempt,
    reference: referenceOf(ids, { attempt, reference: loaded.state.active?.reference ?? 1 }),
    channel,
    to,
    content,
    code: clear.code,
    expiresAtMs: loaded.state.deadlineAtMs,
  };
}

/** The call may be answered before our own commit of its acceptance. */
const stepOf = ({ active, handOvers }: State, attempt: number): number | undefined =>
  active?.attempt === attempt ? active.step : handOvers.find((made) => made.attempt === attempt)?.step;
