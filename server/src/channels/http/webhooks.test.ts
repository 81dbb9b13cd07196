import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import type { HookRequest, Receipt } from '../contract.ts';
import { signed } from './fixture.ts';
import { type Settings, withGateway } from './fixtures.ts';
import { smsHttp } from './sms-http.ts';

const base: Settings = {
  url: 'https://gateway.example/send',
  body: { type: 'form', template: 'to={{to}}&text={{text}}' },
  id: { pointer: '/id' },
};
const receipts = {
  format: 'json',
  id: '/id',
  reference: '/ref',
  status: '/state',
  delivered: ['DELIVERED', '1'],
  undelivered: { FAILED: 'upstream_error', '2': 'expired' },
  pending: ['SENT'],
  error: '/cause',
  errors: { '27': 'unreachable' },
};
const hmac = { type: 'hmac', secret: 'wh-s3cret-of-tests', header: 'X-Gateway-Signature', prefix: 'sha256=' };

interface Hooked {
  post(body: string | Buffer, more?: Partial<HookRequest>): Promise<{ status: number; body?: string }>;
  receipts: Receipt[];
  uplinks: unknown[];
  logged: string[];
}

const hooked = (settings: Settings, work: (hook: Hooked) => Promise<void>): Promise<void> =>
  withGateway(smsHttp, { ...base, ...settings }, async ({ ports, upstream, logged }) => {
    const post: Hooked['post'] = async (body, more = {}) => {
      const request = {
        method: 'POST' as const,
        path: '/status',
        url: 'https://otp.example/x',
        query: new URLSearchParams(),
      };
      const answer = await upstream.hook?.({ ...request, headers: {}, body: Buffer.from(body), ...more });
      return answer ?? assert.fail('there is no webhook');
    };
    await work({ post, receipts: ports.receipts, uplinks: ports.uplinks, logged });
  });

const brief = (all: readonly Receipt[]): string[] =>
  all.map(({ upstreamId, reference = '-', outcome }) =>
    [upstreamId, reference, outcome.kind === 'delivered' ? 'delivered' : outcome.reason].join(' '),
  );

test('receipts come alone or in lists, by the map of the settings', () =>
  hooked({ receipts }, async ({ post, receipts: got }) => {
    assert.equal((await post('{"id":"a","ref":"1-2-1-0","state":"DELIVERED"}')).status, 200);
    const many = [
      { id: 7, state: 1 },
      { id: 'b', state: 'FAILED' },
      { id: 'c', state: 'FAILED', cause: 27 },
      { id: 'd', state: 'FAILED', cause: 99 },
      { id: 'e', state: 'SENT' },
      { id: 'f', state: 'NEWS' },
      { id: 'g', state: 2 },
    ];
    assert.equal((await post(JSON.stringify(many))).status, 200);
    assert.deepEqual(brief(got), [
      'a 1-2-1-0 delivered',
      '7 - delivered',
      'b - upstream_error',
      'c - unreachable',
      'd - upstream_error',
      'g - expired',
    ]);
  }));

test('a list may stand anywhere, and fields of forms and queries are documents too', async () => {
  await hooked({ receipts: { ...receipts, list: '/data/items' } }, async ({ post, receipts: got }) => {
    await post('{"data":{"items":[{"id":"a","state":"DELIVERED"},{"id":"b","state":"FAILED"}]}}');
    assert.deepEqual(brief(got), ['a - delivered', 'b - upstream_error']);
  });
  await hooked({ receipts: { ...receipts, format: 'form' } }, async ({ post, receipts: got }) => {
    assert.equal((await post('id=a&state=DELIVERED&ref=1-2-1-0')).status, 200);
    assert.deepEqual(brief(got), ['a 1-2-1-0 delivered']);
  });
  await hooked({ receipts: { ...receipts, format: 'query' } }, async ({ post, receipts: got }) => {
    const query = new URLSearchParams('id=a&state=2');
    assert.equal((await post('', { method: 'GET', query })).status, 200);
    assert.equal((await post('ignored', { query })).status, 200);
    assert.deepEqual(brief(got), ['a - expired', 'a - expired']);
  });
});

test('the reference comes from the document, else from the address; without an id it stands for it', () =>
  hooked({ receipts }, async ({ post, receipts: got }) => {
    await post('{"id":"a","state":"DELIVERED"}', { path: '/status/1-2-1-0' });
    await post('{"id":"a","ref":"1-2-2-0","state":"DELIVERED"}', { path: '/status/1-2-1-0' });
    await post('{"id":"a","ref":"Not Ours!","state":"DELIVERED"}');
    await post('{"state":"DELIVERED"}', { path: '/status/1-2-3-0' });
    assert.deepEqual(brief(got), [
      'a 1-2-1-0 delivered',
      'a 1-2-2-0 delivered',
      'a - delivered',
      '1-2-3-0 1-2-3-0 delivered',
    ]);
  }));

