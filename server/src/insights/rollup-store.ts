/**
 * The statements that count the ledger into rollups. A chunk and the cursor behind it are one statement, so that every entry counts
 * once, whatever node counts it and whenever one dies. What came before an entry is always asked in the order of the ledger, never
 * in the order of counting, so that a count does not depend on when it is made.
 */
import { followedApplications, followedEntries, ledgerEntries, uncalledEntries } from '../events/index.ts';
import type { Queryable } from '../platform/db.ts';
import { join, raw, type Sql, sql } from '../platform/sql.ts';
import { bucketCount, digits, growth } from './histogram.ts';
import { counters, latencies } from './measures.ts';
import type { Relations } from './ports.ts';

const keptDays = 400;

/** Applications with entries that are not counted yet, new ones among them. */
export async function findUncounted(db: Queryable): Promise<string[]> {
  const newer = (entries: Sql): Sql => sql`exists (
    select 1 from (${entries}) as entry
    where entry.application_id = f.application_id and (entry.txid, entry.position) > (f.txid, f.position))`;
  const rows = await db.query<{ application_id: string }>(sql`
    with met as (
      insert into insight_followers (application_id, txid, position)
      select application_id, '0', 0 from (${followedApplications()}) as a
      where not exists (select 1 from insight_followers f where f.application_id = a.application_id)
      on conflict do nothing returning application_id
    )
    select application_id from met
    union all
    select application_id from insight_followers f where ${newer(followedEntries())} or ${newer(uncalledEntries())}`);
  return rows.map((row) => row.application_id);
}

/** `held` false: another node is counting. */
export async function countChunk(
  db: Queryable,
  applicationId: string,
  limit: number,
  relations: Relations,
): Promise<{ held: boolean; read: number }> {
  const told = toldBy(applicationId, relations);
  const [row] = await db.query<{ held: boolean; read: number }>(sql`
    with follower as materialized (
      select txid, position from insight_followers where application_id = ${applicationId} for update skip locked
    ), fresh as materialized (
      select * from (
        (${behind(followedEntries(), applicationId, limit)}) union all (${behind(uncalledEntries(), applicationId, limit)})
      ) as entry order by txid, position limit ${limit}
    ), ${told},
    counted as (
      insert into insight_rollups as kept (application_id, span, starts_at, country, channel, template_id, provider, ${measures})
      select ${applicationId}::bigint, span, date_trunc(span, accepted_at, 'UTC'), coalesce(country, ''), coalesce(channel, ''),
        template_id, coalesce(provider, ''), ${sums}
      from told cross join (values ('hour'), ('day')) as spans (span)
      where accepted_at > clock_now() - ${keptDays} * interval '1 day' group by 2, 3, 4, 5, 6, 7
      on conflict (application_id, span, starts_at, country, channel, template_id, provider) do update set ${additions}
    ), moved as (
      update insight_followers set txid = last.txid, position = last.position
      from (select txid, position from fresh order by txid desc, position desc limit 1) as last
      where application_id = ${applicationId}
    )
    select exists (select 1 from follower) as held, (select count(*)::integer from fresh) as read`);
  return row ?? { held: false, read: 0 };
}

const behind = (entries: Sql, applicationId: string, limit: number): Sql => sql`
  select txid, position, at, message_id, cause, status, step, attempt, channel, data from (${entries}) as entry
  where application_id = ${applicationId}
    and (txid, position) > ((select txid from follower), (select position from follower))
  order by txid, position limit ${limit}`;

const measureNames = [...counters, ...latencies];
const measures = raw(measureNames.join(', '));
const additions = raw(measureNames.map((name) => `${name} = kept.${name} + excluded.${name}`).join(', '));
/** The histogram of what is added up: each value is one in the counter of its bucket, see histogram.ts. */
export const bucketSum = (
  ms: Sql,
): Sql => sql`sum(('1e' || ${raw(String(digits))} * least(${raw(String(bucketCount - 1))},
  floor(ln(greatest(${ms}, 1)::double precision) / ln(${raw(String(growth))}::double precision))::integer))::numeric)`;

