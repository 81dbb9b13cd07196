/** What may be asked, by whom, and how the answer is cut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachApp } from '../testing/app.ts';
import { bodyOf, newNumber, openApplication, useApplication } from '../testing/application.ts';
import { untilLedgerIsSettled } from '../testing/horizon.ts';

onEachApp('reading insights', (get) => {
  const ask = (query: string) => get().call({ path: `/v1/insights?${query}` });

  test('refuses what cannot be asked', async () => {
    const bad = {
      group_by: [
        'group_by=planet',
        'group_by=country,channel,hour',
        'group_by=day,day',
        'group_by=',
        'group_by=country,',
      ],
      from: [
        'from=yesterday',
        'from=2026-01-02&until=2026-01-01',
        'from=2026-01-01&until=2026-01-01',
        'from=2026-01-01T00:00:00Z&until=2026-04-03T01:00:00Z',
        'from=2026-01-01&until=2026-01-15T01:00:00Z&group_by=country,hour',
      ],
      until: ['until=soon'],
      country: ['country=Singapore'],
      channel: ['channel=pigeon'],
    };
    for (const [field, queries] of Object.entries(bad))
      for (const query of queries) {
        const { status, body } = await ask(query);
        assert.deepEqual([status, body.code, body.details.fields[0].field], [400, 3002, field], query);
      }
  });

  test('takes 92 days, and 14 of hours; hours count whole', async () => {
    const quarter = bodyOf(await ask('from=2026-01-01T00:30:00Z&until=2026-04-03T00:30:00Z&group_by=day,provider'));
    assert.deepEqual([quarter.from, quarter.until], ['2026-01-01T00:00:00.000Z', '2026-04-03T01:00:00.000Z']);
    bodyOf(await ask('from=1767225600&until=1768435200&group_by=hour'));
  });

  test('knows nothing where nothing happened: zeros, and null where one would divide by them', async () => {
    const { totals, rows } = bodyOf(await ask('from=2020-01-01&until=2020-02-01&group_by=country'));
    assert.deepEqual(rows, []);
    assert.deepEqual([totals.messages, totals.cost], [0, 0]);
    const none = { p50: null, p95: null, p99: null };
    assert.deepEqual(totals.latency_ms, { accept_to_sent: none, sent_to_delivered: none, accept_to_verified: none });
    for (const name of ['delivery_rate', 'verified_rate', 'resend_rate', 'fallback_rate', 'cost_per_verified'])
      assert.equal(totals[name], null, name);
  });

  test('needs a key with the permission to read', async () => {
    assert.equal((await get().call({ path: '/v1/insights', credential: null })).body.code, 2001);
    const other = await get().makeApplication({ key: { permissions: ['send'] } });
    const { status, body } = await get().call({ path: '/v1/insights', credential: other.credential });
    assert.deepEqual([status, body.code], [403, 2004]);
  });

  test('divides cost and verified by what they are shares of, and cuts at the hour', async () => {
    const app = await openApplication(get());
    for (const verified of [true, false]) {
      const { messageId, code } = await app.sendCode(newNumber());
      if (verified) await app.verify(messageId, code);
    }
    await get().database.clock.travel(3_600_000);
    await app.sendCode(newNumber());
    await get().settle();
    await untilLedgerIsSettled(get().database.db);
    await get().app.insights.count();
    const now = get().database.clock.now();
    const read = async (query = '') => bodyOf(await app.call({ path: `/v1/insights?${query}` }));
    const { totals } = await read();
    assert.deepEqual([totals.messages, totals.verifications, totals.verified, totals.verified_rate], [3, 3, 1, 0.3333]);
    const recent = await read(`from=${Math.floor(now / 1000) - 1}&group_by=hour`);
    assert.deepEqual([recent.totals.messages, recent.totals.cost_per_verified], [1, null]);
    assert.equal(recent.rows[0].key.hour, `${new Date(now).toISOString().slice(0, 13)}:00:00Z`);
    for (const [filter, messages] of [
      ['country=SG', 3],
      ['country=DE', 0],
      ['template=login', 3],
      ['template=other', 0],
    ])
      assert.equal((await read(String(filter))).totals.messages, messages, String(filter));
    const byProvider = await read('group_by=provider');
    assert.deepEqual(
      byProvider.rows.map((row: { key: { provider: string | null }; messages: number; steps_sent: number }) => [
        row.key.provider === null,
        row.messages,
        row.steps_sent,
      ]),
      [
        [true, 3, 0],
        [false, 0, 3],
      ],
    );
    const other = useApplication(get(), 'other', (await get().makeApplication()).credential);
    assert.equal(bodyOf(await other.call({ path: '/v1/insights' })).totals.messages, 0);
  });
});