test('what cannot be read is 400, and no garbage throws', () =>
  hooked(
    { receipts, inbound: { format: 'json', from: '/f', to: '/t', text: '/x' } },
    async ({ post, receipts: got, uplinks }) => {
      const garbage = [
        '',
        'x',
        '1',
        'null',
        '"a"',
        '[1]',
        '[[{}]]',
        '{}',
        '[{}]',
        '{"id":"a"}',
        '{"id":"\\u0000","state":"SENT"}',
        '['.repeat(50_000),
      ];
      for (const body of [
        ...garbage,
        Buffer.from([0xff, 0xfe, 0]),
        JSON.stringify(Array(1_001).fill({ id: 'a', state: 'SENT' })),
      ]) {
        assert.equal((await post(body)).status, 400, String(body).slice(0, 40));
        assert.equal((await post(body, { path: '/inbound' })).status, 400, String(body).slice(0, 40));
      }
      assert.deepEqual([got, uplinks], [[], []]);
      for (const path of ['', '/', '/other', '/status/', '/status/a/b', '/status/A!'])
        assert.equal((await post('{}', { path })).status, 404);
      assert.equal((await post('', { method: 'GET' })).status, 405);
    },
  ));

test('an empty list is taken; items that are no receipts do not keep the others from being taken', () =>
  hooked({ receipts }, async ({ post, receipts: got, logged }) => {
    assert.equal((await post('[]')).status, 200);
    assert.equal((await post('[{"event":"clicked"},{"id":"a","state":"DELIVERED"}]')).status, 200);
    assert.deepEqual(brief(got), ['a - delivered']);
    assert.match(logged.join(''), /without id or status/);
  }));

test('an unmapped status is counted by name, but never a value that may be a number or a text', () =>
  hooked({ receipts }, async ({ post, logged }) => {
    await post(
      '[{"id":"a","state":"SENT"},{"id":"a","state":"NEWS"},{"id":"a","state":"+6591230001"},{"id":"a","state":"code 482913"}]',
    );
    assert.deepEqual(
      logged.map((line) => (JSON.parse(line) as { upstreamCode: string }).upstreamCode),
      ['NEWS', '(not shown)', '(not shown)'],
    );
  }));

test('a receipt that is not taken yet is 503 and does not hold up the others', async () => {
  const seen: string[] = [];
  await withGateway(smsHttp, { ...base, receipts }, async ({ ports, upstream }) => {
    ports.onReceipt = async ({ upstreamId }) => seen.push(upstreamId) > 0 && upstreamId !== 'early';
    const body = Buffer.from('[{"id":"early","state":"DELIVERED"},{"id":"b","state":"DELIVERED"}]');
    const request = {
      method: 'POST',
      path: '/status',
      url: '',
      query: new URLSearchParams(),
      headers: {},
      body,
    } as const;
    assert.equal((await upstream.hook?.(request))?.status, 503);
    ports.onReceipt = () => Promise.reject(new Error('the ledger is away'));
    await assert.rejects(async () => upstream.hook?.(request), /the ledger is away/);
  });
  assert.deepEqual(seen, ['early', 'b']);
});

test('the answer to a webhook that was taken is the one of the settings', () =>
  hooked({ receipts, webhook_answer: { status: 202, type: 'text/xml', body: '<ok/>' } }, async ({ post }) => {
    assert.deepEqual(await post('{"id":"a","state":"SENT"}'), { status: 202, type: 'text/xml', body: '<ok/>' });
  }));

const delivered = '{"id":"a","state":"DELIVERED"}';

