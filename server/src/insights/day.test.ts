/** A scripted day, its figures compared with a recount of the whole ledger that knows nothing of rollups. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachApp } from '../testing/app.ts';
import { bodyOf, newNumber, openApplication, type TestApplication, wrongFor } from '../testing/application.ts';
import { recount } from './fixture.ts';

const chain = { send_channel_strategy: 'whatsapp|sms' };
const templates = [{}, { template_id: 'chain', ...chain }];
const lost = { lost: true };
const german = (): string => `+4915${newNumber().slice(-9)}`;

onEachApp('a day of insights', (get) => {
  const open = (): Promise<TestApplication> =>
    openApplication(get(), { templates, policy: { resend_after: 0, max_attempts: 3, target_attempts: 100 } });
  const ask = async (app: TestApplication, query = '') => bodyOf(await app.call({ path: `/v1/insights${query}` }));

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

  test('equals a recount of the ledger, in all and by every group', async () => {
    const app = await open();
    const other = await open();
    await liveDay(app);
    await other.sendCode(newNumber());
    await get().settle();
    await get().app.insights.count();
    const expected = await recount(get().database.db, app.id);
    const answer = await ask(app);
    assert.deepEqual(counts(answer.totals), expected.all());
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
});

function counts(block: Record<string, unknown>): Record<string, number> {
  const { latency_ms: _, key: __, ...rest } = block;
  return Object.fromEntries(
    Object.entries(rest).filter((entry): entry is [string, number] => !/_rate$|per_verified/.test(entry[0])),
  );
}
