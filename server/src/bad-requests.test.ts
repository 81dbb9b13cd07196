/**
 * Requests that are wrong as HTTP, before any field is read: bodies, headers, paths and methods. On every operation the
 * contract's error in the contract's order, and nothing happens. Raw bytes go over a real socket.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { before, test } from 'node:test';
import { onEachApp, testCredential } from './testing/app.ts';
import { type Described, type Description, describedOperations, pathOf } from './testing/description.ts';

const maxBytes = 65_536;
const send = { to: '+6591234567', template: { id: 'login' } };
const basic = (credential: string): string => `Basic ${Buffer.from(credential).toString('base64')}`;
const padded = (bytes: number): string => {
  const text = JSON.stringify({ ...send, unknown: '' });
  return text.replace('"unknown":""', `"unknown":"${'x'.repeat(bytes - text.length)}"`);
};

const notJson: [name: string, payload: string | Buffer][] = [
  ['nothing', ''],
  ['white space', ' \n\t '],
  ['half an object', '{"to":"+6591234567"'],
  ['a comma too many', '{"to":"+6591234567",}'],
  ['single quotes', "{'to':'+6591234567'}"],
  ['a bare word', '{to:"+6591234567"}'],
  ['a comment', '{"to":"+6591234567" /* x */}'],
  ['NaN', '{"to":NaN}'],
  ['two values', '{} {}'],
  ['a trailing word', `${JSON.stringify(send)}x`],
  ['a raw line feed in text', '{"to":"+65\n91234567"}'],
  ['a raw NUL', '{"to":"\u0000"}'],
  ['a form', 'to=%2B6591234567&template=login'],
  ['a number with a leading zero', '{"ttl_seconds":030}'],
  ['a bad escape', '{"to":"\\x41"}'],
  ['half a \\u escape', '{"to":"\\u00"}'],
  ['bad UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ['overlong UTF-8', Buffer.from([0x7b, 0x22, 0xc0, 0x80, 0x22, 0x3a, 0x31, 0x7d])],
  ['a surrogate in UTF-8', Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d])],
  ['UTF-16', Buffer.from(JSON.stringify(send), 'utf16le')],
  ['compressed bytes', Buffer.from('1f8b0800000000000003ab5604', 'hex')],
  ['64 KiB of opening brackets', '['.repeat(maxBytes)],
  ['64 KiB of opening objects', '{"a":'.repeat(13_107)],
  ['a word of 64 KiB', 'x'.repeat(maxBytes)],
];

