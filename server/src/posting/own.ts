/** What an application sees of its own callbacks, over all its endpoints, and how it has a few of them posted again. */
import { type Endpoint, listEndpoints, type Office } from '../callbacks/index.ts';
import { ApiError, invalid } from '../errors.ts';
import { isId } from '../platform/ids.ts';
import {
  type AttemptRow,
  type DeliveryRow,
  type DeliveryState,
  listAttempts,
  listDeliveries,
  type Outcome,
} from './log-store.ts';
import { badCursor, pageOf } from './read-log.ts';
import { idAt } from './replay.ts';
import * as store from './replay-store.ts';

export const ownStates = ['waiting', 'retrying', 'given_up', 'accepted'] as const;
type OwnState = (typeof ownStates)[number];

/** A program may repeat no more than this at once; the operator may repeat all. */
export const maxReplays = 100;

const tried: Record<OwnState, Outcome | null> = {
  waiting: null,
  retrying: 'retry',
  given_up: 'given_up',
  accepted: 'accepted',
};

export interface OwnAsk {
  endpointId?: string | undefined;
  messageId?: string | undefined;
  state?: OwnState | undefined;
  since?: Date | undefined;
  cursor?: string | undefined;
  limit: number;
}

export interface OwnCallbacks {
  endpoints: Endpoint[];
  /** Not accepted yet, newest message first. */
  deliveries: DeliveryRow[];
  /** Newest first. */
  attempts: AttemptRow[];
  next: string | null;
}

/** Throws 4001 for an endpoint of somebody else, 3002 for a strange cursor. */
export async function readOwn(office: Office, applicationId: string, ask: OwnAsk): Promise<OwnCallbacks> {
  const [queued, logged] = placesOf(ask.cursor);
  const endpoints = await ownEndpoints(office, applicationId, ask.endpointId);
  const ids = endpoints.map(({ id }) => id);
  const { state, messageId, since, limit } = ask;
  const outcome = state && tried[state];
  const [deliveries, attempts] = await Promise.all([
    queued === 'end' || state === 'accepted'
      ? []
      : listDeliveries(office.db, ids, {
          ...{ state: state as DeliveryState | undefined, messageId, before: queued, limit: limit + 1 },
          fromEventId: since && idAt(since.getTime()),
        }),
    logged === 'end' || outcome === null
      ? []
      : listAttempts(
          office.db,
          { ids, applicationId },
          { messageId, outcome, since, before: logged, limit: limit + 1 },
        ),
  ]);
  const one = pageOf(deliveries, limit, (row) => `${row.messageId}-${row.position}-${row.endpointId}`);
  const other = pageOf(attempts, limit, (row) => row.id);
  const next = one.next === null && other.next === null ? null : `${one.next ?? 'end'}.${other.next ?? 'end'}`;
  return { endpoints, deliveries: one.rows, attempts: other.rows, next };
}

type Before = { messageId: string; position: string; endpointId: string };

/** Where each of the two lists goes on. */
function placesOf(cursor: string | undefined): [queued: Before | 'end' | undefined, logged: string | undefined] {
  if (cursor === undefined) return [undefined, undefined];
  const [queued = '', logged = '', ...more] = cursor.split('.');
  const [messageId = '', position = '', endpointId = '', ...rest] = queued.split('-');
  const known = (messageId === '0' || isId(messageId)) && isId(position) && isId(endpointId) && rest.length === 0;
  if (more.length > 0 || !(queued === 'end' || known) || !(logged === 'end' || isId(logged))) throw badCursor();
  return [queued === 'end' ? 'end' : { messageId, position, endpointId }, logged];
}

async function ownEndpoints({ db, keyring }: Office, applicationId: string, id?: string): Promise<Endpoint[]> {
  const all = await listEndpoints(db, keyring, applicationId);
  const chosen = id === undefined ? all : all.filter((endpoint) => endpoint.id === id);
  if (id !== undefined && chosen.length === 0) throw new ApiError(4001, 'callback endpoint not found');
  return chosen;
}

export type ReplayAsk = { endpointId: string; dryRun: boolean } & (
  | {
      eventId: string;
      /** Null where the id of the delivery was given out without it. */
      messageId: string | null;
    }
  | { since: Date }
);

/** How many events are posted again, or would be. Throws 4001 for what is not the application's, 3002 for too many. */
export async function replayOwn(office: Office, applicationId: string, ask: ReplayAsk): Promise<number> {
  await ownEndpoints(office, applicationId, ask.endpointId);
  const target = { endpointId: ask.endpointId, applicationId };
  const count = 'eventId' in ask ? await replayOne(office, target, ask) : await replayFailed(office, target, ask);
  if (count > 0 && !ask.dryRun) office.changed();
  return count;
}

type Only<Key extends string> = Extract<ReplayAsk, Record<Key, unknown>>;

/** What waits in a batch counts nothing: it is posted with that. */
async function replayOne(
  { db }: Office,
  target: store.Target,
  { eventId, messageId, dryRun }: Only<'eventId'>,
): Promise<number> {
  const events = { eventIds: [eventId], messageId: messageId ?? undefined };
  const { known, queueable } = await store.countTold(db, target, events);
  if (known === 0) throw new ApiError(4001, 'delivery not found');
  return dryRun ? queueable : store.queueEvents(db, target, events);
}

async function replayFailed({ db }: Office, target: store.Target, { since, dryRun }: Only<'since'>): Promise<number> {
  const { rows, until } = await store.countFailed(db, target, since, maxReplays + 1);
  if (rows > maxReplays)
    throw invalid([{ field: 'since', problem: `more than ${maxReplays} failed since then; name a later time` }]);
  if (dryRun) return rows;
  const failed = { since, until };
  const begun = await store.requeueGivenUp(db, target, failed, maxReplays);
  const left = maxReplays - begun;
  return begun + (left > 0 ? await store.hastenRetries(db, target, failed, left) : 0);
}