/** `what` is the measure an entry adds to. */
const sumOf = (name: string, sum: Sql): Sql => sql`coalesce(${sum} filter (where what = ${raw(`'${name}'`)}), 0)`;
const sums = join([
  ...counters.map((name) => sumOf(name, raw('sum(amount)'))),
  ...latencies.map((name) => sumOf(name, bucketSum(raw('amount')))),
]);

const millis = (from: string, until: string): Sql => raw(`extract(epoch from ${until} - ${from}) * 1000`);
/** Of one message or verification, that an entry `e` stands before the entry `k`. Written so that no index of the order serves it. */
const before = raw('(e.txid < k.txid or (e.txid = k.txid and e.position < k.position))');

/** The clauses from `fresh` to `told`: accepted_at, country, channel, template_id, provider, what, amount. */
function toldBy(applicationId: string, { facts, acceptances, verifications }: Relations): Sql {
  const factsOf = (id: string): Sql => sql`(
    select m.created_at, m.country, m.template_id, m.verification_id from (${facts}) m
    where m.application_id = ${applicationId} and m.message_id = ${raw(id)} limit 1)`;
  const providerOf = (entry: string): Sql => sql`(
    select a.provider from (${acceptances}) a where a.application_id = ${applicationId}
      and a.message_id = ${raw(`${entry}.message_id`)} and a.attempt = ${raw(`${entry}.attempt`)}
    order by a.try is not distinct from (${raw(`${entry}.data`)} ->> 'try')::integer desc, a.answered_at, a.try limit 1)`;
  const entriesOf = (status: string, messages: Sql): Sql => sql`(${followedEntries()}) e
    where e.application_id = ${applicationId} and e.message_id = ${messages} and e.status = ${status}`;
  const firstChannel = sql`(
    select p.channel from (${ledgerEntries()}) p where p.application_id = ${applicationId} and p.message_id = k.message_id
      and p.status = 'plan' order by p.position limit 1) as planned`;
  return sql`known as materialized (
      select f.*, m.created_at, m.country, m.template_id, m.verification_id from fresh f cross join lateral ${factsOf('f.message_id')} m
      where f.status is null or f.status in ('plan', 'sent', 'delivered', 'delivered_failed', 'target_invalid',
        'verified', 'verified_failed', 'verified_timeout')
    ), sends as materialized (
      select k.*, earlier.sent, earlier.sent > 0 and earlier.least = earlier.most and earlier.least <> k.step as falls_back,
        ${providerOf('k')} as provider
      from known k cross join lateral (
        select count(*) as sent, min(e.step) as least, max(e.step) as most from ${entriesOf('sent', raw('k.message_id'))} and ${before}
      ) as earlier
      where k.status = 'sent'
    ), issued as (
      select first.created_at, first.country, k.channel, first.template_id, k.provider
      from sends k cross join lateral ${factsOf('k.verification_id')} first
      where k.sent = 0 and not exists (
        select 1 from (${verifications}) v cross join lateral (
          select 1 from ${entriesOf('sent', raw('any(v.message_ids)'))} and ${before}
        ) as elsewhere
        where v.application_id = ${applicationId} and v.id = k.verification_id and cardinality(v.message_ids) > 1)
    ), checks as materialized (
      select k.status, k.cause, k.at, first.created_at, first.country, coalesce(way.channel, k.channel) as channel,
        first.template_id, way.provider, way.sent is not null as sent
      from known k cross join lateral ${factsOf('k.verification_id')} first left join lateral (
        select true as sent, s.channel, ${providerOf('s')} as provider from (${verifications}) v cross join lateral (
          select e.* from ${entriesOf('sent', raw('any(v.message_ids)'))} and ${before} offset 0
        ) s
        where v.application_id = ${applicationId} and v.id = k.verification_id order by s.txid, s.position limit 1
      ) way on true
      where k.cause = 'wrong_code' or k.status in ('verified', 'verified_failed', 'verified_timeout')
    ), receipts as materialized (
      select k.*, hand_over.at as sent_at, ${providerOf('k')} as provider from known k left join lateral (
        select s.at from (${ledgerEntries()}) s where s.application_id = ${applicationId} and s.message_id = k.message_id
          and s.status = 'sent' and s.attempt = k.attempt order by s.position limit 1
      ) as hand_over on true
      where k.status = 'delivered' and (hand_over.at is not null or k.data ? 'accepted_micros')
    ), refunds as (
      select k.*, ${providerOf('k')} as provider,
        coalesce((k.data ->> 'charged_micros')::bigint, 0) - coalesce((k.data ->> 'refunded_micros')::bigint, 0)
          + coalesce((k.data ->> 'accepted_micros')::bigint, 0) as micros
      from known k where k.data ?| array['refunded_micros', 'charged_micros', 'accepted_micros']
    ), told (accepted_at, country, channel, template_id, provider, what, amount) as (
      select created_at, country, channel, template_id, '', 'messages', 1 from known where status = 'plan'
      union all
      select created_at, country, channel, template_id, provider, what, amount from sends k cross join lateral (values
        ('steps_sent', 1), ('cost_micros', coalesce(round((k.data -> 'billing' ->> 'cost')::numeric * 1000000), 0)),
        ('accept_to_sent', case when k.sent = 0 then ${millis('k.created_at', 'k.at')} end)
      ) as measured (what, amount) where amount is not null
      union all
      select created_at, country, channel, template_id, provider, 'verifications', 1 from issued
      union all
      select created_at, country, channel, template_id, provider, what, amount from receipts k cross join lateral (values
        ('delivered', 1), ('sent_to_delivered', ${millis('k.sent_at', 'k.at')}),
        -- Told as failed, for it had no answer; the receipt is what told that it was sent.
        ('steps_sent', case when k.sent_at is null then 1 end)) as measured (what, amount) where amount is not null
      union all
      select created_at, country, channel, template_id, provider, 'cost_micros', micros from refunds
      union all
      select k.created_at, k.country, planned.channel, k.template_id, '', 'fallbacks', 1
      from sends k cross join lateral ${firstChannel} where k.falls_back
      union all
      select k.created_at, k.country, planned.channel, k.template_id, '', 'resends', 1
      from known k cross join lateral ${firstChannel} where k.cause = 'resent'
      union all
      select created_at, country, channel, template_id, provider, what, amount from checks k cross join lateral (values
        ('verified', case when k.status = 'verified' then 1 end),
        ('accept_to_verified', case when k.status = 'verified' then ${millis('k.created_at', 'k.at')} end),
        ('exhausted', case when k.status = 'verified_failed' then 1 end),
        ('expired', case when k.status = 'verified_timeout' then 1 end),
        ('wrong_codes', case when k.cause = 'attempts_exhausted' or (k.cause = 'wrong_code' and k.sent) then 1 end)
      ) as measured (what, amount) where amount is not null
    )`;
}

/** Removes up to `limit` rollups of old; resolves with how many. */
export async function sweepRollups(db: Queryable, limit: number): Promise<number> {
  const [row] = await db.query<{ removed: number }>(sql`
    with gone as (
      delete from insight_rollups where ctid = any(array(
        select ctid from insight_rollups where starts_at < clock_now() - ${keptDays} * interval '1 day' limit ${limit}))
      returning 1
    )
    select count(*)::integer as removed from gone`);
  return row?.removed ?? 0;
}

/** A relation of where applications sent to on which day (UTC): application_id, country, day. Found by application and time. */
export const sentCountries = (): Sql => sql`
  select application_id, country, starts_at as day from insight_rollups
  where span = 'day' and country <> '' and messages > 0`;
