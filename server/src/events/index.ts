/**
 * The append-only ledger: every status and cause of every message, in order. Other rooms write through `eventRows` inside the
 * statement that makes the change, so that no change exists without its event. Nothing here is ever updated.
 */
export {
  type Cause,
  causes,
  type EventDraft,
  eventColumns,
  type LedgerEntry,
  type MessageStatus,
} from './ledger.ts';
export { appendEvents, eventRows, listEvents } from './store.ts';
