/**
 * What balance and budgets add to the accepting statement. It locks, in this order and each in the order of its ids: balances of
 * prepaid organizations, counters of budgets. Who has neither costs two looks into an index per statement and locks nothing.
 * Items of one statement take their places in order: one that would fit only if another is not granted gets the verdict `changed` and
 * asks again.
 */
import type { Share } from '../platform/share.ts';
import { raw, type Sql, sql } from '../platform/sql.ts';
import { type SpendAsk, spendColumns } from './ask.ts';

/** Start of the calendar period that now lies in, of a budget with the given column of its period. */
export const periodStart = (period: string): Sql =>
  raw(`(date_trunc(${period}, clock_now() at time zone 'UTC') at time zone 'UTC')`);

export const spendShare: Share<{ spend: SpendAsk | null }> = {
  word: 'spend',
  concerns: (items) => items.some(({ spend }) => spend !== null),
  columns: spendColumns,
  judge: (_items, input, after) => judge(input, after),
  write,
};

function judge(input: Sql, after: Sql): Sql {
  return sql`spend_asked as materialized (
    select ord, application_id, message_id, spend_organization as organization_id, spend_country as country,
      spend_calling_code as calling_code, spend_micros as micros, spend_key as key_id,
      spend_key_micros as key_micros, spend_key_cap as key_cap
    from ${input} where spend_organization is not null and (select count(*) from ${after}) >= 0
  ), spend_balances as materialized (
    select b.organization_id, b.balance_micros - b.reserved_micros as available
    from (select distinct organization_id from spend_asked) a join balances b on b.organization_id = a.organization_id
    where b.mode = 'prepaid' order by b.organization_id for no key update of b
  ), spend_candidates as materialized (
    select g.id as counter_id, g.application_id, g.scope, g.scope_value, g.period, g.cap_micros
    from (select distinct application_id from spend_asked) a join budgets g on g.application_id = a.application_id
    where g.enabled
  ), spend_counters as materialized (
    select c.counter_id, c.period_start, c.spent_micros
    from (select counter_id from spend_candidates union select key_id from spend_asked where key_id is not null) g
    join budget_counters c on c.counter_id = g.counter_id
    where (select count(*) from spend_balances) >= 0 order by c.counter_id for no key update of c
  ), ${caps}, ${verdicts}`;
}

/** An item and a cap that it falls under, with what its period had spent and what the items up to this one would add. */
const caps = sql`spend_caps as materialized (
    select f.ord, f.application_id, f.message_id, f.counter_id, f.cap_micros, f.micros, f.estimate_micros, f.held_micros,
      f.budget, f.ends,
      -- A transaction that waited has an older clock than whoever began the period.
      greatest(f.starts, c.period_start) as period_start,
      case when c.period_start >= f.starts then c.spent_micros else 0 end as spent,
      sum(f.micros) over (partition by f.counter_id order by f.ord)::bigint as running
    from (
      select a.ord, a.application_id, a.message_id, a.micros, a.micros as estimate_micros, null::bigint as held_micros, g.counter_id,
        g.cap_micros, g.counter_id::text as budget,
        ${periodStart('g.period')} as starts, ${periodStart('g.period')} at time zone 'UTC' + ('1 ' || g.period)::interval as ends
      from spend_asked a join spend_candidates g on g.application_id = a.application_id
        and (g.scope = 'all' or g.scope = 'country' and g.scope_value = a.country
          or g.scope = 'calling_code' and g.scope_value = a.calling_code)
      union all
      select a.ord, a.application_id, a.message_id, a.key_micros, a.micros, a.key_micros, a.key_id, a.key_cap, 'key:' || a.key_id,
        ${periodStart("'day'")}, ${periodStart("'day'")} at time zone 'UTC' + interval '1 day'
      from spend_asked a where a.key_id is not null
    ) f left join spend_counters c on c.counter_id = f.counter_id
  )`;

/** Only of those that something was asked about: no row means that nothing is against it. */
const verdicts = sql`spend_verdicts as materialized (
    select ord, case min(place) when 1 then 'insufficient_balance' when 2 then 'budget_exhausted' when 3 then 'changed' end as verdict,
      case when min(place) = 2 then max(retry_after) end::integer as retry_after, jsonb_agg(note) filter (where note is not null) as note
    from (
      select a.ord, case when a.micros > b.available then 1
          when sum(a.micros) over (partition by a.organization_id order by a.ord) > b.available then 3 end as place,
        null::numeric as retry_after, null::jsonb as note
      from spend_asked a join spend_balances b on b.organization_id = a.organization_id
      union all
      select c.ord, case when c.spent + c.micros > c.cap_micros then 2 when c.spent + c.running > c.cap_micros then 3 end,
        case when c.spent + c.micros > c.cap_micros
          then ceil(extract(epoch from c.ends - clock_now() at time zone 'UTC')) end,
        jsonb_build_object('budget', c.budget, 'spent_micros', c.spent, 'cap_micros', c.cap_micros,
          'action', case when c.spent + c.micros > c.cap_micros then 'block' else 'none' end)
      from spend_caps c
    ) found group by ord
  )`;

function write(granted: Sql): Sql {
  return sql`spend_reserved as (
    insert into balance_reservations (application_id, message_id, organization_id, micros)
    select g.application_id, g.message_id, b.organization_id, g.spend_micros
    from ${granted} g join spend_balances b on b.organization_id = g.spend_organization where g.spend_micros > 0
  ), spend_granted as materialized (
    select c.* from spend_caps c
    where exists (select from ${granted} g where g.application_id = c.application_id and g.message_id = c.message_id)
  ), spend_counted as (
    -- One that is there now and was not when it was judged: somebody made it meanwhile.
    insert into budget_counters as c (counter_id, period_start, spent_micros)
    select counter_id, period_start, min(spent) + sum(micros) from spend_granted group by counter_id, period_start order by counter_id
    on conflict (counter_id) do update set period_start = excluded.period_start,
      spent_micros = case when exists (select from spend_counters s where s.counter_id = excluded.counter_id)
        then excluded.spent_micros else repeat_statement() end
  ), spend_used as (
    insert into budget_uses (application_id, message_id, counter_ids, period_starts, open_micros, held_micros)
    select application_id, message_id, array_agg(counter_id order by counter_id), array_agg(period_start order by counter_id),
      min(estimate_micros), case when count(held_micros) > 0 then array_agg(held_micros order by counter_id) end
    from spend_granted group by application_id, message_id
  ), spend_settled as (select)`;
}
