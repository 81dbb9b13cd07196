/** Judging sends: rules of an application, from memory, alike on every node. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeOfId } from '../platform/ids.ts';
import { sql } from '../platform/sql.ts';
import { onEachApp, openTestApp, type TestApp } from '../testing/app.ts';
import { bodyOf } from '../testing/application.ts';
import { seeded } from '../testing/seeded.ts';
import { ask, send, under } from '../testing/traffic.ts';
import { until } from '../testing/until.ts';
import type { FraudAsk } from './judge.ts';

const minute = 60_000;
const day = 1440 * minute;
const mobile = '+6591230001';
const rule = (id: string, when: object, more: object = {}) => ({
  ...{ id, title: id, mode: 'enforce', verdict: 'block', when },
  ...more,
});
const always = { fact: 'has_ip', op: 'eq', value: false };

onEachApp('fraud', (get) => {
  const newApplication = async (): Promise<string> => (await get().makeApplication()).id;
  const path = (id: string): string => `/admin/v1/applications/${id}/fraud-rules`;
  const put = (id: string, rules: unknown, more: object = {}) =>
    get().operator({ method: 'PUT', path: path(id), body: { rules, ...more } });
  const judge = (id: string, more: Partial<FraudAsk> = {}, box: TestApp = get()) =>
    box.app.fraud.judge(ask(id, mobile, more));
  const round = () => get().app.fraud.round();

  test('the shipped rules report for a week, and decide afterwards', async () => {
    await round();
    const id = await newApplication();
    const premium = { numberType: 'PREMIUM_RATE' };
    const shown = bodyOf(await get().operator({ path: path(id) }));
    assert.deepEqual([shown.version, shown.is_default, shown.author], [0, true, null]);
    assert.equal(Date.parse(shown.shadow_until), timeOfId(id) + 7 * day);
    const { verdict, fired } = judge(id, premium);
    assert.equal(verdict, 'allow');
    assert.deepEqual(fired[0], {
      rule: 'premium_numbers',
      mode: 'shadow',
      verdict: 'block',
      because: 'number_type = PREMIUM_RATE',
    });
    await get().database.clock.travel(8 * day);
    await round();
    assert.equal(judge(id, premium).verdict, 'block');
    assert.equal(judge(id, { numberType: 'VOIP' }).verdict, 'challenge');
    assert.equal(judge(id).verdict, 'allow');
  });

  test('a changed rule set holds at once; its versions say who and when; reset goes back', async () => {
    const id = await newApplication();
    const made = bodyOf(await put(id, [rule('all', always)], { author: 'ana' }));
    assert.deepEqual([made.version, made.author, made.is_default], [1, 'ana', false]);
    assert.deepEqual(bodyOf(await get().operator({ path: path(id) })), made);
    assert.equal(judge(id).verdict, 'block');
    bodyOf(await put(id, [rule('all', always, { verdict: 'challenge' })], { author: 'bob' }));
    assert.equal(judge(id).verdict, 'challenge');
    assert.equal(judge(id, { captchaPassed: true }).verdict, 'allow');
    assert.equal(bodyOf(await get().operator({ path: path(id), method: 'DELETE' })).is_default, true);
    assert.equal(judge(id).verdict, 'allow');
    const { versions } = bodyOf(await get().operator({ path: `${path(id)}/versions` }));
    assert.deepEqual(
      versions.map((one: { version: number; author: string; is_default: boolean }) => [
        one.version,
        one.author,
        one.is_default,
      ]),
      [
        [3, 'operator', true],
        [2, 'bob', false],
        [1, 'ana', false],
      ],
    );
    const older = bodyOf(await get().operator({ path: `${path(id)}/versions?limit=1&below=3` }));
    assert.deepEqual([older.versions[0].version, older.next_below], [2, 2]);
    const events = await get().database.db.query<{ data: { action: string } }>(
      sql`select data from events where application_id = ${id} and cause = 'fraud_rules_changed' order by position`,
    );
    assert.deepEqual(
      events.map(({ data }) => data.action),
      ['replace', 'replace', 'reset'],
    );
  });

  test('a rule set with faults changes nothing, and every fault is named with its place', async () => {
    const id = await newApplication();
    bodyOf(await put(id, [rule('all', always)]));
    const bad = [
      rule('one', { fact: 'planet', op: 'eq', value: 1 }),
      rule('one', { all: [always, { fact: 'has_ip', op: 'gt', value: true }] }, { verdict: 'block_for' }),
    ];
    const { status, body } = await get().expectNothingHappened(() => put(id, bad));
    assert.deepEqual([status, body.code], [400, 3002]);
    assert.deepEqual(body.details.fields.map(({ field }: { field: string }) => field).sort(), [
      'rules[0].when.fact',
      'rules[1].id',
      'rules[1].seconds',
      'rules[1].when.all[1].op',
    ]);
    assert.equal(judge(id).verdict, 'block');
  });

  test('a trusted user is not asked about; what cannot be known stops nobody, and is counted', async () => {
    const id = await newApplication();
    const rules = [
      rule('typed', { fact: 'number_type', op: 'ne', value: 'MOBILE' }),
      rule('shadowed', always, { mode: 'shadow' }),
      rule('odd', { fact: 'country', op: 'eq', value: 'AQ' }, { channels: ['sms'] }),
    ];
    bodyOf(await put(id, rules));
    assert.deepEqual(judge(id, { numberType: 'VOIP', trusted: true }), { verdict: 'allow', fired: [], closed: [] });
    assert.equal(judge(id, { numberType: null }).verdict, 'allow');
    assert.equal(judge(id, { numberType: 'VOIP' }).verdict, 'block');
    assert.deepEqual(judge(id, { country: 'AQ' }).closed, ['sms']);
    await round();
    judge(id);
    await round();
    const report = bodyOf(await get().operator({ path: `${path(id)}/report` })).rules;
    assert.deepEqual(
      report.map(({ day: _, ...counts }: { day: string }) => counts),
      [
        { rule: 'odd', evaluated: 3, fired: 1, shadow: 0, unreadable: 0 },
        { rule: 'shadowed', evaluated: 4, fired: 0, shadow: 4, unreadable: 0 },
        { rule: 'typed', evaluated: 4, fired: 1, shadow: 0, unreadable: 1 },
      ],
    );
  });

  test('block_for holds for its time, for everything of the subject, on every node', async () => {
    const id = await newApplication();
    const odd = { fact: 'country', op: 'eq', value: 'AQ' };
    bodyOf(await put(id, [rule('held', odd, { verdict: 'block_for', seconds: 600, per: 'device' })]));
    const other = await openTestApp(get().database);
    await other.app.fraud.round();
    assert.equal(judge(id, { deviceId: 'd1', country: 'AQ' }).verdict, 'block');
    assert.equal(judge(id, { deviceId: 'd1' }).verdict, 'block');
    assert.equal(judge(id, { deviceId: 'd2' }).verdict, 'allow');
    assert.equal(judge(id, { deviceId: 'd1' }, other).verdict, 'allow');
    await round();
    await other.app.fraud.round();
    assert.equal(judge(id, { deviceId: 'd1' }, other).verdict, 'block');
    await get().database.clock.travel(601_000);
    for (const box of [get(), other]) {
      await box.app.fraud.round();
      assert.equal(judge(id, { deviceId: 'd1' }, box).verdict, 'allow');
    }
    await other.close();
  });

  test('a change on one node is known to another by itself', async () => {
    const id = await newApplication();
    const other = await openTestApp(get().database);
    await other.app.fraud.start();
    bodyOf(await put(id, [rule('all', always)]));
    await until('the other node blocks', () => judge(id, {}, other).verdict === 'block');
    await send(get().database.db, id, under('659123', 3));
    bodyOf(await put(id, [rule('all', { fact: 'sends_to_prefix_30m', op: 'gte', value: 3 })]));
    await until('the other node read the ledger', () => judge(id, {}, other).verdict === 'block');
    await other.close();
  });

  test('two nodes judge alike, also one whose clock is five minutes off', async () => {
    const { database } = get();
    const id = await newApplication();
    const facts = ['sends_to_prefix_30m', 'targets_per_ip_1h', 'sends_of_application_10m', 'sequential_numbers'];
    bodyOf(
      await put(
        id,
        facts.flatMap((fact) =>
          [1, 2, 4, 8, 16].map((value) => rule(`${fact}_${value}`, { fact, op: 'gte', value }, { mode: 'shadow' })),
        ),
      ),
    );
    const now = database.clock.now;
    const skewed = await openTestApp({ ...database, clock: { ...database.clock, now: () => now() + 5 * minute } });
    await database.clock.freeze();
    const at = seeded(7);
    const seen = new Set<number>();
    for (let turn = 0; turn < 12; turn++) {
      const sends = Array.from({ length: at(6) }, () => ({
        to: `+6591230${String(at(20)).padStart(3, '0')}`,
        signals: { ip: `203.0.113.${at(2)}` },
      }));
      await send(database.db, id, sends);
      await database.clock.travel(at(12) * minute);
      await Promise.all([round(), skewed.app.fraud.round()]);
      const one = judge(id, { ip: '203.0.113.1' });
      seen.add(one.fired.length);
      assert.deepEqual(judge(id, { ip: '203.0.113.1' }, skewed), one);
    }
    assert.ok(seen.size > 3, [...seen].join());
    await skewed.close();
  });

  test('a node that starts knows the last day', async () => {
    const { database } = get();
    const id = await newApplication();
    bodyOf(await put(id, [rule('busy', { fact: 'sends_to_prefix_30m', op: 'gte', value: 600 })]));
    await send(database.db, id, under('659123', 700));
    const late = await openTestApp(database);
    assert.equal(judge(id, {}, late).verdict, 'allow');
    await late.app.fraud.round();
    assert.equal(judge(id, {}, late).verdict, 'block');
    await late.close();
  });
});
