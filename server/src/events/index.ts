/**
 * The append-only ledger: every status and cause of every message, in order. Other rooms write through `eventRows` inside the
 * statement that makes the change, so that no change exists without its event. Nothing here is ever updated; what is past retention is removed.
 */
export {
  type Cause,
  causes,
  type EventDraft,
  eventColumns,
  type LedgerEntry,
  type MessageStatus,
} from './ledger.ts';
export { appendEvents, eventRows, forgetEvents, listEvents } from './store.ts';