onEachApp('bad requests', (get) => {
  let withBody: Described[] = [];
  let values: Record<string, string> = {};

  before(async () => {
    const { app, operator, call, applicationId, settle } = get();
    withBody = describedOperations(app.frontDoor.openapi() as Description).filter(
      ({ method, auth }) => auth !== 'none' && ['POST', 'PUT', 'PATCH'].includes(method),
    );
    const application = await operator({
      method: 'PATCH',
      path: `/admin/v1/applications/${applicationId}/policy`,
      body: { request_rate: 1_000_000 },
    });
    assert.equal(application.status, 200);
    const sent = await call({ path: '/v1/messages', body: { ...send, to: '+6598120044' } });
    values = {
      message_id: sent.body.message_id,
      template_id: 'login',
      application_id: applicationId,
      organization_id: applicationId,
      key_id: applicationId,
      to: '+6591234567',
    };
    await settle();
  });

  const ask = (operation: Described, payload: string | Buffer, headers: Record<string, string> = {}) => {
    const { call, operator } = get();
    const caller = operation.auth === 'operator' ? operator : call;
    return caller({ method: operation.method, path: pathOf(operation, values), payload, headers });
  };

  test('a body that is not JSON is 3001 on every operation', async () => {
    await get().expectNothingHappened(async () => {
      for (const operation of withBody)
        for (const [name, payload] of notJson) {
          if (name === 'nothing' && (!operation.bodyRequired || operation.body === undefined)) continue;
          const { status, body } = await ask(operation, payload);
          const told = `${operation.id}: ${name}`;
          assert.deepEqual([status, body.code, body.message], [400, 3001, 'request body is not valid JSON'], told);
        }
    });
  });

  test('a body over 64 KiB, or what the operation says, is 413/3002 on every operation, at 64 KiB it is read', async () => {
    await get().expectNothingHappened(async () => {
      for (const operation of withBody) {
        const most = operation.object.requestBody?.['x-max-body-bytes'] ?? maxBytes;
        for (const payload of [padded(most + 1), `{"a":"${'x'.repeat(16 * most)}"}`, '['.repeat(most + 1)]) {
          const { status, body } = await ask(operation, payload);
          const told = `body: larger than ${most / 1024} KiB`;
          assert.deepEqual([status, body.code, body.message], [413, 3002, told], operation.id);
        }
      }
    });
    const { status } = await get().call({ path: '/v1/messages', payload: padded(maxBytes) });
    assert.equal(status, 200);
  });

  test('deep nesting inside an object is 3002 or an unknown field, never a 5xx', async () => {
    await get().expectNothingHappened(async () => {
      for (const operation of withBody)
        for (const deep of ['['.repeat(30_000) + ']'.repeat(30_000), `${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}`]) {
          const { status, body } = await ask(operation, `{"template":${deep}}`);
          const told = `${operation.id}: ${JSON.stringify(body)}`;
          assert.deepEqual([status, body.code], [400, 3002], told);
        }
    });
  });

  test('a content type that is not JSON is 3001, any JSON type is taken', async () => {
    const path = '/v1/messages';
    const payload = JSON.stringify({ ...send, to: 'nobody' });
    const bad = ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/json'];
    bad.push(
      'application/jsonp',
      'application/json+x',
      'json',
      '',
      'application/',
      'application/xml',
      '*/*',
      'application/json-seq',
    );
    for (const type of bad) {
      const { status, body } = await get().expectNothingHappened(() =>
        get().call({ path, payload, headers: { 'content-type': type } }),
      );
      assert.deepEqual([status, body.code, body.message], [400, 3001, 'content type must be application/json'], type);
    }
    const good = [
      'application/json',
      'application/json; charset=utf-8',
      'APPLICATION/JSON',
      'application/json;charset=latin1',
    ];
    good.push('application/vnd.api+json', 'application/problem+json; v=1', 'application/json ; x="y"');
    for (const type of good)
      assert.equal((await get().call({ path, payload, headers: { 'content-type': type } })).body.code, 5011, type);
  });

  test('a content encoding other than identity is 3001', async () => {
    for (const encoding of ['gzip', 'br', 'deflate', 'zstd', 'x', 'identity, gzip', 'gzip, identity']) {
      const headers = { 'content-encoding': encoding };
      const { status, body } = await get().expectNothingHappened(() =>
        get().call({ path: '/v1/messages', body: send, headers }),
      );
      assert.deepEqual([status, body.code], [400, 3001], encoding);
    }
    const headers = { 'content-encoding': 'Identity' };
    assert.equal(
      (await get().call({ path: '/v1/messages', body: { ...send, to: 'nobody' }, headers })).body.code,
      5011,
    );
  });

  test('a credential that is missing, malformed, unknown or wrong is one and the same 401/2001', async () => {
    const [key = '', secret = ''] = testCredential.split(':');
    const bad = [
      '',
      'Basic',
      'Basic ',
      'Basic !!!!',
      'Basic ====',
      `Basic ${key}`,
      `Basic ${testCredential}`,
      'Digest x',
      'Negotiate',
    ];
    bad.push(
      basic(''),
      basic(':'),
      basic(key),
      basic(`${key}:`),
      basic(`:${secret}`),
      basic(`${key}:${secret}x`),
      basic(`${key}: ${secret}`),
    );
    bad.push(
      basic(`${key.toUpperCase()}:${secret}`),
      basic(`dk_nobody:${secret}`),
      `${basic(testCredential)}x`,
      `Basic  x`,
    );
    bad.push(
      `Basic${Buffer.from(testCredential).toString('base64')}`,
      basic(`${key}\u0000:${secret}`),
      basic(`${key}:${secret}\n`),
    );
    bad.push(`Basic ${'A'.repeat(5000)}`, `Bearer ${secret}`, `${basic(testCredential)}, ${basic(testCredential)}`);
    const replies = new Set<string>();
    for (const authorization of bad) {
      const reply = await get().expectNothingHappened(() =>
        get().call({
          path: '/v1/messages',
          body: send,
          credential: null,
          headers: authorization === '' ? {} : { authorization },
        }),
      );
      assert.equal(reply.headers['www-authenticate'], 'Basic realm="otp"', authorization);
      assert.equal(reply.headers['ratelimit'], undefined);
      const { request_id: _, ...body } = reply.body;
      replies.add(JSON.stringify([reply.status, body]));
    }
    assert.equal(replies.size, 1);
    assert.match([...replies][0] ?? '', /^\[401,\{"code":2001,"message":"authentication failed"/);
  });

  test('the scheme may be written in any case', async () => {
    const base64 = Buffer.from(testCredential).toString('base64');
    for (const authorization of [`basic ${base64}`, `BASIC ${base64}`, `bAsIc   ${base64}`])
      assert.equal(
        (await get().call({ path: '/v1/messages', credential: null, headers: { authorization } })).status,
        200,
      );
  });

  test('a request id of the right form comes back, any other is replaced', async () => {
    for (const id of ['a', 'A-z_0.9', 'x'.repeat(64)]) {
      const reply = await get().call({ path: '/v1/messages/1', headers: { 'x-request-id': id } });
      assert.deepEqual([reply.headers['x-request-id'], reply.body.request_id], [id, id]);
    }
    for (const id of [
      '',
      ' ',
      'a b',
      'x'.repeat(65),
      'ä',
      'a\tb',
      'a,b',
      '<script>',
      'a/b',
      'a:b',
      '{{x}}',
      '%0d%0a',
    ]) {
      const reply = await get().call({ path: '/v1/messages/1', headers: { 'x-request-id': id } });
      assert.match(String(reply.headers['x-request-id']), /^req_[0-9A-HJKMNP-TV-Z]{26}$/, id);
    }
  });

  test('an Idempotency-Key of another form is 3002 on every POST', async () => {
    const bad = ['', 'x'.repeat(256), 'ä', 'a\tb', '\u0080', 'é'.repeat(10)];
    await get().expectNothingHappened(async () => {
      for (const operation of withBody.filter(({ method }) => method === 'POST'))
        for (const key of bad) {
          const { status, body } = await ask(operation, '{}', { 'idempotency-key': key });
          assert.deepEqual([status, body.code], [400, 3002], `${operation.id} ${JSON.stringify(key)}`);
          assert.equal(body.message, 'Idempotency-Key: must be 1 to 255 printable ASCII characters');
        }
    });
  });

  test('an unknown path is 404/4001, a known one with another method 405/3002 with Allow, before any credential', async () => {
    const paths = [
      '/v1',
      '/v1/',
      '/v2/messages',
      '/v1/messages//',
      '/V1/messages',
      '/v1/Messages',
      '/v1/messages/1/2/3',
      '/admin',
      '/v1/%',
      '/v1/%zz',
      '/v1/messages/%ff',
      '/v1%2fmessages',
      '/../etc/passwd',
      '/v1/messages/..%2f',
      '/favicon.ico',
    ];
    for (const path of paths) {
      const { status, body } = await get().call({ path, credential: null });
      if (status === 401) continue; // An id, however odd, is for the operation to judge.
      assert.deepEqual([status, body.code, body.message], [404, 4001, 'no such endpoint'], path);
    }
    const described = describedOperations(get().app.frontDoor.openapi() as Description);
    for (const operation of described) {
      const known = described.filter(({ path }) => path === operation.path).map(({ method }) => method);
      for (const method of (['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const).filter((one) => !known.includes(one))) {
        const reply = await get().call({ method, path: pathOf(operation, values), credential: null });
        const told = `${method} ${operation.path}`;
        assert.deepEqual([reply.status, reply.body.code, reply.body.message], [405, 3002, 'method not allowed'], told);
        assert.equal(reply.headers['allow'], [...known].sort().join(', '), told);
      }
    }
  });

  test('one slash at the end changes nothing', async () => {
    const { body } = await get().call({ path: '/v1/messages/', body: { ...send, to: 'nobody' } });
    assert.equal(body.code, 5011);
  });

  test('raw bytes that are no request are refused or dropped, and the next request is answered', async () => {
    const { app, expectNothingHappened } = get();
    const address = await app.frontDoor.listen('127.0.0.1', 0);
    const port = Number(new URL(address).port);
    const body = JSON.stringify(send);
    const auth = `Authorization: ${basic(testCredential)}\r\n`;
    const head = `POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`;
    const wrong = `Authorization: ${basic('dk_nobody:wrong-secret')}\r\n`;
    const length = `Content-Length: ${body.length}\r\n`;
    const raw: [name: string, bytes: string, status: RegExp][] = [
      ['no HTTP', 'hello\r\n\r\n', /^HTTP\/1\.1 400 .*"code":3001/s],
      [
        'two lengths',
        `${head}${auth}Content-Length: 4\r\nContent-Length: 5\r\n\r\n{}`,
        /^HTTP\/1\.1 400 .*"code":3001/s,
      ],
      [
        'length and chunks',
        `${head}${auth}${length}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
        /^HTTP\/1\.1 400 .*"code":3001/s,
      ],
      ['a NUL in a header', `${head}${auth}X-A: a\u0000b\r\n${length}\r\n${body}`, /^HTTP\/1\.1 400 .*"code":3001/s],
      ['a folded header', `${head}${auth}X-A: a\r\n b: c\r\n${length}\r\n`, /^HTTP\/1\.1 400 /s],
      ['headers of 20 KB', `${head}${auth}X-A: ${'a'.repeat(20_000)}\r\n\r\n`, /^HTTP\/1\.1 431 .*"code":3002/s],
      ['no host', `POST /v1/messages HTTP/1.1\r\n${auth}${length}\r\n${body}`, /^HTTP\/1\.1 400 .*"code":3001/s],
      [
        'a wrong credential before the right one',
        `${head}${wrong}${auth}${length}Connection: close\r\n\r\n${body}`,
        /^HTTP\/1\.1 401 .*"code":2001/s,
      ],
      [
        'a right credential before a wrong one and no body',
        `${head}${auth}${wrong}Connection: close\r\n\r\n`,
        /^HTTP\/1\.1 (401|400) /s,
      ],
      [
        'chunks over 64 KiB',
        `${head}${auth}Transfer-Encoding: chunked\r\n\r\n${'8000\r\n'.concat('x'.repeat(32_768), '\r\n').repeat(4)}0\r\n\r\n`,
        /^HTTP\/1\.1 413 .*"code":3002/s,
      ],
      ['an announced megabyte', `${head}${auth}Content-Length: 1048576\r\n\r\n`, /^HTTP\/1\.1 413 .*"code":3002/s],
      ['CONNECT', 'CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 404 .*"code":4001/s],
      ['TRACE', `TRACE /v1/messages HTTP/1.1\r\nHost: x\r\n${auth}Connection: close\r\n\r\n`, /^HTTP\/1\.1 40[45] /s],
      [
        'OPTIONS',
        'OPTIONS /v1/messages HTTP/1.1\r\nHost: x\r\nOrigin: https://evil.example\r\nConnection: close\r\n\r\n',
        /^HTTP\/1\.1 405 (?!.*access-control)/is,
      ],
    ];
    await expectNothingHappened(async () => {
      for (const [name, bytes, status] of raw) assert.match(await exchange(port, bytes), status, name);
      await drop(port, `${head}${auth}${length}\r\n${body.slice(0, 10)}`);
    });
    const whole = `${head}${auth}${length}Connection: close\r\n\r\n${body.replace('+6591234567', '+6598120001')}`;
    assert.match(await exchange(port, whole), /^HTTP\/1\.1 200 .*"message_id"/s);
  });
});

/** What the server writes until it, or we after its answer, end the connection. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('latin1').on('data', (piece: string) => {
    text += piece;
    if (text.includes('\r\n\r\n{') && text.endsWith('}')) socket.destroy();
  });
  socket.on('error', () => undefined);
  socket.write(Buffer.from(bytes, 'latin1'));
  await once(socket, 'close');
  return text;
}

/** A client that leaves in the middle of its body. */
async function drop(port: number, bytes: string): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(bytes, () => socket.destroy());
  await once(socket, 'close');
}
