/** What is noted of refused sends, who finds it, for how long; and that a flood or a failing database is felt by nobody. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { pino } from 'pino';
import { sql } from '../platform/sql.ts';
import { type OtherApplication, onEachApp } from '../testing/app.ts';
import { bodyOf } from '../testing/application.ts';
import { onEachEngine, openTestDatabase } from '../testing/database.ts';
import { createRefusals, type Refusal } from './index.ts';

const decision = {
  limits: [{ policy: 'target', count: 3, limit: 3, window_seconds: 3600, mode: 'enforce' }],
  rules: [],
  budgets: [],
  hook: { answer: 'deny', took_ms: 12, reason: 'account is locked' },
};

const refusalOf = (applicationId: string, more: Partial<Refusal> = {}): Refusal => ({
  applicationId,
  recipient: '+6591234567',
  country: 'SG',
  templateId: 'login',
  keyId: '2072832692843446274',
  requestId: 'req_1',
  code: 5015,
  reason: null,
  decision,
  ip: '203.0.113.9',
  ...more,
});

onEachApp('refused sends', (get) => {
  let mine: OtherApplication;
  let theirs: OtherApplication;
  before(async () => {
    mine = await get().makeApplication({ policy: { retention_days: 2 } });
    theirs = await get().makeApplication();
  });

  async function note(...all: Refusal[]): Promise<void> {
    for (const one of all) get().app.refusals.note(one);
    await get().app.refusals.flush();
  }
  const page = async (query = '', by = mine) => bodyOf(await get().call({ path: `/v1/refusals${query}`, ...by }));
  const list = async (query = '', by = mine) => (await page(query, by)).refusals;
  const asOperator = (query: string) => get().operator({ path: `/admin/v1/refusals${query}` });

  test('are found with all that was consulted, by their own application and by the operator', async () => {
    await note(refusalOf(mine.id, { reason: 'target_send_limit', code: 3004 }));
    const { at, id, ...shown } = (await list())[0];
    assert.match(id, /^\d{19}$/);
    assert.ok(Math.abs(Date.parse(at) - get().database.clock.now()) < 10_000);
    const { reason: _, ...hook } = decision.hook;
    const expected = {
      to: '+6591234567',
      country: 'SG',
      template_id: 'login',
      key_id: '2072832692843446274',
      request_id: 'req_1',
      code: 3004,
      reason: 'target_send_limit',
      decision: { ...decision, hook },
      ip: '203.0.113.9',
    };
    assert.deepEqual(shown, expected);
    assert.deepEqual(await list('', theirs), []);
    const seen = bodyOf(await asOperator(`?application_id=${mine.id}`)).refusals;
    assert.deepEqual(seen, [{ id, at, ...expected, decision }], 'the words of the hook are for the operator alone');
    const unknown = await asOperator('?application_id=1');
    assert.deepEqual([unknown.status, unknown.body.code], [404, 4001]);
    await note(refusalOf(mine.id, { recipient: null, keyId: null, requestId: null, decision: null, ip: null }));
    const [bare] = await list();
    assert.deepEqual([bare.to, bare.key_id, bare.request_id, bare.decision, bare.ip], Array(5).fill(null));
  });

  test('are searched by recipient in any form, by code and by time', async () => {
    const { id } = theirs;
    const started = get().database.clock.now();
    await note(
      refusalOf(id, { recipient: '+65 9123-4567', code: 3004 }),
      refusalOf(id, { recipient: 'Ana@Example.COM', code: 5013 }),
      refusalOf(id, { recipient: 'no number', code: 5011 }),
    );
    const seen = async (query: string) => (await list(query, theirs)).map(({ to }: { to: string }) => to);
    const all = ['no number', 'Ana@example.com', '+6591234567'];
    assert.deepEqual(await seen(''), all);
    for (const [query, expected] of [
      ['?to=%2B6591234567', ['+6591234567']],
      ['?to=+65+9123+4567', ['+6591234567']],
      ['?to=Ana@EXAMPLE.com', ['Ana@example.com']],
      ['?to=no%20number', ['no number']],
      ['?code=5013', ['Ana@example.com']],
      ['?code=5013&to=%2B6591234567', []],
      [`?from=${new Date(started - 1_000).toISOString()}`, all],
      [`?until=${new Date(started - 1_000).toISOString()}`, []],
      [`?from=${Math.floor(started / 1000) + 60}`, []],
    ] as const)
      assert.deepEqual(await seen(query), expected, query);
  });

  test('are paged without a gap, newest first', async () => {
    const { id, credential } = await get().makeApplication();
    const by = { id, credential, keyId: '' };
    const names = Array.from({ length: 7 }, (_, n) => `req_${n}`);
    await note(...names.map((requestId) => refusalOf(id, { requestId })));
    const seen: string[] = [];
    for (let before = ''; ; ) {
      const { refusals, next_before } = await page(`?limit=3${before}`, by);
      seen.push(...refusals.map(({ request_id }: { request_id: string }) => request_id));
      if (next_before === null) break;
      before = `&before=${next_before}`;
    }
    assert.deepEqual(seen, names.toReversed());
  });

  test('a filter that means nothing is refused', async () => {
    for (const query of ['limit=0', 'limit=101', 'code=x', 'code=1', 'from=soon', 'until=x', 'before=x', 'to=']) {
      const reply = await get().call({ path: `/v1/refusals?${query}`, ...mine });
      assert.deepEqual([reply.status, reply.body.code], [400, 3002], query);
    }
    assert.equal((await asOperator('')).body.code, 3002);
  });

  test('what callers wrote is kept without bytes that no database or screen takes', async () => {
    const { id, credential } = await get().makeApplication();
    const odd = `a\u0000b\ud800\u202e${'x'.repeat(2_000)}`;
    const more = { recipient: odd, templateId: odd, ip: odd, reason: odd, decision: { hook: { failed: odd } } };
    await note(refusalOf(id, more), refusalOf(id));
    const [, one] = await list('', { id, credential, keyId: '' });
    for (const text of [one.to, one.template_id, one.ip, one.reason, one.decision.hook.failed])
      assert.match(text, /^ab\ufffdx{507}$/);
  });

  test('are forgotten with the messages of their application, and not shown from that moment on', async () => {
    await note(refusalOf(mine.id, { requestId: 'req_old' }), refusalOf(theirs.id, { requestId: 'req_old' }));
    await get().database.clock.travel(2 * 86_400_000);
    await note(refusalOf(mine.id, { requestId: 'req_new' }));
    const seen = async (by: OtherApplication) =>
      (await list('?limit=100&from=2020-01-01', by)).map(({ request_id }: { request_id: string }) => request_id);
    assert.deepEqual(await seen(mine), ['req_new']);
    await get().app.retention.sweep();
    const rows = await get().database.db.query<{ request_id: string }>(
      sql`select request_id from refusals where application_id = ${mine.id}`,
    );
    assert.deepEqual(rows, [{ request_id: 'req_new' }]);
    assert.ok((await seen(theirs)).includes('req_old'), 'the other application keeps its own for 30 days');
  });
});

onEachEngine('noting refusals', (get, kind) => {
  const open = (db = get().db) =>
    createRefusals({
      db,
      log: pino({ level: 'silent' }),
      clock: get().clock,
      application: async () => null,
      normaliseRecipient: (text) => text,
    });
  const count = async (applicationId: string): Promise<number> => {
    const [row] = await get().db.query<{ count: number }>(
      sql`select count(*)::int as count from refusals where application_id = ${applicationId}`,
    );
    return row?.count ?? 0;
  };

  test('keeps a bounded number of a flood, counts the rest, and leaves room for others', async () => {
    const refusals = open();
    for (let n = 0; n < 50_000; n++) refusals.note(refusalOf('1'));
    refusals.note(refusalOf('2'));
    assert.equal(refusals.dropped(), 48_000);
    await refusals.flush();
    assert.deepEqual([await count('1'), await count('2')], [2_000, 1]);
    refusals.note(refusalOf('1'));
    await refusals.flush();
    assert.deepEqual([await count('1'), refusals.dropped()], [2_001, 48_000], 'there is room again');
  });

  test('tells when it happened, not when it was written', async () => {
    const refusals = open();
    const other = open();
    const { db } = get();
    refusals.note(refusalOf('3', { requestId: 'first' }));
    const noted = performance.now();
    while (performance.now() - noted < 50);
    other.note(refusalOf('3', { requestId: 'second' }));
    await other.flush();
    await refusals.flush();
    const rows = await db.query<{ request_id: string }>(sql`
      select request_id from refusals where application_id = 3 order by id`);
    assert.deepEqual(
      rows.map(({ request_id }) => request_id),
      ['first', 'second'],
    );
  });

  test('of a database that is gone loses them and nothing else', async () => {
    const gone = await openTestDatabase(kind);
    const refusals = open(gone.db);
    await gone.close();
    refusals.note(refusalOf('4'));
    await refusals.flush();
    assert.equal(refusals.dropped(), 1);
  });
});
