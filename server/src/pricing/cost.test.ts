/** What a hand-over costs, through the whole app: the price in force at its moment, on every node, wherever the cost is shown. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { refusedForGood, refusedForNow, undelivered, unknown } from '../channels/index.ts';
import { listEvents } from '../events/index.ts';
import { sql } from '../platform/sql.ts';
import { bodyOf, newNumber, type TestApplication, useApplication } from '../testing/application.ts';
import { untilLedgerIsSettled } from '../testing/horizon.ts';
import { until } from '../testing/until.ts';
import { accepts, onEachScene } from './fixture.ts';

const gone = undelivered('unreachable', 'switched off');

onEachScene('the cost of a hand-over', (get) => {
  let app: TestApplication;
  beforeEach(async () => {
    await get().clear();
    get().world.answer = accepts;
    app ??= await get().newApplication();
  });
  const cost = async (to = newNumber(), template = 'login'): Promise<number> =>
    (await get().costOf(app, to, template)).micros;

  test('is that of the route entry where the table says nothing, for each segment', async () => {
    assert.deepEqual(
      [await cost(), await cost(newNumber(), 'long'), await cost(newNumber(), 'voice')],
      [1000, 2000, 1000],
    );
  });

  test('is that of the table, for each segment of an SMS and once for a call', async () => {
    const { prices } = get();
    await prices({ price_micros: 41_200 });
    await prices({ price_micros: 50_000, country: 'SG', provider: 'carrier-a' });
    await prices({ price_micros: 70_000, channel: 'voice', prefix: '65' });
    await prices({ price_micros: 3, channel: 'email' });
    assert.deepEqual([await cost(), await cost(newNumber(), 'long')], [50_000, 100_000]);
    assert.equal(await cost('+4915112345678'), 41_200);
    assert.deepEqual([await cost(newNumber(), 'voice'), await cost('+4915112345678', 'voice')], [70_000, 1000]);
    assert.equal(await cost('ana@example.net', 'mail'), 3);
    await prices({ price_micros: 0, prefix: '65', provider: 'carrier-a' });
    assert.equal(await cost(), 0, 'a price of nothing is a price');
  });

  test('is the same in the story, the attempts, the row called back and the ledger', async () => {
    await get().prices({ price_micros: 41_203 });
    const { id } = await get().costOf(app, newNumber(), 'long');
    const { cost: whole, attempts } = await app.story(id);
    assert.deepEqual(
      [whole, attempts.map((one: { cost: object }) => one.cost)],
      [{ amount: 0.082406, currency: 'USD' }, [{ amount: 0.082406, currency: 'USD' }]],
    );
    const sent = (await listEvents(get().database.db, app.id, id)).find(({ status }) => status === 'sent');
    assert.deepEqual(sent?.data?.['billing'], { cost: 0.082406, currency: 'USD' });
    const [row] = await get().database.db.query(
      sql`select cost_micros from attempts where application_id = ${app.id} and message_id = ${id}`,
    );
    assert.deepEqual(row, { cost_micros: '82406' });
  });

  test('is that of the provider that took it, and nothing where none did', async () => {
    await get().prices({ price_micros: 10, provider: 'carrier-a' });
    await get().prices({ price_micros: 20, provider: 'carrier-b' });
    let calls = 0;
    get().world.answer = (message) => (++calls === 1 ? refusedForNow('throttled', 'slow down') : accepts(message));
    assert.equal(await cost(), 20);
    get().world.answer = () => refusedForGood('geo_denied', 'not to there');
    assert.equal(await cost(), 0);
  });

  test('a price that was announced begins at its moment; what was handed over before keeps its cost', async () => {
    const { clock } = get().database;
    await get().prices({ price_micros: 10, provider: 'carrier-a' });
    const begins = new Date(clock.now() + 3_600_000).toISOString();
    await get().prices({ price_micros: 99, provider: 'carrier-a', valid_from: begins });
    const before = await get().costOf(app, newNumber());
    assert.equal(before.micros, 10);
    await clock.travel(3_540_000);
    assert.equal(await cost(), 10);
    await clock.travel(61_000);
    assert.equal(await cost(), 99);
    assert.equal((await app.story(before.id)).cost.amount, 0.00001);
  });

  test('a change on one node holds for the next hand-over of another, also when its notification was lost', async () => {
    const { openNode, prices, costOf, database } = get();
    const other = await openNode();
    const there = useApplication(other, app.id, app.credential);
    const costThere = async (): Promise<number> => (await costOf(there, newNumber(), 'login', other)).micros;
    assert.equal(await costThere(), 1000);
    const { id } = await prices({ price_micros: 77 });
    await until('the other node has read it', async () => (await costThere()) === 77);
    assert.equal(await cost(), 77);
    await database.db.query(sql`with changed as (update prices set price_micros = 78 where id = ${id})
      update price_book set version = version + 1`);
    assert.equal(await costThere(), 77);
    await other.app.pricing.beat();
    assert.equal(await costThere(), 78);
    await other.close();
  });

  test('is given back with a negative receipt where its price says so, and charged again if it arrived after all', async () => {
    const { prices, report, costOf, box, database } = get();
    await prices({ price_micros: 40, provider: 'carrier-a', refund: 'undelivered' });
    await prices({ price_micros: 900, channel: 'voice' });
    const own = await get().newApplication();
    const net = async (id: string): Promise<number> => Math.round((await own.story(id)).cost.amount * 1_000_000);
    const { id, micros } = await costOf(own, newNumber(), 'long');
    assert.equal(micros, 80);
    assert.ok(await report(gone));
    assert.ok(await report(gone));
    assert.equal(await net(id), 0);
    const kept = await costOf(own, newNumber(), 'voice');
    assert.ok(await report(gone));
    assert.equal(await net(kept.id), 900, 'a price without the rule gives nothing back');
    const late = await costOf(own, newNumber());
    assert.ok(await report(gone));
    assert.ok(await report({ kind: 'delivered' }));
    assert.ok(await report(gone));
    assert.equal(await net(late.id), 40);
    const data = (await listEvents(database.db, own.id, late.id)).map((entry) => entry.data ?? {});
    const told = data.flatMap(({ refunded_micros: back, charged_micros: again }) => back ?? again ?? []);
    assert.deepEqual(told, [40, 40]);
    const chain = await costOf(own, newNumber(), 'chain');
    await prices({ price_micros: 41, provider: 'carrier-a' });
    assert.ok(await report(gone));
    await box.app.delivery.runUntilIdle();
    assert.equal(await net(chain.id), 941, 'the next channel costs what it costs now');
    assert.ok(await report(gone));
    assert.equal(await net(chain.id), 941, 'the rule is that of the hand-over');
    await untilLedgerIsSettled(database.db);
    while ((await box.app.insights.count()) > 0);
    const insights = await own.call({ path: '/v1/insights?group_by=channel' });
    const all = 0 + 900 + 40 + 941;
    assert.equal(insights.body.totals.cost, all / 1_000_000);
    const { rows } = bodyOf(await box.operator({ path: `/admin/v1/usage?application_id=${own.id}` }));
    const sums = rows.map((row: Record<string, number>) => [
      row['channel'],
      row['attempts'],
      row['cost_micros'],
      row['refunded_micros'],
    ]);
    assert.deepEqual(sums, [
      ['sms', 3, 161, 80],
      ['voice', 2, 1800, 0],
    ]);
  });

  test('stays with the provider that took it, whatever another reports that gave no answer; the story says who reported', async () => {
    const { prices, costOf, box, world } = get();
    await prices({ price_micros: 70, provider: 'carrier-a', refund: 'undelivered' });
    await prices({ price_micros: 80, provider: 'carrier-b', refund: 'undelivered' });
    world.answer = (message) => (world.handed.length % 2 === 0 ? accepts(message) : unknown('no answer'));
    world.handed.length = 0;
    const own = await get().newApplication();
    const { id, micros } = await costOf(own, newNumber());
    const reference = world.handed[0]?.reference ?? '';
    assert.equal(await box.app.delivery.receive('carrier-a', { upstreamId: 'of a', reference, outcome: gone }), true);
    const story = await own.story(id);
    assert.deepEqual([micros, story.cost.amount, story.state], [80, 0.00008, 'sent']);
    const told = story.attempts.map((one: Record<string, { state?: string } | null>) => one['receipt']?.state ?? null);
    assert.deepEqual(told, ['undelivered', null]);
    assert.match(story.timeline.at(-1).text, /could not be delivered by one provider: .*; another has accepted it\.$/);
    const usage = async () =>
      bodyOf(await box.operator({ path: `/admin/v1/usage?application_id=${own.id}` })).rows.map(
        (row: Record<string, unknown>) => [row['provider'], row['cost_micros'], row['refunded_micros']],
      );
    assert.deepEqual(await usage(), [['carrier-b', 80, 0]]);
    assert.equal(await box.app.delivery.receive('carrier-b', { upstreamId: reference, outcome: gone }), true);
    assert.deepEqual(await usage(), [['carrier-b', 80, 80]]);
  });

  test('the virtual network costs nothing, whatever the table says', async () => {
    await get().prices({ price_micros: 5 });
    const virtual = await get().newApplication('virtual');
    assert.equal((await get().costOf(virtual, newNumber())).micros, 0);
  });

  test('is estimated before as it is counted afterwards, by the first line of the first usable step', async () => {
    const { box, prices } = get();
    await prices({ price_micros: 11, provider: 'carrier-a' });
    await prices({ price_micros: 500, provider: 'carrier-b' });
    await prices({ price_micros: 31, channel: 'voice', country: 'SG' });
    const { estimateStep, linesFor } = box.app.lines;
    const to = newNumber();
    const estimate = (channel: 'sms' | 'voice', content: object, lines?: readonly string[]): number =>
      estimateStep({ channel, to, lines: lines ?? linesFor({ applicationId: app.id, channel, to }) }, content);
    assert.equal(estimate('voice', {}), 31);
    assert.equal(await cost(to, 'chain'), 31);
    assert.equal(estimate('sms', { segments: 2 }), 22);
    assert.equal(await cost(newNumber(), 'long'), 22);
    assert.equal(estimateStep({ channel: 'sms', to }, {}), 0, 'the virtual network');
    assert.equal(estimate('sms', {}, ['999999']), 0);
  });
});
