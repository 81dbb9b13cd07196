import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { callHook, type Gateway, openGatewayFixture, signed } from './fixture.ts';
import { exampleOf, outgoing, type Settings, withGateway } from './fixtures.ts';
import { smsHttp } from './sms-http.ts';

let gateway: Gateway;
before(async () => {
  gateway = await openGatewayFixture();
});
after(() => gateway.close());

const example = (dialect: 'json' | 'text', changes: Settings = {}): Settings => ({
  ...exampleOf('sms-http', dialect, gateway.url),
  ...changes,
});
const lastAsked = () => gateway.asked.at(-1) ?? assert.fail('nothing was asked');

test('the JSON example hands over exactly what its gateway wants', () =>
  withGateway(smsHttp, example('json'), async ({ send, ports }) => {
    const text = 'Zeile 1\n"482913" \\ ✓';
    const outcome = await send({ content: { text, language: 'en' } });
    assert.equal(outcome.kind, 'accepted');
    const { method, url, headers, body } = lastAsked();
    assert.deepEqual(
      [method, url.pathname, headers.authorization],
      ['POST', '/v1/messages', 'Bearer b3arer-t0ken-of-tests'],
    );
    const { reference } = outgoing();
    assert.deepEqual(JSON.parse(body), {
      to: '+6591230001',
      from: 'Acme',
      text,
      ref: reference,
      callback: ports.hookUrl(`/status/${reference}`),
      validity: 300,
    });
  }));

test('the example of fields hands over exactly what its gateway wants, DLT ids only where the text has them', () =>
  withGateway(smsHttp, example('text'), async ({ send, ports }) => {
    const text = 'a&b=c d+e é %41';
    const dlt = { entityId: '1101', templateId: '1107' };
    assert.equal((await send({ content: { text, language: 'en', dlt }, sender: 'ACME & Co' })).kind, 'accepted');
    const { reference } = outgoing();
    assert.deepEqual(Object.fromEntries(lastAsked().url.searchParams), {
      key: 'k3y-of-tests+/=',
      to: '6591230001',
      from: 'ACME & Co',
      msg: text,
      ref: reference,
      dlr: ports.hookUrl(`/status/${reference}`),
      pe_id: '1101',
      tpl_id: '1107',
    });
    assert.equal(lastAsked().body, '');
    assert.equal((await send()).kind, 'accepted');
    assert.deepEqual([...lastAsked().url.searchParams.keys()], ['key', 'to', 'msg', 'ref', 'dlr']);
  }));

const mapped: [dialect: 'json' | 'text', error: string, reason: string, temporary: boolean][] = [
  ['json', 'BAD_NUMBER', 'number_invalid', false],
  ['json', 'BAD_SENDER', 'sender_invalid', false],
  ['json', 'SPAM', 'content_rejected', false],
  ['json', 'BROKEN', 'upstream_error', true],
  ['json', 'NO_CREDIT', 'funds', false],
  ['json', 'TOO_FAST', 'throttled', true],
  ['json', 'ANYTHING', 'config', false],
  ['text', '101', 'credentials', false],
  ['text', '105', 'number_invalid', false],
  ['text', '110', 'funds', false],
  ['text', '130', 'throttled', true],
  ['text', '999', 'config', false],
];
for (const [dialect, error, reason, temporary] of mapped)
  test(`the ${dialect} example takes the error ${error} for ${reason}`, () =>
    withGateway(smsHttp, example(dialect), async ({ send }) => {
      gateway.behave('+6591230002', { error });
      const outcome = await send({ to: '+6591230002' });
      assert.deepEqual(
        [outcome.kind, 'reason' in outcome && [outcome.reason, outcome.temporary]],
        ['refused', [reason, temporary]],
      );
    }));

test('wrong credentials are refused as such, with the remedy and without the secret', async () => {
  const wrong: [Settings, string][] = [
    [example('json', { auth: { type: 'bearer', token: 'wr0ng-t0ken' } }), 'wr0ng-t0ken'],
    [example('text', { api_key: 'wr0ng-k3y' }), 'wr0ng-k3y'],
  ];
  for (const [settings, secret] of wrong)
    await withGateway(smsHttp, settings, async ({ send, logged }) => {
      const outcome = await send();
      assert.ok(outcome.kind === 'refused' && outcome.reason === 'credentials');
      assert.match(outcome.detail, /api_key/);
      assert.ok(!outcome.detail.includes(secret) && !logged.join('').includes(secret));
    });
});

test('an answer that says nothing, a bare 5xx and a lost connection are unknown', () =>
  withGateway(smsHttp, example('json'), async ({ send }) => {
    const to = '+6591230003';
    for (const behaviour of [
      { status: 200 },
      { status: 200, body: 'OK' },
      { status: 500 },
      { status: 502, body: '<html>' },
      'drop',
    ] as const) {
      gateway.behave(to, behaviour);
      assert.equal((await send({ to })).kind, 'unknown', JSON.stringify(behaviour));
    }
  }));

