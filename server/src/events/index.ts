/**
 * The append-only ledger: every status and cause of every message, in order. Other rooms write through `eventRows` inside the
 * statement that makes the change, so that no change exists without its event. Nothing here is ever updated; what is past retention is removed.
 * Applications follow their events by `GET /v1/events`: who goes on where they stopped misses nothing and sees nothing twice.
 */
import type { Clock } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import type { Sql } from '../platform/sql.ts';
import { type AnsweredCall, createCallNotes } from './call-notes.ts';
import { createFollowing } from './follow.ts';
import { createOperations, eventsPath } from './operations.ts';
import { settleOrigin } from './origin.ts';

export type { Place } from './cursor.ts';
export { type EventName, eventNames, type Family, families, familyNames, familyOf } from './families.ts';
export {
  committedEntries,
  firstFollowed,
  followedApplications,
  followedEntries,
  uncalledEntries,
} from './follow-store.ts';
export {
  type Cause,
  causes,
  type EventDraft,
  eventColumns,
  type LedgerEntry,
  type MessageStatus,
} from './ledger.ts';
export { eventIdOf, type MessageFacts, type Row, rowOf, standardBody, type ToldEntry } from './row.ts';
export { appendEvents, eventRows, forgetEvents, type LedgerRow, ledgerEntries, listEvents, toEntry } from './store.ts';
export { findPlaceOfAge } from './stream-store.ts';
export { webhooks } from './webhook-schemas.ts';

export interface EventsOptions {
  db: Db;
  clock: Clock;
  log: Log;
  /** The relation of what is known of messages: application_id, message_id, recipient, template_id, custom_args, created_at, expires_at. */
  facts: Sql;
  /** The normalised form of an address to look for; throws 3002 for what can be none. */
  searchedAddress(text: string, field: string): string;
  /** Whether the application wants to be told of its API calls. */
  wantsCalls(applicationId: string): boolean;
  /** Tests are shorter of time and have smaller crowds. */
  limits?: Partial<typeof defaults>;
}

const defaults = {
  pollMs: 100,
  heartbeatMs: 15_000,
  lifeMs: 900_000,
  maxKept: 1_000,
  maxFollowers: 1_000,
  maxPerKey: 20,
};

export interface Events {
  operations: ReturnType<typeof createOperations>;
  /** Tells the application of a call, if it wants to know. Never throws. */
  noteCall(call: AnsweredCall): void;
  /** Finds out where the ledger lies; once per process, before requests are served. */
  start(): Promise<void>;
  /** Ends streams and long polls. */
  endStreams(): Promise<void>;
  /** Resolves when every call that was noted is written. */
  stop(): Promise<void>;
}

export function createEvents({ limits, wantsCalls, ...common }: EventsOptions): Events {
  const { db, log } = common;
  const settings = { ...defaults, ...limits };
  const following = createFollowing({ ...common, ...settings });
  const calls = createCallNotes({ db, log, wantsCalls, except: eventsPath });
  let epoch: number | undefined;
  return {
    operations: createOperations({
      ...common,
      ...settings,
      following,
      epoch() {
        if (epoch === undefined) throw new Error('the events room has not been started');
        return epoch;
      },
    }),
    noteCall: calls.note,
    async start() {
      epoch = await settleOrigin(db, log);
    },
    endStreams: following.stop,
    stop: calls.idle,
  };
}
