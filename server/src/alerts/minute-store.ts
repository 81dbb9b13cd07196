/**
 * The statements that count the ledger into minutes. A chunk and the cursor behind it are one statement, so that every entry counts
 * once, whatever node counts it and whenever one dies.
 */
import { firstFollowed, followedEntries, ledgerEntries } from '../events/index.ts';
import type { Queryable } from '../platform/db.ts';
import { sql } from '../platform/sql.ts';
import { countedKinds } from './rule.ts';

/** The average hour of seven days before the last hour is asked for. */
export const keptDays = 8;

/** Begins with the application's messages from `fromId` on, or with what comes from now on. */
export async function ensureFollower(db: Queryable, applicationId: string, fromId: string): Promise<void> {
  await db.query(sql`
    insert into alert_followers (application_id, txid, position)
    select ${applicationId}::bigint, coalesce(first.txid, pg_snapshot_xmin(pg_current_snapshot())), coalesce(first.position - 1, 0)
    from (values (1)) as one left join (${firstFollowed(applicationId, fromId)}) as first on true
    on conflict do nothing`);
}

/** `held` false: another node is counting, or nobody follows. */
export async function countChunk(
  db: Queryable,
  applicationId: string,
  limit: number,
): Promise<{ held: boolean; read: number }> {
  const [row] = await db.query<{ held: boolean; read: number }>(sql`
    with follower as (
      select txid, position from alert_followers where application_id = ${applicationId} for update skip locked
    ), fresh as materialized (
      select txid, position, at, message_id, attempt, status, data from (${followedEntries()}) as entry
      where application_id = ${applicationId}
        and (txid, position) > ((select txid from follower), (select position from follower))
      order by txid, position limit ${limit}
    ), told as (
      select date_trunc('minute', at) as minute, (status = 'sent')::integer as sent, 0 as delivered, 0 as undelivered,
        (status = 'verified')::integer as verified, (status in ('verified_failed', 'verified_timeout'))::integer as unverified,
        case when status = 'sent' then round((data -> 'billing' ->> 'cost')::numeric * 1000000)::bigint else 0 end as cost
      from fresh where status in ('sent', 'verified', 'verified_failed', 'verified_timeout')
      union all
      select date_trunc('minute', hand_over.at), 0, (fresh.status = 'delivered')::integer, (fresh.status <> 'delivered')::integer, 0, 0, 0
      from fresh cross join lateral (
        select at from (${ledgerEntries()}) as entry
        where application_id = ${applicationId} and message_id = fresh.message_id and status = 'sent'
          and attempt = fresh.attempt
        order by position limit 1
      ) as hand_over
      where fresh.status in ('delivered', 'delivered_failed', 'target_invalid')
    ), counted as (
      insert into alert_minutes as kept (application_id, minute, sent, delivered, undelivered, verified, unverified, cost_micros)
      select ${applicationId}::bigint, minute, sum(sent), sum(delivered), sum(undelivered), sum(verified), sum(unverified),
        sum(coalesce(cost, 0))
      from told where minute > clock_now() - ${keptDays} * interval '1 day' group by minute order by minute
      on conflict (application_id, minute) do update set sent = kept.sent + excluded.sent,
        delivered = kept.delivered + excluded.delivered, undelivered = kept.undelivered + excluded.undelivered,
        verified = kept.verified + excluded.verified, unverified = kept.unverified + excluded.unverified,
        cost_micros = kept.cost_micros + excluded.cost_micros
    ), moved as (
      update alert_followers set txid = last.txid, position = last.position
      from (select txid, position from fresh order by txid desc, position desc limit 1) as last
      where application_id = ${applicationId}
    )
    select exists (select 1 from follower) as held, (select count(*)::integer from fresh) as read`);
  return row ?? { held: false, read: 0 };
}

export interface Rates {
  verified: number;
  ended: number;
  delivered: number;
  /** Those sent two minutes ago or more, and younger ones with a receipt. */
  sent: number;
}

export async function readRates(tx: Queryable, applicationId: string): Promise<Rates> {
  const [row] = await tx.query<Rates>(sql`
    select coalesce(sum(verified), 0)::integer as verified, coalesce(sum(verified + unverified), 0)::integer as ended,
      coalesce(sum(least(delivered, sent)), 0)::integer as delivered,
      coalesce(sum(case when minute <= clock_now() - interval '3 minutes' then sent
        else least(sent, delivered + undelivered) end), 0)::integer as sent
    from alert_minutes where application_id = ${applicationId} and minute > clock_now() - interval '60 minutes'`);
  return row ?? { verified: 0, ended: 0, delivered: 0, sent: 0 };
}

export interface Spend {
  /** Of the last hour. */
  micros: number;
  sent: number;
  /** Of the seven days before it. */
  beforeMicros: number;
  /** How many hours of them are known. */
  hoursBefore: number;
}

export async function readSpend(tx: Queryable, applicationId: string): Promise<Spend> {
  const [row] = await tx.query<{ micros: string; sent: number; before_micros: string; hours_before: number }>(sql`
    with known as (
      select minute > clock_now() - interval '60 minutes' as recent, minute, sent, cost_micros from alert_minutes
      where application_id = ${applicationId} and minute > clock_now() - interval '7 days 60 minutes'
    )
    select coalesce(sum(cost_micros) filter (where recent), 0)::bigint as micros,
      coalesce(sum(sent) filter (where recent), 0)::integer as sent,
      coalesce(sum(cost_micros) filter (where not recent), 0)::bigint as before_micros,
      coalesce(extract(epoch from clock_now() - interval '60 minutes' - min(minute) filter (where not recent)) / 3600, 0)::double precision
        as hours_before
    from known`);
  if (!row) return { micros: 0, sent: 0, beforeMicros: 0, hoursBefore: 0 };
  return {
    micros: Number(row.micros),
    sent: row.sent,
    beforeMicros: Number(row.before_micros),
    hoursBefore: row.hours_before,
  };
}

/** Forgets old minutes, and all of applications that no rule counts any more. */
export async function sweepMinutes(db: Queryable): Promise<void> {
  await db.query(sql`
    with idle as (
      select application_id from alert_followers follower where not exists (
        select 1 from alert_rules rule
        where rule.application_id = follower.application_id and rule.kind = any(${countedKinds}::text[]))
    ), gone as (
      delete from alert_followers where application_id in (select application_id from idle)
    )
    delete from alert_minutes where application_id in (select application_id from idle)
      or minute <= clock_now() - ${keptDays} * interval '1 day'`);
}
