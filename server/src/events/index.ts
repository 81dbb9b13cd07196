/**
 * The append-only ledger: every status and cause of every message, in order. Other rooms write through `eventRows` inside the
 * statement that makes the change, so that no change exists without its event. Nothing here is ever updated; what is past retention is removed.
 */
export { type EventName, eventNames, type Family, families, familyNames, familyOf } from './families.ts';
export { firstFollowed, followedEntries } from './follow-store.ts';
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
export { webhooks } from './webhook-schemas.ts';
