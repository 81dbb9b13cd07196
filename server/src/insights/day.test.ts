/** A scripted day, its figures compared with a recount of the whole ledger that knows nothing of rollups. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from '../platform/sql.ts';
import { onEachApp } from '../testing/app.ts';
import {
  bodyOf,
  loginTemplate,
  newNumber,
  openApplication,
  type TestApplication,
  wrongFor,
} from '../testing/application.ts';
import { untilLedgerIsSettled } from '../testing/horizon.ts';
import { type Entry, recount } from './fixture.ts';

const chain = { send_channel_strategy: 'whatsapp|sms' };
const templates = [{}, { template_id: 'chain', ...chain }];
const lost = { lost: true };
const german = (): string => `+4915${newNumber().slice(-9)}`;

onEachApp('a day of insights', (get) => {
  const open = (): Promise<TestApplication> =>
    openApplication(get(), { templates, policy: { resend_after: 0, max_attempts: 3, target_attempts: 100 } });
  const ask = async (app: TestApplication, query = '') => bodyOf(await app.call({ path: `/v1/insights${query}` }));

  const readLedger = (applicationId: string): Promise<Entry[]> =>
    get().database.db.query<Entry>(sql`
    select (extract(epoch from e.at) * 1000)::double precision as at_ms, e.message_id,
      (extract(epoch from m.created_at) * 1000)::double precision as created_ms, m.verification_id, m.created_at, m.country, m.template_id, e.cause, e.status, e.step, e.attempt, e.channel,
      (e.data #>> '{billing,cost}')::double precision as cost,
      (select provider from attempts a where a.application_id = e.application_id and a.message_id = e.message_id
        and a.attempt = e.attempt and a.outcome = 'accepted' limit 1) as provider
    from events e join messages m on m.application_id = e.application_id and m.id = e.message_id
    where e.application_id = ${applicationId} order by e.txid, e.position`);

  async function liveDay(app: TestApplication): Promise<void> {
    const { live } = get();
    const send = (to: string, id = 'login') => app.sendCode(to, { template: { id } });
    const happy = await send(newNumber());
    await live(3);
    await app.verify(happy.messageId, happy.code);
    const wrong = await send(newNumber());
    await app.verify(wrong.messageId, wrongFor(wrong.code));
    await app.verify(wrong.messageId, wrong.code);
    const guessed = await send(german());
    for (let i = 0; i < 3; i++) await app.verify(guessed.messageId, wrongFor(guessed.code));
    const slow = german();
    await app.script(slow, { whatsapp: lost });
    const fallen = await send(slow, 'chain');
    await live(25);
    await app.verify(fallen.messageId, fallen.code);
    const repeated = await send(newNumber());
    await live(31);
    bodyOf(await app.act(repeated.messageId, 'resend', {}));
    await live(2);
    const late = newNumber();
    await app.script(late, { whatsapp: { receipt_after_ms: 40_000 } });
    await send(late, 'chain');
    await get().database.clock.travel(3_600_000);
    await live(2);
    const cancelled = await send(newNumber());
    await app.act(cancelled.messageId, 'cancel', {});
    await live(400);
  }

  /** One code over several messages. */
  async function liveReuse(app: TestApplication): Promise<void> {
    const { live } = get();
    for (const found of [true, false]) {
      const to = newNumber();
      if (!found) await app.script(to, { whatsapp: { hand_over: 'refuse' } });
      const { clock } = get().database;
      // Its second message belongs to the next hour.
      await clock.travel(7_140_000 - (clock.now() % 3_600_000));
      const first = await app.sendCode(to, { template: { id: 'chain' } });
      await clock.travel(120_000);
      await live(3);
      const second = await app.sendCode(to, { template: { id: 'chain' } });
      await app.verify(first.messageId, wrongFor(first.code));
      await live(5);
      if (found) assert.equal((await app.verify(second.messageId, second.code)).body.verified, true);
    }
    await live(3);
  }

  test('equals a recount of the ledger, in all and by every group', async () => {
    const app = await open();
    const other = await open();
    await liveDay(app);
    await other.sendCode(newNumber());
    await get().settle();
    await untilLedgerIsSettled(get().database.db);
    await get().app.insights.count();
    const expected = recount(await readLedger(app.id));
    const answer = await ask(app);
    assert.deepEqual(counts(answer.totals), expected.all());
    for (const name of ['accept_to_sent', 'sent_to_delivered', 'accept_to_verified'] as const)
      assertWithin(answer.totals.latency_ms[name], expected.latencies[name]);
    assert.ok(answer.totals.messages >= 7 && answer.totals.fallbacks >= 1 && answer.totals.expired >= 1);
    assert.ok(answer.totals.resends === 1 && answer.totals.wrong_codes === 4 && answer.totals.exhausted === 1);
    for (const group of ['country', 'channel', 'template', 'hour', 'day', 'provider'] as const) {
      const { rows, totals } = await ask(app, `?group_by=${group}`);
      assert.deepEqual(totals, answer.totals);
      assert.deepEqual(
        rows.map((row: { key: Record<string, string> }) => [row.key[group], counts(row)]),
        expected.by(group),
        group,
      );
    }
    const [two] = (await ask(app, '?group_by=country,channel&country=DE&channel=whatsapp')).rows;
    assert.deepEqual(two.key, { country: 'DE', channel: 'whatsapp' });
    assert.equal((await ask(other)).totals.messages, 1);
  });

  test('counts a code that several messages bring once', async () => {
    const app = await openApplication(get(), {
      templates: [
        {
          template_id: 'chain',
          ...chain,
          verify_code_config: { ...loginTemplate.verify_code_config, verify_code_ttl: 10 },
        },
      ],
      policy: { resend_after: 0, resend_policy: { mode: 'reuse' } },
    });
    await liveReuse(app);
    await untilLedgerIsSettled(get().database.db);
    await get().app.insights.count();
    const expected = recount(await readLedger(app.id));
    const { totals, rows } = await ask(app, '?group_by=hour,channel');
    assert.deepEqual(counts(totals), expected.all());
    assert.deepEqual([totals.messages, totals.verified], [4, 1]);
    assert.ok(rows.length > 1);
  });
});

function counts(block: Record<string, unknown>): Record<string, number> {
  const { latency_ms: _, key: __, ...rest } = block;
  return Object.fromEntries(
    Object.entries(rest).filter((entry): entry is [string, number] => !/_rate$|per_verified/.test(entry[0])),
  );
}

/** Each percentile lies within 5 % of the value itself; nothing takes less than a millisecond. */
function assertWithin(found: Record<'p50' | 'p95' | 'p99', number | null>, sorted: readonly number[]): void {
  for (const [name, share] of [
    ['p50', 0.5],
    ['p95', 0.95],
    ['p99', 0.99],
  ] as const) {
    const exact = Math.max(1, sorted[Math.max(1, Math.ceil(sorted.length * share)) - 1] ?? Number.NaN);
    assert.ok(Math.abs((found[name] ?? Number.NaN) - exact) <= exact * 0.05, `${name} is ${found[name]}, not ${exact}`);
  }
}
