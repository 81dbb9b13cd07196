/** What a hook's answer does, and that nothing it does wrong can hold or break a send. Against real receivers. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { createOutbound } from '../platform/outbound.ts';
import { onEachApp } from '../testing/app.ts';
import { selfSigned } from '../testing/certificate.ts';
import { type Behaviour, openReceiver, type Received, type Receiver } from '../testing/receiver.ts';
import { decided, question, useHook } from './fixture.ts';
import { createPresend } from './index.ts';

onEachApp('the pre-send hook', (get) => {
  let receiver: Receiver;
  let hook: ReturnType<typeof useHook>;
  before(async () => {
    receiver = await openReceiver();
    hook = useHook(get(), (await get().makeApplication()).id);
  });
  after(() => receiver.close());

  const verified = (secret: string, { raw, headers }: Received) =>
    new Webhook(secret).verify(raw, headers as Record<string, string>);

  test('an application without one, or with one that is not enabled, is asked nothing', async () => {
    assert.equal(await hook.ask(), null);
    await hook.set({ url: receiver.url, enabled: false });
    assert.equal(await hook.ask(), null);
    await hook.remove();
    assert.equal(await hook.ask(), null);
    assert.equal(receiver.received.length, 0);
  });

  test('gets the question signed as Standard Webhooks has it, with the Authorization it was given', async () => {
    receiver.answerWith(decided('allow'));
    const { signing_secret } = await hook.set({ url: `${receiver.url}/pre-send?a=b`, authorization: 'Bearer t0k3n' });
    const answer = await hook.ask({ ...question, idempotency: 'order-1' });
    assert.deepEqual([answer?.answer, answer?.failed, answer?.reason], ['allow', undefined, undefined]);
    const got = receiver.received.at(-1);
    assert.ok(got);
    assert.deepEqual([got.method, got.path, got.headers['authorization']], ['POST', '/pre-send?a=b', 'Bearer t0k3n']);
    assert.deepEqual(verified(signing_secret, got), {
      id: got.headers['webhook-id'],
      type: 'message.pre_send',
      data: {
        application_id: hook.path.split('/')[4],
        to: '+6591234567',
        country: 'SG',
        number_type: 'MOBILE',
        template_id: 'login',
        purpose: 'login',
        signals: { ip: '192.0.2.1', is_trusted_user: false },
        key_id: question.keyId,
        idempotency: 'order-1',
      },
    });
    assert.match(String(got.headers['webhook-id']), /^ask_[0-9A-Z]{26}$/);
    assert.throws(() => verified(signing_secret, { ...got, raw: Buffer.concat([got.raw, Buffer.from(' ')]) }));
  });

  test('decides, and its reason is cut to 200 characters that may be shown', async () => {
    await hook.set({ url: receiver.url, on_failure: 'closed' });
    for (const decision of ['allow', 'deny', 'challenge']) {
      receiver.answerWith(decided(decision, { reason: `\u001b[31m\u202e${'😀'.repeat(300)}`, more: 'is ignored' }));
      const answer = await hook.ask();
      assert.equal(answer?.answer, decision);
      assert.equal(answer?.reason, `[31m${'😀'.repeat(196)}`);
      assert.equal(answer?.failed, undefined);
      assert.ok(Number.isInteger(answer?.tookMs));
    }
    receiver.answerWith(decided('deny', { reason: { not: 'text' } }));
    assert.deepEqual([(await hook.ask())?.answer, (await hook.ask())?.reason], ['deny', undefined]);
  });

  const good = JSON.stringify({ decision: 'deny' });
  const failures: [what: string, behaviour: Behaviour, failed: RegExp][] = [
    ['an error', { status: 500, body: good }, /^answered 500$/],
    ['another success than 200', { status: 202, body: good }, /^answered 202$/],
    ['a redirect', { status: 307, headers: { location: '/elsewhere' }, body: good }, /redirects are not followed/],
    ['nothing in it', 200, /^answer without a decision$/],
    ['no JSON', { body: 'deny' }, /^answer without a decision$/],
    ['an unknown decision', decided('maybe'), /^answer without a decision$/],
    ['no object', { body: '["deny"]' }, /^answer without a decision$/],
    ['too much', decided('deny', { reason: 'x'.repeat(4_100) }), /^answer larger than 4096 bytes$/],
    ['100 MB', 'huge', /^answer larger than 4096 bytes$/],
    ['huge headers', 'huge headers', /^connection: the headers of the answer are too large$/],
    ['a closed connection', 'close', /^connection: /],
    ['half an answer', 'close within', /^connection: /],
    ['no HTTP', 'garbage', /^connection: no valid HTTP answer$/],
    ['silence', 'hang', /^timeout: no answer within \d+ ms$/],
    ['a byte now and then', 'drip', /^timeout: no answer within \d+ ms$/],
    ['a decision that comes too late', { ...decided('deny'), delayMs: 2_000 }, /^timeout: no answer within \d+ ms$/],
  ];
  for (const [what, behaviour, failed] of failures)
    test(`answered with ${what}, it lets the send pass or refuses it, as its owner chose`, async () => {
      receiver.answerWith(behaviour);
      const patient = /timeout/.test(String(failed)) ? 80 : 3_000;
      for (const [on_failure, expected] of [
        ['open', 'allow'],
        ['closed', 'deny'],
      ]) {
        const count = receiver.received.length;
        await hook.set({ url: receiver.url, on_failure, timeout_ms: patient });
        const answer = await hook.ask();
        assert.equal(answer?.answer, expected);
        assert.match(answer?.failed ?? '', failed);
        assert.equal(answer?.reason, undefined);
        assert.equal(receiver.received.length, count + 1, 'asked once');
        if (patient === 80) assert.ok(answer && answer.tookMs >= 79 && answer.tookMs < 1_500, `${answer?.tookMs} ms`);
      }
    });

  test('that nobody listens at, or whose certificate nobody signed, fails', async () => {
    const gone = await openReceiver();
    await gone.close();
    await hook.set({ url: gone.url, on_failure: 'closed' });
    const nobody = await hook.ask();
    assert.deepEqual([nobody?.answer, nobody?.failed], ['deny', 'connection: ECONNREFUSED']);
    const tls = await openReceiver({ tls: selfSigned(['127.0.0.1']), answer: decided('allow') });
    await hook.set({ url: tls.url, on_failure: 'closed' });
    const broken = await hook.ask();
    assert.equal(broken?.answer, 'deny');
    assert.match(broken?.failed ?? '', /^connection: .*CERT/);
    assert.equal(tls.received.length, 0);
    await tls.close();
  });

  test('is never asked at an address inside, whatever its name says when it was saved', async () => {
    const { app, database, operator } = get();
    const { id } = await get().makeApplication();
    const outbound = createOutbound({ resolve: async () => [{ address: '10.0.0.1', family: 4 }] });
    const { db, clock } = database;
    const { keyring, log } = app.common;
    const node = createPresend({ db, clock, keyring, log, outbound, application: app.accounts.application });
    await useHook(get(), id).set({ url: 'https://hook.example.com/', on_failure: 'closed' });
    await node.start();
    const answer = await node.ask(id, question);
    assert.deepEqual([answer?.answer, answer?.failed], ['deny', 'forbidden: address not allowed']);
    const path = `/admin/v1/applications/${id}/pre-send-hook`;
    for (const url of [
      'https://10.0.0.1/',
      'https://169.254.169.254/',
      'https://u:p@hook.example.com/',
      'ftp://a.b/',
    ]) {
      const reply = await get().expectNothingHappened(() => operator({ method: 'PUT', path, body: { url } }));
      assert.deepEqual([reply.status, reply.body.code, reply.body.details.fields[0].field], [400, 3002, 'url'], url);
    }
    await node.stop();
    await outbound.close();
  });

  test('tells its operator how often it did what', async () => {
    const counted = useHook(get(), (await get().makeApplication()).id);
    await counted.set({ url: receiver.url });
    for (const answer of [decided('allow'), decided('deny'), decided('challenge'), decided('deny'), 503]) {
      receiver.answerWith(answer);
      await counted.ask();
    }
    const { last_failure_at, ...counts } = (await counted.get()).counts;
    const expected = { allowed: 1, denied: 2, challenged: 1, failed: 1, skipped: 0, last_failure: 'answered 503' };
    assert.deepEqual(counts, expected);
    assert.ok(Date.parse(last_failure_at) > 0);
  });
});