test('an HMAC covers the bytes that came; anything else is 401 without effect', () =>
  hooked({ receipts, webhook_auth: { ...hmac, secret_previous: 'old-s3cret' } }, async ({ post, receipts: got }) => {
    const sign = (body: string | Buffer, secret = hmac.secret): string =>
      `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
    const header = (value: string) => ({ headers: { 'x-gateway-signature': value } });
    for (const value of [
      '',
      'sha256=',
      sign('other'),
      sign(delivered, 'wrong'),
      sign(delivered).slice(7),
      `${sign(delivered)}0`,
    ])
      assert.equal((await post(delivered, header(value))).status, 401, value);
    assert.equal((await post(delivered)).status, 401);
    assert.equal((await post(`${delivered} `, header(sign(delivered)))).status, 401);
    assert.equal(got.length, 0);
    for (const value of [
      sign(delivered),
      sign(delivered, 'old-s3cret'),
      `sha256=${sign(delivered).slice(7).toUpperCase()}`,
    ])
      assert.equal((await post(delivered, header(value))).status, 200, value);
    const bytes = Buffer.concat([
      Buffer.from('{"id":"a","state":"DELIVERED","x":"'),
      Buffer.from([0xff, 0xe4]),
      Buffer.from('"}'),
    ]);
    assert.equal((await post(bytes, header(sign(bytes)))).status, 200);
    assert.equal(got.length, 4);
  }));

test('each algorithm, encoding and payload is understood', async () => {
  for (const algorithm of ['sha1', 'sha256', 'sha512'])
    for (const encoding of ['hex', 'base64', 'base64url'] as const)
      await hooked(
        { receipts, webhook_auth: { ...hmac, prefix: '', algorithm, encoding, payload: 'v0:{{body}}' } },
        async ({ post }) => {
          const value = createHmac(algorithm, hmac.secret).update(`v0:${delivered}`).digest(encoding);
          assert.equal(
            (await post(delivered, { headers: { 'x-gateway-signature': value } })).status,
            200,
            `${algorithm} ${encoding}`,
          );
        },
      );
});

test('a signed time older or newer than five minutes is refused, in any spelling', () =>
  hooked({ receipts, webhook_auth: { ...hmac, timestamp_header: 'X-Gateway-Time' } }, async ({ post }) => {
    const now = Math.floor(Date.now() / 1000);
    const statusAt = async (seconds: number): Promise<number> =>
      (await post(delivered, { headers: signed(delivered, seconds) })).status;
    assert.deepEqual(
      await Promise.all([now, now - 290, now + 290, now - 310, now + 310].map(statusAt)),
      [200, 200, 200, 401, 401],
    );
    const spelled = async (time: string): Promise<number> => {
      const value = `sha256=${createHmac('sha256', hmac.secret).update(`${time}.${delivered}`).digest('hex')}`;
      return (await post(delivered, { headers: { 'x-gateway-signature': value, 'x-gateway-time': time } })).status;
    };
    assert.deepEqual(
      await Promise.all([`${now}000`, new Date(now * 1000).toISOString(), 'soon', ''].map(spelled)),
      [200, 200, 401, 401],
    );
    const { 'x-gateway-time': _, ...untimed } = signed(delivered);
    assert.equal((await post(delivered, { headers: untimed })).status, 401);
  }));

test('a password or a secret in a header proves the origin too', async () => {
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
  await hooked(
    { receipts, webhook_auth: { type: 'basic', username: 'gw', secret: 'pw', secret_previous: 'old' } },
    async ({ post }) => {
      for (const [value, status] of [
        [basic('gw:pw'), 200],
        [basic('gw:old'), 200],
        [basic('gw:x'), 401],
        [basic('x:pw'), 401],
        ['', 401],
      ] as const)
        assert.equal((await post(delivered, { headers: { authorization: value } })).status, status, value);
    },
  );
  await hooked(
    { receipts, webhook_auth: { type: 'header', header: 'X-Hook-Secret', secret: 's3' } },
    async ({ post }) => {
      for (const [value, status] of [
        ['s3', 200],
        ['s4', 401],
        ['s', 401],
        ['', 401],
      ] as const)
        assert.equal((await post(delivered, { headers: { 'x-hook-secret': value } })).status, status, value);
    },
  );
});

test('messages of people arrive once, with numbers in international form', () =>
  hooked(
    { inbound: { format: 'json', id: '/id', from: '/from', to: '/to', text: '/text' } },
    async ({ post, uplinks }) => {
      const said = (id: string, from: string, to: string): Promise<{ status: number }> =>
        post(JSON.stringify({ id, from, to, text: 'STOP\0' }), { path: '/inbound' });
      const statuses = [
        await said('1', '6591230001', '12345'),
        await said('1', '6591230001', '12345'),
        await said('2', '+65 9123-0001', 'Acme'),
      ];
      assert.deepEqual(
        statuses.map(({ status }) => status),
        [200, 200, 200],
      );
      assert.deepEqual(uplinks, [
        { upstreamId: '1', from: '+6591230001', to: '12345', body: 'STOP' },
        { upstreamId: '2', from: '+6591230001', to: 'Acme', body: 'STOP' },
      ]);
      assert.equal((await post(delivered)).status, 404);
    },
  ));

test('messages of people without an id count once when they are equal', () =>
  hooked({ inbound: { format: 'form', from: '/from', to: '/to', text: '/text' } }, async ({ post, uplinks }) => {
    for (const text of ['STOP', 'STOP', 'HELP'])
      await post(`from=6591230001&to=12345&text=${text}`, { path: '/inbound' });
    assert.equal(uplinks.length, 2);
  }));
