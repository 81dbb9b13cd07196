/**
 * All SQL on `rate_counters`: a share of the statements that accept sends and check codes. A counter's row is locked before it is
 * read and written in the same statement, so that parallel requests on any number of nodes never pass more than a limit. The clock
 * is the database's.
 */
import type { Queryable } from '../platform/db.ts';
import type { Share } from '../platform/share.ts';
import { type Column, raw, relation, type Sql, sql } from '../platform/sql.ts';
import type { RateAsk } from './asks.ts';

interface AskRow {
  /** The row's place in the statement, from 1. */
  item: number;
  applicationId: string;
  ask: RateAsk;
}

const askColumns: Record<string, Column<AskRow>> = {
  item: ['bigint', ({ item }) => item],
  application_id: ['bigint', ({ applicationId }) => applicationId],
  counter: ['text', ({ ask }) => ask.counter],
  policy: ['text', ({ ask }) => ask.policy],
  shadow: ['boolean', ({ ask }) => ask.shadow],
  allowed: ['integer', ({ ask }) => ask.limit],
  window_seconds: ['integer', ({ ask }) => ask.windowSeconds],
  grain_seconds: ['integer', ({ ask }) => ask.grainSeconds],
  keep_seconds: ['integer', ({ ask }) => ask.keepSeconds],
};

/**
 * `read` gives what an item counts on. Items of one statement take their places in order: one that would fit only if another is not
 * granted gets the verdict `changed` and asks again.
 */
export function createRateShare<Item>(
  read: (item: Item) => { applicationId: string; asks: readonly RateAsk[] },
): Share<Item> {
  const rowsOf = (items: readonly Item[]): AskRow[] =>
    items.flatMap((item, i) => {
      const { applicationId, asks } = read(item);
      return asks.map((ask) => ({ item: i + 1, applicationId, ask }));
    });
  return {
    word: 'rate',
    concerns: (items) => items.some((item) => read(item).asks.length > 0),
    columns: {},
    judge: (items, _input, after) => judgeClauses(relation(rowsOf(items), askColumns), after),
    write: writeClauses,
  };
}

const judgeClauses = (asks: Sql, after: Sql): Sql => sql`rate_asks as materialized (${asks}),
  rate_held as materialized (
    select c.application_id, c.counter, c.version, c.times, c.counts
    from (select distinct application_id, counter from rate_asks where (select count(*) from ${after}) >= 0) a
    join rate_counters c on c.application_id = a.application_id and c.counter = a.counter
    order by c.application_id, c.counter for update of c
  ),
  rate_judged as materialized (
    select a.ord, a.item, a.policy, a.shadow, a.allowed, a.window_seconds, coalesce(seen.used, 0)::integer as used,
      dense_rank() over (partition by a.application_id, a.counter order by a.item) as place, h.times, h.counts
    from rate_asks a left join rate_held h on h.application_id = a.application_id and h.counter = a.counter
    cross join lateral (
      select sum(count) as used from unnest(h.times, h.counts) as entry(time, count)
      where time > clock_now() - a.window_seconds * interval '1 second'
    ) seen
  ),
  rate_verdicts as materialized (
    select j.item as ord,
      case when bool_or(not shadow and used >= allowed) then 'rate_limited'
        when bool_or(not shadow and used + place > allowed) then 'changed' end as verdict,
      max(case when not shadow and used >= allowed then (${secondsUntilFree}) end)::integer as retry_after,
      jsonb_agg(jsonb_strip_nulls(jsonb_build_object('policy', policy, 'count', used, 'limit', allowed, 'window_seconds', window_seconds,
        'mode', case when shadow then 'shadow' end)) order by j.ord) as note
    from rate_judged j group by j.item
  )`;

/** Until the newest entry leaves the window with which the rest lies below what is allowed. */
const secondsUntilFree = raw(`
  select ceil(extract(epoch from max(time) - clock_now()) + j.window_seconds) from (
    select time, sum(count) over (order by time desc) as newer from unnest(j.times, j.counts) as entry(time, count)
    where time > clock_now() - j.window_seconds * interval '1 second'
  ) spread where newer >= j.allowed`);

const writeClauses = (granted: Sql): Sql => sql`rate_wanted as materialized (
    select application_id, counter, count(distinct item) as sends, max(keep_seconds) as keep_seconds,
      case when max(grain_seconds) = 0 then clock_now()
        else to_timestamp(ceil(extract(epoch from clock_now()) / max(grain_seconds)) * max(grain_seconds)) end as moment
    from rate_asks where item in (select ord from ${granted}) group by application_id, counter
  ),
  rate_counted as (
    insert into rate_counters as c (application_id, counter, version, times, counts, ends_at)
    select w.application_id, w.counter, coalesce(h.version, 0) + 1, kept.times, kept.counts,
      w.moment + w.keep_seconds * interval '1 second'
    from rate_wanted w left join rate_held h on h.application_id = w.application_id and h.counter = w.counter
    cross join lateral (
      select array_agg(time order by time) as times, array_agg(count order by time) as counts from (
        select time, sum(count)::integer as count from (
          select time, count from unnest(h.times, h.counts) as entry(time, count)
          where time > clock_now() - w.keep_seconds * interval '1 second'
          union all select w.moment, w.sends
        ) entry group by time
      ) entry
    ) kept
    order by w.application_id, w.counter
    on conflict (application_id, counter) do update
      set version = excluded.version, times = excluded.times, counts = excluded.counts, ends_at = greatest(c.ends_at, excluded.ends_at)
      where c.version = excluded.version - 1
    returning 1
  ),
  rate_settled as (
    select case when (select count(*) from rate_counted) < (select count(*) from rate_wanted) then repeat_statement() end
  )`;

/** Forgets what no window reaches any more; resolves with how many rows. */
export async function sweepCounters(db: Queryable, limit: number): Promise<number> {
  const [row] = await db.query<{ removed: number }>(sql`
    with gone as (
      delete from rate_counters where ctid = any(array(
        select ctid from rate_counters where ends_at < clock_now() limit ${limit} for update skip locked))
      returning 1
    )
    select count(*)::integer as removed from gone`);
  return row?.removed ?? 0;
}
