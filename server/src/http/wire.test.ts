/** The front door by bytes: malformed HTTP, header tricks, slow and oversized bodies, shutting down. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { openTestDatabase, type TestDatabase } from '../testing/database.ts';
import { good, type OpenDoor, openDoor, talk } from '../testing/open-door.ts';
import { defineOperation } from './operation.ts';

const body = z.object({
  to: z.union([z.string().min(1), z.array(z.string()).min(1).max(3)]),
  template: z.object({ id: z.string().min(1), params: z.record(z.string().max(8), z.string()).default({}) }).optional(),
  n: z.int().min(0).optional(),
  at: z.iso.datetime().nullable().optional(),
});
const shape = { tag: 'x', auth: 'key', permission: 'send', summary: 'x', errors: [] } as const;

describe('the front door on the wire', () => {
  let database: TestDatabase;
  let open: OpenDoor;
  let address: string;
  const ran: unknown[] = [];
  let onGone: ((reason: unknown) => void) | undefined;

  const operations = [
    defineOperation(
      {
        ...shape,
        id: 'send',
        method: 'POST',
        path: '/v1/messages',
        input: { body },
        output: z.object({ ip: z.string() }),
      },
      (call) => {
        ran.push(call.body);
        return { ip: call.ip };
      },
    ),
    defineOperation(
      { ...shape, id: 'wait', method: 'GET', path: '/v1/wait', input: {}, output: z.object({}) },
      async ({ signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        onGone?.(signal.aborted);
        return {};
      },
    ),
  ];

  before(async () => {
    database = await openTestDatabase('pglite');
    open = openDoor(database, { operations });
    address = await open.door.listen('127.0.0.1', 0);
  });
  after(async () => {
    await open.door.close();
    await database.close();
  });

  const head = (extra: readonly string[] = [], method = 'POST', path = '/v1/messages'): string =>
    [`${method} ${path} HTTP/1.1`, 'Host: x', 'Connection: close', `Authorization: ${good}`, ...extra, '', ''].join(
      '\r\n',
    );
  const json = (text: string, extra: readonly string[] = []): string =>
    `${head(['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(text)}`, ...extra])}${text}`;
  const valid = '{"to":"+6598120044"}';

  /** Status and body of the one response in a text; fails for anything that is not the contract's error. */
  function read(text: string): { status: number; body: { code: number; message: string; request_id: string } } {
    const [top = '', rest = ''] = text.split('\r\n\r\n', 2);
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(top)?.[1]);
    const parsed = JSON.parse(rest) as { code: number; message: string; request_id: string };
    assert.match(top, new RegExp(`\r\nX-Request-Id: ${parsed.request_id ?? '.*'}\r\n`, 'i'));
    if (status !== 200) assert.ok(Number.isInteger(parsed.code) && parsed.message !== '', text);
    return { status, body: parsed };
  }

  const cases: [name: string, bytes: () => string, status: number, code: number][] = [
    ['no HTTP at all', () => 'hello\r\n\r\n', 400, 3001],
    ['a TLS greeting', () => '\u0016\u0003\u0001\u0002\u0000\u0001', 400, 3001],
    ['HTTP/2 without agreement', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 3001],
    ['a header without a name', () => head([': x']), 400, 3001],
    ['a folded header', () => head(['X-A: 1', ' 2: 3']), 400, 3001],
    ['a bare line feed in a header', () => head(['X-A: 1\nX-B: 2']), 400, 3001],
    ['two different lengths', () => `${head(['Content-Length: 2', 'Content-Length: 3'])}{}`, 400, 3001],
    ['a length and chunks', () => `${head(['Content-Length: 2', 'Transfer-Encoding: chunked'])}0\r\n\r\n`, 400, 3001],
    ['a length that is no number', () => head(['Content-Length: -1']), 400, 3001],
    ['a bad chunk', () => `${head(['Content-Type: application/json', 'Transfer-Encoding: chunked'])}zz\r\n`, 400, 3001],
    ['headers over 16 KiB', () => head([`X-A: ${'a'.repeat(17_000)}`]), 431, 3002],
    ['a target over 16 KiB', () => head([], 'GET', `/v1/${'a'.repeat(17_000)}`), 431, 3002],
    ['no Host', () => `POST /v1/messages HTTP/1.1\r\nConnection: close\r\n\r\n`, 400, 3001],
    ['an expectation nobody has', () => json(valid, ['Expect: tea']), 417, 3002],
    ['CONNECT', () => 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n', 404, 4001],
    ['OPTIONS *', () => head([], 'OPTIONS', '*'), 404, 4001],
    ['a method of another protocol', () => head([], 'PROPFIND'), 405, 3002],
    ['an upgrade', () => head(['Upgrade: websocket', 'Connection: Upgrade'], 'GET', '/v1/nothing'), 404, 4001],
    [
      'two credentials, the first wrong',
      () => json(valid).replace('Authorization:', 'Authorization: Basic x\r\nAuthorization:'),
      401,
      2001,
    ],
    ['two Idempotency-Keys', () => json(valid, ['Idempotency-Key: a', 'Idempotency-Key: b']), 400, 3002],
    [
      'a smuggled second encoding',
      () => json(valid, ['Content-Encoding: identity', 'Content-Encoding: gzip']),
      400,
      3001,
    ],
    ['1 MB at once', () => json(`{"to":"${'x'.repeat(1_000_000)}"}`), 413, 3002],
    [
      '1 MB in chunks of unknown number',
      () =>
        `${head(['Content-Type: application/json', 'Transfer-Encoding: chunked'])}${`10000\r\n${' '.repeat(65_536)}\r\n`.repeat(16)}0\r\n\r\n`,
      413,
      3002,
    ],
  ];
  for (const [name, bytes, status, code] of cases) {
    test(`${name} answers ${status}/${code}`, async () => {
      const before = ran.length;
      const reply = read(await talk(address, bytes()));
      assert.deepEqual([reply.status, reply.body.code], [status, code]);
      assert.equal(ran.length, before);
    });
  }

  test('a body in chunks, of exactly 64 KiB, with 100-continue, or split into single bytes is read whole', async () => {
    const chunked = `${head(['Content-Type: application/json', 'Transfer-Encoding: chunked'])}5\r\n{"to"\r\n6\r\n:"+65"\r\n1\r\n}\r\n0\r\n\r\n`;
    assert.equal(read(await talk(address, chunked)).status, 200);
    assert.equal(read(await talk(address, json(valid + ' '.repeat(65_536 - valid.length)))).status, 200);
    const continued = await talk(address, json(valid, ['Expect: 100-continue']));
    assert.match(continued, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
    const socket = connect(Number(new URL(address).port), '127.0.0.1').setNoDelay();
    const closed = once(socket, 'close');
    let text = '';
    socket.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    for (const byte of Buffer.from(json(valid))) socket.write(Buffer.of(byte));
    await closed;
    assert.equal(read(text).status, 200);
  });

  test('a client that posts 1 MB and only then reads still gets its answer, and the connection serves the next', async () => {
    for (let i = 0; i < 3; i++) {
      const reply = await fetch(`${address}/v1/messages`, {
        method: 'POST',
        headers: { authorization: good, 'content-type': 'application/json' },
        body: `"${'x'.repeat(1_000_000)}"`,
      });
      assert.deepEqual([reply.status, ((await reply.json()) as { code: number }).code], [413, 3002]);
    }
  });

  test('a client that never stops sending a refused body loses the connection', async () => {
    const socket = connect(Number(new URL(address).port), '127.0.0.1');
    // Not once(): a reset that comes before the end would reject it.
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined).resume();
    socket.write('POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n{');
    const timer = setInterval(() => socket.write(' '), 50);
    await closed;
    clearInterval(timer);
  });

  test('malformed bytes after a request do not answer in place of its answer', async () => {
    const text = await talk(address, `${head([], 'GET', '/v1/wait')}garbage\r\n\r\n`);
    assert.equal(text, '');
  });

  test('a handler learns that its client has gone', async () => {
    const told = new Promise((resolve) => {
      onGone = resolve;
    });
    const socket = connect(Number(new URL(address).port), '127.0.0.1');
    socket.write(head([], 'GET', '/v1/wait'));
    await once(socket, 'connect');
    await open.door.inject({ url: '/healthz' });
    socket.destroy();
    assert.equal(await told, true);
  });

  test('a client that leaves in the middle of its body runs nothing', async () => {
    const before = ran.length;
    const socket = connect(Number(new URL(address).port), '127.0.0.1');
    const noted = new Promise<void>((resolve) => {
      const push = open.lines.push.bind(open.lines);
      open.lines.push = (...lines) => {
        if (lines.some((line) => line.includes('"status":499'))) resolve();
        return push(...lines);
      };
    });
    socket.write(`${head(['Content-Type: application/json', 'Content-Length: 500'])}{"to":`, () => socket.end());
    await noted;
    socket.destroy();
    assert.equal(ran.length, before);
  });

  test('whatever the bytes of a request, the answer is the contract’s and never a 5xx', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const reply = read(
          await talk(
            address,
            Buffer.concat([
              Buffer.from(head(['Content-Type: application/json', `Content-Length: ${bytes.length}`])),
              bytes,
            ]),
          ),
        );
        assert.ok(reply.status === 400, String(reply.status));
      }),
      { numRuns: 40 },
    );
  });

  test('whatever the JSON of a request, the answer is 200 or the contract’s refusal', async () => {
    const near = fc.record(
      { to: fc.jsonValue(), template: fc.jsonValue(), n: fc.jsonValue(), at: fc.jsonValue() },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.jsonValue(), near), async (value) => {
        const reply = await open.door.inject({
          method: 'POST',
          url: '/v1/messages',
          headers: { authorization: good, 'content-type': 'application/json' },
          payload: JSON.stringify(value),
        });
        assert.ok(reply.statusCode === 200 || (reply.statusCode === 400 && reply.json().code === 3002), reply.body);
      }),
      { numRuns: 300 },
    );
  });

  test('whatever the headers, never a 5xx', async () => {
    const name = fc.constantFrom(
      'x-request-id',
      'idempotency-key',
      'content-type',
      'content-encoding',
      'authorization',
      'accept',
      'x-forwarded-for',
      'forwarded',
      'te',
    );
    const value = fc.string({
      unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
      maxLength: 80,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(name, value),
        fc.webPath().map((path) => `/v1${path}`),
        async (headers, path) => {
          const text = await open.door.inject({ method: 'POST', url: path, headers, payload: valid });
          const own = await open.door.inject({
            method: 'POST',
            url: '/v1/messages',
            headers: { authorization: good, ...headers },
            payload: valid,
          });
          assert.ok(text.statusCode < 500 && own.statusCode < 500, own.body);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('X-Forwarded-For is believed only from the configured proxies', async () => {
    const proxied = openDoor(database, { operations, trustProxy: ['127.0.0.1', '10.0.0.0/8'] });
    const ask = async ({ door }: OpenDoor, forwarded: string): Promise<unknown> =>
      (
        await door.inject({
          method: 'POST',
          url: '/v1/messages',
          headers: { authorization: good, 'content-type': 'application/json', 'x-forwarded-for': forwarded },
          payload: valid,
        })
      ).json().ip;
    assert.equal(await ask(open, '203.0.113.9'), '127.0.0.1');
    assert.equal(await ask(proxied, '198.51.100.1, 203.0.113.9, 10.1.2.3'), '203.0.113.9');
    assert.equal(await ask(proxied, '203.0.113.9:4711'), '203.0.113.9');
    assert.equal(await ask(proxied, '[2001:db8::1]:4711'), '2001:db8::1');
    assert.equal(await ask(proxied, '::ffff:203.0.113.9'), '203.0.113.9');
    assert.equal(await ask(proxied, "unknown'--"), '127.0.0.1');
    await proxied.door.close();
  });

  test('closing finishes what is under way, closes idle connections and takes no new ones', async () => {
    let release = (): void => undefined;
    let started = (): void => undefined;
    const running = new Promise<void>((resolve) => {
      started = resolve;
    });
    const closing = openDoor(database, {
      operations: [
        defineOperation(
          { ...shape, id: 'slow', method: 'GET', path: '/v1/slow', input: {}, output: z.object({}) },
          async () => {
            await new Promise<void>((resolve) => {
              release = resolve;
              started();
            });
            return {};
          },
        ),
      ],
    });
    const at = await closing.door.listen('127.0.0.1', 0);
    const port = Number(new URL(at).port);
    const idle: Socket = connect(port, '127.0.0.1').resume();
    await once(idle, 'connect');
    const keepAlive = fetch(`${at}/v1/slow`, { headers: { authorization: good } });
    await running;
    const closed = closing.door.close();
    const ready = await closing.door.inject({ url: '/readyz' }).catch(() => undefined);
    if (ready) assert.deepEqual([ready.statusCode, ready.json().status], [503, 'not_ready']);
    await once(idle, 'close');
    release();
    const reply = await keepAlive;
    assert.deepEqual([reply.status, reply.headers.get('connection')], [200, 'close']);
    await closed;
    const refused = connect(port, '127.0.0.1');
    const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
  });
});
