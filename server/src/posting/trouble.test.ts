/** Receivers that answer badly or not at all: what each try ends as, and what an operator reads about it in the log. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOutbound, type OutboundOptions } from '../platform/outbound.ts';
import { sql } from '../platform/sql.ts';
import { selfSigned } from '../testing/certificate.ts';
import { onEachEngine } from '../testing/database.ts';
import { attemptsOf, insertEndpoint, insertMessage, newApplication, openDispatcher, tell } from '../testing/posts.ts';
import { type Behaviour, openReceiver, type Receiver } from '../testing/receiver.ts';

interface Line {
  outcome: string;
  http_status: number | null;
  /** Of the log's sentence. */
  detail: RegExp | null;
  next_s?: number | null;
  response?: RegExp | null;
}

const retry = { outcome: 'retry', http_status: null, next_s: 60 };

const behaviours: Record<string, [Behaviour, Line]> = {
  'an error': [
    { status: 500, body: 'oops\u0000\u001b[31m' },
    { ...retry, http_status: 500, detail: /^answered 500$/, response: /^oops\[31m$/ },
  ],
  'a page that is gone': [410, { ...retry, http_status: 410, detail: /^answered 410$/ }],
  'a redirect': [
    { status: 301, headers: { location: 'http://127.0.0.1:1/elsewhere' } },
    { ...retry, http_status: 301, detail: /^answered 301: redirects are not followed$/ },
  ],
  'a plea for rest': [
    { status: 429, headers: { 'retry-after': '90' } },
    { ...retry, http_status: 429, detail: /^answered 429$/, next_s: 90 },
  ],
  silence: ['hang', { ...retry, detail: /^timeout: no answer within 1000 ms$/ }],
  'an answer that never ends': ['drip', { ...retry, detail: /^timeout: / }],
  'a closed connection': [
    'close',
    { ...retry, detail: /^connection: the connection was closed before the answer was whole$/ },
  ],
  'half an answer': [
    'close within',
    { ...retry, detail: /^connection: the connection was closed before the answer was whole$/ },
  ],
  'something that is no HTTP': ['garbage', { ...retry, detail: /^connection: no valid HTTP answer$/ }],
  'endless headers': ['huge headers', { ...retry, detail: /^connection: the headers of the answer are too large$/ }],
  'a hundred megabytes': [
    'huge',
    { outcome: 'accepted', http_status: 200, detail: null, next_s: null, response: /^x{2048}$/ },
  ],
};

onEachEngine('a receiver in trouble', (get) => {
  /** One event for one endpoint, tried once; the line of the log. */
  async function tryOnce(url: string, options: OutboundOptions = { allow: ['127.0.0.1'] }) {
    const { db } = get();
    const applicationId = newApplication();
    const endpointId = await insertEndpoint(db, { applicationId, url, timeoutMs: 1_000 });
    await tell(db, { applicationId, messageId: await insertMessage(db, applicationId) }, ['plan']);
    const outbound = createOutbound(options);
    const { dispatcher, close } = openDispatcher(get(), { outbound });
    try {
      await dispatcher.runUntilIdle();
      const lines = await attemptsOf(db, endpointId);
      assert.equal(lines.length, 1);
      return lines[0] as NonNullable<(typeof lines)[0]>;
    } finally {
      await close();
      await outbound.close();
      await db.query(sql`delete from callback_endpoints where id = ${endpointId}`);
    }
  }

  async function expectLine(url: string, line: Line, options?: OutboundOptions): Promise<void> {
    const { outcome, http_status, detail, next_s, response } = await tryOnce(url, options);
    assert.deepEqual(
      { outcome, http_status, next_s },
      { outcome: line.outcome, http_status: line.http_status, next_s: line.next_s },
    );
    assert.match(detail ?? '', line.detail ?? /^$/);
    if (line.response !== undefined) assert.match(response ?? '', line.response ?? /^$/);
  }

  async function withReceiver(receiver: Receiver, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } finally {
      await receiver.close();
    }
  }

  for (const [name, [answer, line]] of Object.entries(behaviours))
    test(name, async () => {
      const receiver = await openReceiver({ answer });
      await withReceiver(receiver, async () => {
        await expectLine(receiver.url, line);
        assert.equal(receiver.received.length, 1);
        if (answer === 'huge') assert.ok(receiver.written() < 20_000_000, `${receiver.written()} bytes were taken`);
      });
    });

  test('nobody there', async () => {
    const receiver = await openReceiver();
    await receiver.close();
    await expectLine(receiver.url, { ...retry, detail: /^connection: ECONNREFUSED$/ });
  });

  test('a certificate nobody vouches for: nothing is sent', async () => {
    const receiver = await openReceiver({ tls: selfSigned(['127.0.0.1']) });
    await withReceiver(receiver, async () => {
      await expectLine(receiver.url, { ...retry, detail: /^connection: DEPTH_ZERO_SELF_SIGNED_CERT$/ });
      assert.equal(receiver.received.length, 0);
    });
  });

  test('a name that leads inside is refused, also when it led outside before', async () => {
    const receiver = await openReceiver();
    await withReceiver(receiver, async () => {
      const line = { ...retry, detail: /^forbidden: / };
      const at = `https://hook.example:${receiver.port}/`;
      for (const address of ['10.0.0.1', '127.0.0.1', '169.254.169.254', '192.168.1.1']) {
        const resolve = async () => [{ address, family: 4 }];
        await expectLine(at, line, { ports: [receiver.port], resolve });
      }
      // Good when it was saved and checked, bad when it is used.
      const answers = ['93.184.216.34', '127.0.0.1'];
      const resolve = async () => [{ address: answers.shift() ?? '127.0.0.1', family: 4 }];
      assert.deepEqual(await resolve(), [{ address: '93.184.216.34', family: 4 }]);
      await expectLine(at, line, { ports: [receiver.port], resolve });
      assert.equal(receiver.connections(), 0);
    });
  });
});
