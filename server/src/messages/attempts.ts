/** The provider calls of a message as its story shows them: which way, what came back, what the receipt said, what it cost. */
import type { AttemptRecord, Channel } from '../delivery/index.ts';
import type { LedgerEntry } from '../events/index.ts';

export interface AttemptStory {
  step: number;
  attempt: number;
  try: number;
  channel: Channel;
  provider: string;
  /** Why the route led there; null on the virtual network. */
  route: string | null;
  sender: string | null;
  upstream_id: string | null;
  outcome: 'accepted' | 'refused' | 'unknown';
  error_code?: number;
  detail?: string;
  started_at: string;
  latency_ms: number;
  cost: { amount: number; currency: string };
  receipt: {
    state: 'delivered' | 'undelivered';
    at: string;
    after_ms: number;
    error_code?: number;
    detail?: string;
  } | null;
}

export function attemptStories(
  records: readonly AttemptRecord[],
  events: readonly LedgerEntry[],
  currency: string,
): AttemptStory[] {
  return records.map((record) => ({
    step: record.step,
    attempt: record.attempt,
    try: record.try,
    channel: record.channel,
    provider: record.provider,
    route: record.why,
    sender: record.sender,
    upstream_id: record.upstreamId,
    outcome: record.outcome,
    ...(record.errorCode !== null && { error_code: record.errorCode }),
    ...(record.detail !== null && { detail: record.detail }),
    started_at: record.startedAt.toISOString(),
    latency_ms: record.answeredAt.getTime() - record.startedAt.getTime(),
    cost: { amount: record.costMicros / 1_000_000, currency },
    receipt: receiptOf(record, records, events),
  }));
}

/** An entry that names no try is about the one that was accepted. */
function receiptOf(
  { attempt, try: own, answeredAt }: AttemptRecord,
  records: readonly AttemptRecord[],
  events: readonly LedgerEntry[],
): AttemptStory['receipt'] {
  const accepted = records.findLast((one) => one.attempt === attempt && one.outcome === 'accepted');
  const entry = events.findLast(
    (one) => one.attempt === attempt && isReceipt(one) && (one.data?.['try'] ?? accepted?.try) === own,
  );
  if (!entry) return null;
  const detail = entry.data?.['reason'];
  return {
    state: entry.status === 'delivered' || entry.errorCode === undefined ? 'delivered' : 'undelivered',
    at: entry.at.toISOString(),
    after_ms: Math.max(0, entry.at.getTime() - answeredAt.getTime()),
    ...(entry.errorCode !== undefined && { error_code: entry.errorCode }),
    ...(typeof detail === 'string' && { detail }),
  };
}

const isReceipt = ({ cause, status }: LedgerEntry): boolean =>
  cause === 'receipt_positive' ||
  cause === 'receipt_negative' ||
  cause === 'receipt_late' ||
  (status === 'target_invalid' && cause !== 'target_checked' && cause !== 'upstream_rejected');
