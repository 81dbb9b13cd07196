/** What was used and what it cost, by day, application, channel, country and provider: counted from the attempts themselves. */
import { ApiError, invalid } from '../errors.ts';
import { timeOf } from '../wire.ts';
import { writeCsv } from './csv.ts';
import { formatMicros } from './money.ts';
import type { Office } from './office.ts';
import { sumUsage } from './usage-store.ts';

const dayMs = 86_400_000;
const maxDays = 92;
const maxRows = 20_000;
const applicationsAtOnce = 1_000;

export interface UsageQuery {
  from?: string | undefined;
  until?: string | undefined;
  application_id?: string | undefined;
}

const usageColumns = [
  ...['day', 'application_id', 'channel', 'country', 'provider', 'messages', 'attempts', 'segments'],
  ...['cost_micros', 'refunded_micros', 'cost', 'currency'],
];

export async function readUsage(office: Office, query: UsageQuery) {
  const span = spanOf(query, office.memory.now());
  const found = await sumUsage(office.db, office.relations, await applicationsOf(office, query), span, maxRows + 1);
  if (found.length > maxRows)
    throw invalid([
      { field: 'from', problem: `makes more than ${maxRows} rows; shorten the time or name an application` },
    ]);
  const rows = found.map((row) => ({
    day: row.day,
    application_id: row.applicationId,
    channel: row.channel,
    country: row.country || null,
    provider: row.provider,
    messages: Number(row.messages),
    attempts: Number(row.attempts),
    segments: row.segments === null ? null : Number(row.segments),
    cost_micros: Number(row.costMicros),
    refunded_micros: Number(row.refundedMicros),
  }));
  return { from: span.from.toISOString(), until: span.until.toISOString(), currency: office.currency, rows };
}

export type Usage = Awaited<ReturnType<typeof readUsage>>;

export const writeUsage = ({ rows, currency }: Usage): string =>
  writeCsv(
    usageColumns,
    rows.map((row) => ({
      ...Object.fromEntries(Object.entries(row).map(([name, value]) => [name, String(value ?? '')])),
      cost: formatMicros(row.cost_micros - row.refunded_micros),
      currency,
    })),
  );

function spanOf({ from: fromText, until: untilText }: UsageQuery, now: number): { from: Date; until: Date } {
  // Nothing was accepted after today.
  const until = Math.ceil(Math.min(timeOf(untilText, 'until', now), now) / dayMs) * dayMs;
  const from = Math.floor(timeOf(fromText, 'from', until - dayMs) / dayMs) * dayMs;
  if (from >= until) throw invalid([{ field: 'from', problem: 'must be before until' }]);
  if (from < 0 || until - from > maxDays * dayMs)
    throw invalid([{ field: 'from', problem: `must be at most ${maxDays} days before until` }]);
  return { from: new Date(from), until: new Date(until) };
}

async function applicationsOf(office: Office, { application_id: id }: UsageQuery): Promise<string[]> {
  if (id !== undefined) {
    if (!(await office.application(id))) throw new ApiError(4001, 'application not found', { status: 404 });
    return [id];
  }
  const ids: string[] = [];
  for (let after = '0'; ; ) {
    const page = await office.applicationsAfter(after, applicationsAtOnce);
    ids.push(...page.map((application) => application.id));
    const last = page.at(-1);
    if (!last || page.length < applicationsAtOnce) return ids;
    after = last.id;
  }
}
