/** Reading a long log finds what is asked for by an index, as the server's connections plan it: for any values. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Queryable } from '../platform/db.ts';
import { raw, type Sql, sql } from '../platform/sql.ts';
import { openTestDatabase, type TestDatabase } from '../testing/database.ts';
import { listAttempts, listDeliveries } from './log-store.ts';

interface Plan {
  'Node Type': string;
  'Index Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: Plan[];
}

const rows = 30_000;
const endpointId = '7';
const limit = 21;
let database: TestDatabase;

before(async () => {
  database = await openTestDatabase('postgres');
  const { db } = database;
  // One in a second; of the oldest, some failed.
  await db.query(sql`
    insert into callback_attempts (endpoint_id, application_id, message_id, position, event_id, status, try, at, rows, outcome, latency_ms)
    select ${endpointId}, 1, n, n, n, 'sent', 1, clock_now() - (${rows}::bigint - n) * interval '1 second', 1,
      case when n <= 5 then 'given_up' when n <= 10 then 'retry' else 'accepted' end, 1
    from generate_series(1, ${rows}::bigint) n`);
  await db.query(sql`
    insert into callback_queue (endpoint_id, application_id, message_id, position, event_id, status, tries, due_at, given_up_at)
    select ${endpointId}, 1, n, n, n, 'sent', case when n <= 10 then 1 else 0 end,
      case when n > 5 then clock_now() end, case when n <= 5 then clock_now() end
    from generate_series(1, ${rows}::bigint) n`);
  for (const table of ['callback_attempts', 'callback_queue']) await db.query(raw(`vacuum analyze ${table}`));
});
after(() => database.close());

const literal = (value: unknown): string =>
  `'${Array.isArray(value) ? `{${value.join()}}` : value instanceof Date ? value.toISOString() : String(value)}'`;

/** What the store's statement would do on a connection that has planned it for any values: rows read, and the indexes they were read by. */
async function readBy(
  list: (on: Queryable) => Promise<object[]>,
): Promise<{ read: number; indexes: string[]; found: number }> {
  const found = (await list(database.db)).length;
  const asked: Sql[] = [];
  await list({
    query: async (statement) => {
      asked.push(statement);
      return [];
    },
  });
  const [{ text, values }] = asked.map((statement) => statement.toQuery()) as [ReturnType<Sql['toQuery']>];
  const plans = await database.db.transaction(async (tx) => {
    await tx.query(raw(`prepare listed as ${text}`));
    const execute = `execute listed(${values.map(literal).join()})`;
    const [row] = await tx.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(raw(`explain (analyze, format json) ${execute}`));
    await tx.query(raw('deallocate listed'));
    return row?.['QUERY PLAN'].flatMap(({ Plan: top }) => nodesOf(top)) ?? [];
  });
  const scans = plans.filter((plan) => / Scan$/.test(plan['Node Type']));
  assert.deepEqual(
    scans.filter((plan) => plan['Node Type'] === 'Seq Scan'),
    [],
  );
  return {
    read: scans.reduce(
      (sum, plan) => sum + (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops'],
      0,
    ),
    indexes: scans.flatMap((plan) => plan['Index Name'] ?? []),
    found,
  };
}

const nodesOf = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];

const attempts = (filter: object) =>
  readBy((on) => listAttempts(on, { ids: [endpointId], applicationId: '1' }, { limit, ...filter }));
const agoMs = (ms: number): Date => new Date(database.clock.now() - ms);

test('tries that failed are found among those that did not', async () => {
  for (const outcome of ['retry', 'given_up']) {
    const { read, indexes, found } = await attempts({ outcome });
    assert.equal(found, 5);
    assert.ok(indexes.includes('callback_attempts_failed'), indexes.join());
    assert.ok(read < 100, `${outcome}: ${read}`);
  }
});

test('tries since a time are read from there on, with an outcome and without', async () => {
  for (const [since, filter, expected] of [
    [agoMs(5_500), {}, 6],
    [agoMs(3_600_000), { outcome: 'retry' }, 0],
    [agoMs((rows - 8) * 1000 + 500), { outcome: 'retry' }, 3],
    [agoMs(-60_000), {}, 0],
    [agoMs(2 * rows * 1000), { outcome: 'given_up' }, 5],
    [agoMs(2 * rows * 1000), {}, limit],
  ] as const) {
    const { read, found } = await attempts({ since, ...filter });
    const about = `${since.toISOString()} ${JSON.stringify(filter)}`;
    assert.ok(Math.abs(found - expected) <= 1, `${about}: ${found}`);
    assert.ok(read < 400, `${about}: ${read} rows`);
  }
});

test('events that failed are found among those that wait', async () => {
  for (const state of ['retrying', 'given_up'] as const) {
    const { read, found } = await readBy((on) => listDeliveries(on, [endpointId], { state, limit }));
    assert.equal(found, 5);
    assert.ok(read < 100, `${state}: ${read}`);
  }
});
