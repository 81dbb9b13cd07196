/** What was used, against a recount of every attempt in plain code. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusedForNow, undelivered } from '../channels/index.ts';
import { sql } from '../platform/sql.ts';
import { bodyOf, newNumber, type TestApplication } from '../testing/application.ts';
import { accepts, onEachScene, type Scene } from './fixture.ts';

interface Counted {
  application_id: string;
  message_id: string;
  channel: string;
  provider: string;
  outcome: string;
  route: { segments?: number } | null;
  cost_micros: string;
  country: string | null;
  created_at: Date;
  attempt: number;
  try: number;
  plan: { handOvers: { attempt: number; refunded?: Record<number, number> }[] };
}
interface Row {
  day: string;
  application_id: string;
  channel: string;
  country: string | null;
  provider: string;
  messages: number;
  attempts: number;
  segments: number | null;
  cost_micros: number;
  refunded_micros: number;
}

async function recount({ database }: Scene, from: string, until: string, application?: string): Promise<Row[]> {
  const all = await database.db.query<Counted>(sql`select a.*, m.country, m.created_at, d.plan from attempts a
    join messages m on m.application_id = a.application_id and m.id = a.message_id
    join deliveries d on d.application_id = a.application_id and d.message_id = a.message_id`);
  const rows = new Map<string, Row & { ids: Set<string> }>();
  for (const one of all) {
    const day = one.created_at.toISOString().slice(0, 10);
    if (one.outcome !== 'accepted' || day < from || day >= until) continue;
    if (application !== undefined && one.application_id !== application) continue;
    const { application_id, channel, country, provider } = one;
    const key = [day, application_id.padStart(20, '0'), channel, country ?? '', provider].join(' ');
    const row = rows.get(key) ?? {
      ...{ day, application_id, channel, country, provider, ids: new Set() },
      ...{ messages: 0, attempts: 0, segments: null, cost_micros: 0, refunded_micros: 0 },
    };
    rows.set(key, row);
    row.ids.add(one.message_id);
    row.messages = row.ids.size;
    row.attempts++;
    const segments = one.route?.segments;
    if (segments !== undefined) row.segments = (row.segments ?? 0) + segments;
    row.cost_micros += Number(one.cost_micros);
    // None is delivered after all here.
    const handOver = one.plan.handOvers.find(({ attempt }) => attempt === one.attempt);
    row.refunded_micros += handOver?.refunded?.[one.try] ?? 0;
  }
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { ids: _, ...row }]) => row);
}

onEachScene('usage', (get) => {
  const usage = async (query: Record<string, string>) =>
    bodyOf(await get().box.operator({ path: `/admin/v1/usage?${new URLSearchParams(query)}` }));
  const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

  test('is every accepted attempt, to the micro, by the day its message was accepted', async () => {
    const { world, newApplication, costOf, prices, report, database, box } = get();
    const { clock } = database;
    await prices({ price_micros: 41_203, provider: 'carrier-a', country: 'SG' });
    await prices({ price_micros: 7, provider: 'carrier-b', refund: 'undelivered' });
    await prices({ price_micros: 99_999, channel: 'voice' });
    const apps: TestApplication[] = [await newApplication(), await newApplication(), await newApplication('virtual')];
    let calls = 0;
    world.answer = (message) => (++calls % 3 === 0 ? refusedForNow('throttled', 'slow down') : accepts(message));
    const start = Math.ceil(clock.now() / 86_400_000) * 86_400_000;
    await clock.travel(start - clock.now() - 30_000);
    for (let day = 0; day < 3; day++) {
      for (const app of apps)
        for (const [to, template] of [
          [newNumber(), 'login'],
          [newNumber(), 'long'],
          ['+4915112345678', 'voice'],
          ['ana@example.net', 'mail'],
          [newNumber(), 'chain'],
        ] as const)
          await costOf(app, to, template);
      for (let back = 1; back <= 6; back++) await report(undelivered('unreachable', 'away'), back);
      // A message of the last seconds of a day, whose next channel is handed over in the next one.
      await box.live(day === 0 ? 130 : 1);
      await clock.travel(86_400_000 - 30_000);
    }
    const [from, until] = [dayOf(start - 1), dayOf(start + 5 * 86_400_000)];
    const whole = await recount(get(), from, until);
    assert.ok(whole.length > 20 && new Set(whole.map(({ day }) => day)).size >= 3, `${whole.length} rows`);
    const read = await usage({ from, until });
    assert.deepEqual(read.rows, whole);
    assert.ok(whole.some(({ refunded_micros: micros }) => micros > 0));
    const [first] = apps;
    assert.ok(first);
    const day = dayOf(start + 86_400_000);
    const one = await usage({ from: day, until: `${day}T23:59:59Z`, application_id: first.id });
    assert.deepEqual([one.from, one.until.slice(0, 10)], [`${day}T00:00:00.000Z`, dayOf(start + 2 * 86_400_000)]);
    assert.deepEqual(one.rows, await recount(get(), day, dayOf(start + 2 * 86_400_000), first.id));
    assert.ok(one.rows.length > 0);
    const [sums] = await database.db.query<{ micros: string }>(sql`select sum(cost_micros) as micros from deliveries`);
    assert.equal(
      String(read.rows.reduce((sum: number, row: Row) => sum + row.cost_micros - row.refunded_micros, 0)),
      sums?.micros,
      'and what the messages cost together',
    );
    const reply = await get().box.operator({ path: `/admin/v1/usage?from=${from}&until=${until}&format=csv` });
    assert.match(String(reply.headers['content-type']), /^text\/csv/);
    const [header, ...lines] = String(reply.body).trimEnd().split('\r\n');
    assert.equal(
      header,
      'day,application_id,channel,country,provider,messages,attempts,segments,cost_micros,refunded_micros,cost,currency',
    );
    assert.deepEqual(
      lines.map((line) => line.split(',').slice(0, 10)),
      whole.map((row) => Object.values(row).map((value) => String(value ?? ''))),
    );
  });

  test('refuses what is no span of days, and an application that is not there', async () => {
    const ask = (query: string) => get().box.operator({ path: `/admin/v1/usage?${query}` });
    for (const [query, field] of [
      ['from=2026-07-03&until=2026-07-02', 'from'],
      ['from=2026-01-01&until=2026-07-02', 'from'],
      ['from=soon', 'from'],
      ['until=never', 'until'],
    ]) {
      const { status, body } = await ask(String(query));
      assert.deepEqual([status, body.code, body.details.fields[0].field], [400, 3002, field], query);
    }
    assert.equal((await ask('until=9999-12-31')).status, 200);
    assert.equal((await ask('from=9999-12-31')).status, 400);
    const { status, body } = await ask('application_id=999');
    assert.deepEqual([status, body.code], [404, 4001]);
  });
});
