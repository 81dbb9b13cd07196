import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { listEvents } from '../events/index.ts';
import { sql } from '../platform/sql.ts';
import { onEachApp, openTestApp } from '../testing/app.ts';
import { openReceiver, type Received } from '../testing/receiver.ts';
import { decided, useHook } from './fixture.ts';

const url = 'https://risk.example.com/pre-send';

onEachApp('operations on the pre-send hook', (get) => {
  let id: string;
  let hook: ReturnType<typeof useHook>;
  before(async () => {
    ({ id } = await get().makeApplication());
    hook = useHook(get(), id);
  });

  test('set, replaced, read and deleted; the secret is shown once and each change is in the ledger', async () => {
    const { signing_secret, ...made } = await hook.set({ url, authorization: 'Basic abc' });
    assert.match(signing_secret, /^whsec_/);
    const { counts, created_at, updated_at, ...settings } = made;
    assert.deepEqual(settings, {
      application_id: id,
      url,
      timeout_ms: 500,
      on_failure: 'open',
      has_authorization: true,
      enabled: true,
    });
    assert.deepEqual([counts.allowed, counts.last_failure, created_at === updated_at], [0, null, true]);
    assert.deepEqual(await hook.get(), made);
    const again = await hook.set({ url, timeout_ms: 50, on_failure: 'closed', enabled: false });
    assert.deepEqual(
      [again.signing_secret, again.has_authorization, again.timeout_ms, again.on_failure, again.enabled],
      [null, true, 50, 'closed', false],
    );
    assert.equal((await hook.set({ url, authorization: null })).has_authorization, false);
    assert.deepEqual(await hook.remove(), { application_id: id, deleted: true });
    const reply = await get().operator({ path: hook.path });
    assert.deepEqual([reply.status, reply.body.code, reply.body.message], [404, 4001, 'pre-send hook not found']);
    const told = (await listEvents(get().database.db, id, '0')).filter(({ cause }) => cause === 'presend_managed');
    assert.deepEqual(
      told.map(({ data }) => data?.['action']),
      [...Array(3).fill('set pre-send hook'), 'delete pre-send hook'],
    );
    assert.doesNotMatch(JSON.stringify(told), /whsec_|Basic|example/);
    assert.notEqual((await hook.set({ url })).signing_secret, signing_secret);
  });

  test('no secret stands in the database in the clear', async () => {
    const { signing_secret } = await hook.rotate();
    await hook.set({ url, authorization: 'Basic very-secret' });
    const [row] = await get().database.db.query<{ text: string }>(
      sql`select encode(secrets, 'escape') || row_to_json(h)::text as text from presend_hooks h where application_id = ${id}`,
    );
    assert.ok(row && !row.text.includes(signing_secret) && !row.text.includes('very-secret'));
  });

  test('a new secret signs with the former for a day, then alone', async () => {
    const receiver = await openReceiver({ answer: decided('allow') });
    await hook.remove();
    const { signing_secret: former } = await hook.set({ url: receiver.url });
    const { signing_secret: next, former_signs_until } = await hook.rotate();
    assert.ok(Math.abs(Date.parse(former_signs_until) - get().database.clock.now() - 86_400_000) < 10_000);
    const signs = (secret: string, { raw, headers }: Received): boolean => {
      const webhook = new Webhook(secret);
      const at = new Date(Number(headers['webhook-timestamp']) * 1000);
      const expected = webhook.sign(String(headers['webhook-id']), at, raw.toString());
      return String(headers['webhook-signature']).split(' ').includes(expected);
    };
    const asked = async () => {
      assert.equal((await hook.ask())?.answer, 'allow');
      return receiver.received.at(-1) as Received;
    };
    const during = await asked();
    assert.deepEqual([signs(former, during), signs(next, during)], [true, true]);
    await get().database.clock.travel(86_400_000);
    const afterwards = await asked();
    assert.deepEqual([signs(former, afterwards), signs(next, afterwards)], [false, true]);
    await receiver.close();
  });

  test('a trial shows what came back, asks also a hook that is not enabled, and counts nowhere', async () => {
    const receiver = await openReceiver({ answer: decided('deny', { reason: 'account is locked' }) });
    await hook.set({ url: receiver.url, enabled: false });
    const { took_ms, ...tried } = await hook.tryOut();
    const response = decided('deny', { reason: 'account is locked' }).body;
    assert.deepEqual(tried, {
      decision: 'deny',
      reason: 'account is locked',
      failed: null,
      http_status: 200,
      response,
    });
    assert.ok(Number.isInteger(took_ms));
    assert.deepEqual(receiver.received[0]?.json.data.to, '+10000000000');
    receiver.answerWith({ status: 500, body: 'oops \u001b[31m' });
    const { took_ms: _, ...failed } = await hook.tryOut();
    const expected = { decision: null, reason: null, failed: 'answered 500', http_status: 500, response: 'oops [31m' };
    assert.deepEqual(failed, expected);
    await receiver.close();
    assert.deepEqual((await hook.tryOut()).failed, 'connection: ECONNREFUSED');
    const { counts } = await hook.get();
    assert.equal(counts.denied + counts.failed, 0);
  });

  test('what is out of range is refused, and nothing happens', async () => {
    for (const body of [
      {},
      { url: '' },
      { url: 'hook' },
      { url, timeout_ms: 49 },
      { url, timeout_ms: 3001 },
      { url, timeout_ms: 99.5 },
      { url, on_failure: 'maybe' },
      { url, authorization: 'a\nb' },
      { url, enabled: 'yes' },
    ]) {
      const set = () => get().operator({ method: 'PUT', path: hook.path, body });
      const reply = await get().expectNothingHappened(set);
      assert.deepEqual([reply.status, reply.body.code], [400, 3002], JSON.stringify(body));
    }
  });

  test('one whose secrets cannot be opened fails as its owner chose, and is good again once saved', async () => {
    await hook.set({ url, on_failure: 'closed' });
    await get().database.db.query(
      sql`update presend_hooks set secrets = decode('01', 'hex') where application_id = ${id}`,
    );
    const elsewhere = await openTestApp(get().database);
    const there = useHook(elsewhere, id);
    const answer = await there.ask();
    assert.deepEqual([answer?.answer, answer?.failed], ['deny', 'forbidden: its secrets cannot be opened']);
    assert.match((await there.set({ url })).signing_secret, /^whsec_/);
    await elsewhere.close();
  });
});
