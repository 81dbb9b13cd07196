/** What balance and budgets say to sending a message once more that was accepted, and what a key's own budget is charged for it. */
import type { Queryable } from '../platform/db.ts';
import { raw, type Sql, sql } from '../platform/sql.ts';
import type { SpendAsk } from './ask.ts';
import { periodStart } from './share-store.ts';

/** Whose message is to be sent once more. */
export type AgainAsk = Pick<SpendAsk, 'organizationId' | 'applicationId' | 'country' | 'callingCode'>;

/**
 * What is against another hand-over of a message that was accepted: nothing left, or a budget that is spent. A look without a lock:
 * like later steps, such a hand-over is charged whatever it costs.
 */
export async function findAgainst(
  db: Queryable,
  ask: AgainAsk,
): Promise<{ reason: 'insufficient_balance' | 'budget_exhausted'; retryAfter: number | null } | null> {
  const [row] = await db.query<{ short: boolean; retry_after: number | null }>(sql`
    select exists (select from balances b where b.organization_id = ${ask.organizationId} and b.mode = 'prepaid'
        and b.balance_micros <= b.reserved_micros) as short,
      (select ceil(extract(epoch from max(p.starts at time zone 'UTC' + ('1 ' || g.period)::interval) - clock_now() at time zone 'UTC'))::integer
        from budgets g cross join lateral (select ${periodStart('g.period')} as starts) p
        join budget_counters c on c.counter_id = g.id and c.period_start = p.starts
        where g.application_id = ${ask.applicationId} and g.enabled and c.spent_micros >= g.cap_micros
          and (g.scope = 'all' or g.scope = 'country' and g.scope_value = ${ask.country}::text
            or g.scope = 'calling_code' and g.scope_value = ${ask.callingCode}::text)) as retry_after`);
  if (row?.short) return { reason: 'insufficient_balance', retryAfter: null };
  const retryAfter = row?.retry_after ?? null;
  return retryAfter === null ? null : { reason: 'budget_exhausted', retryAfter };
}

/** `chainMicros`: what may go out from now on without anybody asking; `addedMicros`: the part of it that was not to come before. */
export type KeyAsk = Pick<SpendAsk, 'applicationId' | 'messageId' | 'estimateMicros'> &
  NonNullable<SpendAsk['keyBudget']> & { addedMicros: number };

/** What is still held is held on: nobody knows yet whether it goes out beside what is asked for. */
const heldFrom = (before: Sql, { chainMicros, addedMicros }: KeyAsk): Sql =>
  sql`greatest(${before} + ${addedMicros}::bigint, ${chainMicros}::bigint)`;

/**
 * Charges the key's budget of today with another hand-over of the message, and has it count what the message costs from now on. Resolves
 * with the seconds until its next day where that passes the cap: then the transaction must be undone. Exact: who charges the same key
 * waits for the end of this transaction. Locks the message's mark and then counters, so it comes after the lock of the delivery.
 */
export async function chargeKey(tx: Queryable, ask: KeyAsk): Promise<{ retryAfter: number } | null> {
  const { applicationId, messageId, keyId, capMicros, estimateMicros } = ask;
  const mark = sql`application_id = ${applicationId} and message_id = ${messageId}`;
  await tx.query(sql`
    insert into budget_uses as u (application_id, message_id, counter_ids, period_starts, open_micros)
    values (${applicationId}, ${messageId}, '{}', '{}', 0)
    on conflict (application_id, message_id) do update set open_micros = u.open_micros`);
  await tx.query(sql`
    with held as materialized (
      select counter_id from budget_counters
      where counter_id = ${keyId} or counter_id in (select unnest(counter_ids) from budget_uses where ${mark})
      order by counter_id for no key update
    )
    insert into budget_counters as c (counter_id, period_start, spent_micros)
    select ${keyId}::bigint, ${periodStart("'day'")}, 0 where (select count(*) from held) >= 0
    on conflict (counter_id) do update set period_start = greatest(c.period_start, excluded.period_start),
      spent_micros = case when c.period_start >= excluded.period_start then c.spent_micros else 0 end`);
  await tx.query(sql`
    update budget_uses u set open_micros = u.open_micros + ${estimateMicros}, (counter_ids, period_starts, from_micros, held_micros) = (
      select array_agg(n.counter_id order by n.counter_id), array_agg(n.period_start order by n.counter_id),
        array_agg(n.from_micros order by n.counter_id), array_agg(n.held_micros order by n.counter_id)
      from (
        select x.counter_id, case when x.counter_id = c.counter_id then c.period_start else x.period_start end as period_start,
          case when x.counter_id = c.counter_id and x.period_start <> c.period_start then u.cost_micros
            else coalesce(x.from_micros, 0) end as from_micros,
          case when x.counter_id = c.counter_id then ${heldFrom(raw('coalesce(x.held_micros, u.open_micros)'), ask)}
            else x.held_micros end as held_micros
        from unnest(u.counter_ids, u.period_starts, u.from_micros, u.held_micros) as x (counter_id, period_start, from_micros, held_micros)
        union all
        select c.counter_id, c.period_start, u.cost_micros, ${heldFrom(raw('u.open_micros'), ask)} where c.counter_id <> all (u.counter_ids)
      ) n
    )
    from budget_counters c where c.counter_id = ${keyId} and u.application_id = ${applicationId} and u.message_id = ${messageId}`);
  const [row] = await tx.query<{ retry_after: number }>(sql`
    select ceil(extract(epoch from c.period_start at time zone 'UTC' + interval '1 day' - clock_now() at time zone 'UTC'))::integer as retry_after
    from budget_counters c where c.counter_id = ${keyId} and c.spent_micros > ${capMicros}`);
  return row ? { retryAfter: row.retry_after } : null;
}
