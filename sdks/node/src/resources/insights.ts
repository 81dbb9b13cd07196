// What happened to everything that was sent: delivery, completion, latency and cost in a span of time.

import type { Transport } from '../transport.ts';

export type InsightGroup = 'country' | 'channel' | 'template' | 'hour' | 'day' | 'provider';

export interface InsightQuery {
  /** A Date, RFC 3339 text or unix seconds. Default: 24 hours ago; at most 92 days. */
  from?: Date | string | number | undefined;
  until?: Date | string | number | undefined;
  /** Up to two. */
  groupBy?: InsightGroup | readonly InsightGroup[] | undefined;
  country?: string | undefined;
  channel?: string | undefined;
  template?: string | undefined;
  provider?: string | undefined;
}

/** Within 5 %; null if there were none. */
export interface Percentiles {
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

export interface InsightBlock {
  messages: number;
  steps_sent: number;
  delivered: number;
  delivery_rate: number | null;
  verifications: number;
  verified: number;
  /** Null if there were no codes. */
  verified_rate: number | null;
  latency_ms: { accept_to_sent: Percentiles; sent_to_delivered: Percentiles; accept_to_verified: Percentiles };
  resends: number;
  resend_rate: number | null;
  fallbacks: number;
  fallback_rate: number | null;
  wrong_codes: number;
  exhausted: number;
  expired: number;
  /** In `currency`. */
  cost: number;
  /** Null if nobody was verified. */
  cost_per_verified: number | null;
}

export interface Insights {
  from: string;
  until: string;
  /** What happened before it is counted. */
  computed_until: string;
  /** ISO 4217. */
  currency: string;
  totals: InsightBlock;
  rows: (InsightBlock & { key: { [group in InsightGroup]?: string | null } })[];
}

/** `GET /v1/insights`. */
export function readInsights(transport: Transport, { groupBy, ...filter }: InsightQuery): Promise<Insights> {
  return transport.request({ method: 'GET', path: '/v1/insights', query: { ...filter, group_by: groupBy } });
}
