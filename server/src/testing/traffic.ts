/** Traffic written straight into the ledger, and what a send says of itself. */
import { appendEvents } from '../events/index.ts';
import type { FraudAsk } from '../fraud/index.ts';
import type { Db } from '../platform/db.ts';
import { relation, sql } from '../platform/sql.ts';
import { untilLedgerIsSettled } from './horizon.ts';

let messages = 1_000;

export interface Sent {
  to: string;
  country?: string | null;
  signals?: object | null;
  verified?: boolean;
  /** In micros, by channel. */
  costs?: readonly (readonly [channel: string, micros: number])[];
  /** Of the code; null for what carries none. */
  ttlMinutes?: number | null;
}

/** Accepts all of it now, and verifies what is to be. Resolves with the messages' ids when those that follow the ledger can read them. */
export async function send(db: Db, applicationId: string, sends: readonly Sent[]): Promise<string[]> {
  const rows = sends.map((one) => ({ id: String(++messages), ttlMinutes: 5, country: 'SG', ...one }));
  const input = relation(rows, {
    id: ['bigint', ({ id }) => id],
    recipient: ['text', ({ to }) => to],
    country: ['text', ({ country }) => country],
    signals: ['jsonb', ({ signals }) => signals ?? null],
    ttl: ['integer', ({ ttlMinutes }) => ttlMinutes],
  });
  await db.query(sql`
    insert into messages (application_id, id, kind, recipient, template_id, template_revision, language, country, signals,
      verification_id, created_at, expires_at)
    select ${applicationId}::bigint, id, 'otp', recipient, 'login', 1, 'en', country, signals,
      case when ttl is not null then id end, clock_now(), clock_now() + ttl * interval '1 minute'
    from (${input}) as asked order by ord`);
  const base = { applicationId, sequence: 1 };
  await appendEvents(
    db,
    rows.flatMap(({ id: messageId, costs = [], verified = false }) => [
      { ...base, messageId, cause: 'accepted' as const, status: 'plan' },
      ...costs.map(([channel, micros], i) => ({
        ...{
          ...base,
          messageId,
          cause: 'upstream_accepted' as const,
          status: 'sent',
          step: i + 1,
          attempt: i + 1,
          channel,
        },
        data: { billing: { cost: micros / 1_000_000, currency: 'USD' } },
      })),
      ...(verified ? [{ ...base, messageId, cause: 'verified' as const, status: 'verified' }] : []),
    ]),
  );
  await untilLedgerIsSettled(db);
  return rows.map(({ id }) => id);
}

/** So many sends under one prefix, far from each other. */
export const under = (prefix: string, count: number, more: Omit<Sent, 'to'> = {}): Sent[] =>
  Array.from({ length: count }, (_, i) => ({ to: `+${prefix}${String((i * 37) % 10_000).padStart(4, '0')}`, ...more }));

export const ask = (applicationId: string, to: string, more: Partial<FraudAsk> = {}): FraudAsk => ({
  applicationId,
  to,
  country: 'SG',
  callingCode: '65',
  numberType: 'MOBILE',
  ip: null,
  deviceId: null,
  trusted: false,
  captchaPassed: false,
  ...more,
});
