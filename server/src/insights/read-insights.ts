/** What happened in a span of time, added up from rollups: the totals, and a row for each group. */
import { invalid } from '../errors.ts';
import { timeOf } from '../wire.ts';
import { add, blockOf, nothing, readAdded } from './block.ts';
import type { InsightsPorts } from './ports.ts';
import { type Filter, type Group, readCountedUntil, readSums, type Span, type SumRow } from './read-store.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const maxDays = 92;
const maxDaysByHour = 14;
const maxRows = 10_000;

export interface InsightQuery extends Filter {
  from?: string | undefined;
  until?: string | undefined;
  group_by?: readonly Group[] | undefined;
}

export async function readInsights(
  { db, clock, currency }: Pick<InsightsPorts, 'db' | 'clock' | 'currency'>,
  applicationId: string,
  { from, until, group_by: by = [], ...filter }: InsightQuery,
) {
  const span = spanOf(from, until, by, clock.now());
  // Before the sums: what is counted in between is in them, and not promised.
  const countedUntil = await readCountedUntil(db, applicationId);
  const rows = await readSums(db, applicationId, span, filter, by, maxRows + 1);
  if (rows.length > maxRows)
    throw invalid([{ field: 'group_by', problem: `makes more than ${maxRows} rows; shorten the time or filter` }]);
  const totals = nothing();
  const blocks = rows.map((row) => {
    const added = readAdded(row);
    add(totals, added);
    return { key: keyOf(row, by), ...blockOf(added) };
  });
  return {
    from: span.from.toISOString(),
    until: span.until.toISOString(),
    computed_until: countedUntil.toISOString(),
    currency,
    totals: blockOf(totals),
    rows: by.length === 0 ? [] : blocks,
  };
}

const keyOf = (row: SumRow, by: readonly Group[]): Partial<Record<Group, string | null>> =>
  Object.fromEntries(by.map((group) => [group, keyPart(group, row[`by_${group}`])]));

/** What there is none of is empty in a rollup. */
function keyPart(group: Group, value: string | Date | undefined): string | null {
  if (!(value instanceof Date)) return value || null;
  const text = value.toISOString();
  return group === 'day' ? text.slice(0, 10) : `${text.slice(0, 19)}Z`;
}

/** Whole hours, the last one included; whole days of UTC are read as such, unless hours are asked for. */
function spanOf(fromText: string | undefined, untilText: string | undefined, by: readonly Group[], now: number): Span {
  const until = timeOf(untilText, 'until', now);
  const from = timeOf(fromText, 'from', until - dayMs);
  if (from >= until) throw invalid([{ field: 'from', problem: 'must be before until' }]);
  const days = by.includes('hour') ? maxDaysByHour : maxDays;
  const start = Math.floor(from / hourMs) * hourMs;
  // By the hour: who asks for 92 days until now means that, and time goes on.
  if (Math.floor(until / hourMs) * hourMs - start > days * dayMs)
    throw invalid([{ field: 'from', problem: `must be at most ${days} days before until` }]);
  const end = Math.ceil(until / hourMs) * hourMs;
  const firstDay = Math.ceil(start / dayMs) * dayMs;
  const lastDay = Math.floor(end / dayMs) * dayMs;
  const wholeDays = firstDay < lastDay && !by.includes('hour');
  return {
    from: new Date(start),
    daysFrom: new Date(wholeDays ? firstDay : start),
    daysUntil: new Date(wholeDays ? lastDay : start),
    until: new Date(end),
  };
}
