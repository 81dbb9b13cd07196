/** The statements that read the rollups. */
import { committedEntries } from '../events/index.ts';
import type { Queryable } from '../platform/db.ts';
import { join, raw, type Sql, sql } from '../platform/sql.ts';
import { counters, latencies, type Sums } from './measures.ts';

export const groups = ['country', 'channel', 'template', 'hour', 'day', 'provider'] as const;
export type Group = (typeof groups)[number];

export interface Filter {
  country?: string | undefined;
  channel?: string | undefined;
  template?: string | undefined;
  provider?: string | undefined;
}

/** Hours from `from` on, whole days between the two in the middle, hours to `until`. */
export interface Span {
  from: Date;
  daysFrom: Date;
  daysUntil: Date;
  until: Date;
}

/** An hour or a day is where it starts. */
export type SumRow = Sums & Partial<Record<`by_${Group}`, string | Date>>;

const groupColumns: Record<Group, Sql> = {
  country: raw('country as by_country'),
  channel: raw('channel as by_channel'),
  template: raw('template_id as by_template'),
  hour: raw('starts_at as by_hour'),
  day: raw(`date_trunc('day', starts_at, 'UTC') as by_day`),
  provider: raw('provider as by_provider'),
};
const keys = (by: readonly Group[]): Sql => raw(by.map((group) => `by_${group}`).join(', '));
const sums = raw([...counters, ...latencies].map((name) => `sum(${name})::text as ${name}`).join(', '));
const measures = raw([...counters, ...latencies].join(', '));

/** At most `limit` rows, in the order of their keys; without groups one, or none where nothing was counted. */
export function readSums(
  db: Queryable,
  applicationId: string,
  { from, daysFrom, daysUntil, until }: Span,
  filter: Filter,
  by: readonly Group[],
  limit: number,
): Promise<SumRow[]> {
  const part = (span: 'hour' | 'day', start: Date, end: Date): Sql => sql`
    select ${join([...by.map((group) => groupColumns[group]), measures])} from insight_rollups
    where application_id = ${applicationId} and span = ${span} and starts_at >= ${start} and starts_at < ${end}
      and (${filter.country ?? null}::text is null or country = ${filter.country ?? null})
      and (${filter.channel ?? null}::text is null or channel = ${filter.channel ?? null})
      and (${filter.template ?? null}::text is null or template_id = ${filter.template ?? null})
      and (${filter.provider ?? null}::text is null or provider = ${filter.provider ?? null})`;
  const parts = [part('hour', from, daysFrom), part('day', daysFrom, daysUntil), part('hour', daysUntil, until)];
  const grouping =
    by.length === 0 ? sql`having count(*) > 0` : sql`group by ${keys(by)} order by ${keys(by)} limit ${limit}`;
  return db.query<SumRow>(sql`
    select ${join(by.length === 0 ? [sums] : [keys(by), sums])} from (${join(parts, ' union all ')}) as part ${grouping}`);
}

/** When the oldest entry happened that is not counted yet; now when all are. */
export async function readCountedUntil(db: Queryable, applicationId: string): Promise<Date> {
  const [row] = await db.query<{ at: Date }>(sql`
    select coalesce((
      select entry.at from (${committedEntries()}) as entry
      where entry.application_id = ${applicationId} and (entry.txid, entry.position) > (
        coalesce((select txid from insight_followers where application_id = ${applicationId}), '0'),
        coalesce((select position from insight_followers where application_id = ${applicationId}), 0))
      order by entry.txid, entry.position limit 1
    ), clock_now()) as at`);
  return row?.at ?? new Date(0);
}

/** Sends by day (UTC) and country over the seven days before today, and the first day there is. */
export async function readPastSends(
  db: Queryable,
  applicationId: string,
): Promise<{ since: Date | null; days: { country: string; messages: number }[] }> {
  const [row] = await db.query<{ since: Date | null; days: { country: string; messages: number }[] | null }>(sql`
    with daily as (
      select starts_at, country, sum(messages)::integer as messages from insight_rollups
      where application_id = ${applicationId} and span = 'day' and country <> ''
        and starts_at < date_trunc('day', clock_now(), 'UTC') and starts_at >= date_trunc('day', clock_now(), 'UTC') - interval '7 days'
      group by starts_at, country having sum(messages) > 0
    )
    select (select starts_at from insight_rollups where application_id = ${applicationId} and span = 'day' order by starts_at limit 1) as since,
      (select jsonb_agg(jsonb_build_object('country', country, 'messages', messages)) from daily) as days`);
  return { since: row?.since ?? null, days: row?.days ?? [] };
}