test('a gateway that is not there is refused for now, since nothing left', async () => {
  const gone = await openGatewayFixture();
  const settings = exampleOf('sms-http', 'json', gone.url);
  await gone.close();
  await withGateway(smsHttp, settings, async ({ send }) => {
    const outcome = await send();
    assert.ok(outcome.kind === 'refused' && outcome.temporary && outcome.reason === 'upstream_error');
  });
});

test('a redirect is not followed: the text goes nowhere else', () =>
  withGateway(smsHttp, example('json'), async ({ send }) => {
    const to = '+6591230004';
    gateway.behave(to, { status: 307, headers: { location: `${gateway.url}/http/send` } });
    const asked = gateway.asked.length;
    const outcome = await send({ to });
    assert.ok(outcome.kind === 'refused' && outcome.reason === 'config');
    assert.equal(gateway.asked.length, asked + 1);
  }));

test('only a gateway that drops repeats is asked once more when its answer was lost', async () => {
  const to = '+6591230005';
  for (const [idempotent, times] of [
    [false, 1],
    [true, 2],
  ] as const)
    await withGateway(smsHttp, example('json', { idempotent }), async ({ send }) => {
      gateway.behave(to, 'drop');
      const asked = gateway.asked.length;
      assert.equal((await send({ to })).kind, 'unknown');
      const since = gateway.asked.slice(asked);
      assert.equal(since.length, times);
      assert.equal(new Set(since.map(({ body }) => body)).size, 1);
    });
});

test('what cannot be sent by these settings is refused before anything leaves', async () => {
  const asked = gateway.asked.length;
  await withGateway(smsHttp, example('text'), async ({ send }) => {
    const long = await send({ content: { text: 'é'.repeat(400), language: 'en' } });
    assert.ok(
      long.kind === 'refused' && long.reason === 'template_invalid' && /hand the text over in a body/.test(long.detail),
    );
    const late = await send({ expiresAtMs: Date.now() - 1 });
    assert.ok(late.kind === 'refused' && late.reason === 'expired');
  });
  const codeOnly = {
    body: { type: 'form', template: 'key={{api_key}}&to={{to_digits}}&msg={{code}}' },
    url: `${gateway.url}/http/send`,
    method: 'POST',
  };
  await withGateway(smsHttp, example('text', { ...codeOnly, receipts: undefined }), async ({ send }) => {
    const notice = await send({ code: null });
    assert.ok(notice.kind === 'refused' && notice.reason === 'template_invalid');
  });
  assert.equal(gateway.asked.length, asked);
});

test('receipts of both examples arrive by their map, late, twice and out of order', async () => {
  const reports: ['json' | 'text', { state: string; cause: string }, string][] = [
    ['json', { state: 'UNDELIVERED', cause: 'ABSENT' }, 'unreachable'],
    ['json', { state: 'BLOCKED', cause: 'X' }, 'carrier_filtered'],
    ['text', { state: 'UNDELIV', cause: '005' }, 'number_invalid'],
    ['text', { state: 'EXPIRED', cause: '000' }, 'expired'],
  ];
  for (const [dialect, report, reason] of reports)
    await withGateway(smsHttp, example(dialect), async ({ send, ports }) => {
      gateway.willReport('+6591230006', { ...report, times: 2 });
      const first = await send({ to: '+6591230006' });
      const second = await send({ to: '+6591230001', reference: '16-other-2-0' });
      await gateway.report(ports.hookUrl());
      const ids = [second, first, first].map((one) => (one.kind === 'accepted' ? one.upstreamId : ''));
      assert.deepEqual(
        ports.receipts.map(({ upstreamId }) => upstreamId),
        ids,
      );
      assert.deepEqual(
        ports.receipts.map(({ outcome }) => (outcome.kind === 'delivered' ? 'delivered' : outcome.reason)),
        ['delivered', reason, reason],
      );
      assert.equal(ports.receipts[0]?.reference, '16-other-2-0');
    });
});

test('a forged or stale receipt of the JSON example changes nothing', () =>
  withGateway(smsHttp, example('json'), async ({ ports }) => {
    const body = JSON.stringify([{ messageId: 'm1', state: 'DELIVERED' }]);
    const post = async (headers: Record<string, string>): Promise<number> =>
      (await callHook({ method: 'POST', url: ports.hookUrl('/status'), headers, body })).status;
    const stale = Math.floor(Date.now() / 1000) - 301;
    assert.deepEqual(
      [
        await post({}),
        await post(signed('[]')),
        await post(signed(body, stale)),
        await post(signed(body, undefined, 'guess')),
      ],
      [401, 401, 401, 401],
    );
    assert.deepEqual(ports.receipts, []);
    assert.equal(await post(signed(body)), 200);
    assert.equal(ports.receipts.length, 1);
  }));
