/**
 * Receivers that go wrong, and ones that try to lead elsewhere, over real sockets and real TLS: each ends in one readable value.
 * Names resolve to 127.0.0.1 by the test's resolver, which counts as allowed here.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { createAuthority, type Identity, selfSigned } from '../testing/certificate.ts';
import { openReceiver, type Receiver, type ReceiverOptions } from '../testing/receiver.ts';
import { createOutbound, type Outbound, type OutboundAnswer, type OutboundOptions } from './outbound.ts';

const authority = createAuthority();
const local = ['127.0.0.1/32'];
const closing: (() => Promise<unknown>)[] = [];

before(() => setDefaultCACertificates([...getCACertificates('default'), authority.certificate]));
after(async () => {
  for (const close of closing) await close();
});

async function receiving(options: ReceiverOptions): Promise<Receiver> {
  const receiver = await openReceiver(options);
  closing.push(receiver.close);
  return receiver;
}

/** A resolver that gives its answers in turn, the last for ever, and counts. */
function resolver(...answers: string[][]) {
  const asked: string[] = [];
  const resolve = async (name: string) => {
    const addresses = answers[Math.min(asked.length, answers.length - 1)] ?? [];
    asked.push(name);
    return addresses.map((address) => ({ address, family: 4 }));
  };
  return { asked, resolve };
}

function outbound(options: OutboundOptions = {}): Outbound {
  const made = createOutbound({ allow: local, resolve: resolver(['127.0.0.1']).resolve, ...options });
  closing.push(made.close);
  return made;
}

const post = ({ request }: Outbound, url: string, timeoutMs = 5_000): Promise<OutboundAnswer> =>
  request({ url, headers: { 'content-type': 'application/json' }, body: '{"total":0,"rows":[]}', timeoutMs });

const failure = (answer: OutboundAnswer) =>
  answer.kind === 'failed' ? [answer.reason, answer.detail, answer.sent] : answer;
const refused = { kind: 'failed', reason: 'forbidden', detail: 'address not allowed', sent: false };

describe('a name that changes its address', () => {
  test('between check and use: what was checked is what is connected to, by one look-up', async () => {
    const receiver = await receiving({});
    const { resolve, asked } = resolver(['127.0.0.1'], ['10.0.0.1']);
    const answer = await post(outbound({ resolve }), `http://hooks.example.com:${receiver.port}/`);
    assert.equal(answer.kind === 'answered' && answer.status, 200);
    assert.deepEqual(asked, ['hooks.example.com']);
  });

  test('to an address inside: the next connection is refused, and nothing reaches it', async () => {
    const receiver = await receiving({ answer: { headers: { connection: 'close' } } });
    const victim = await receiving({});
    const { resolve, asked } = resolver(['127.0.0.1'], ['127.0.0.2'], ['127.0.0.1', '127.0.0.2']);
    const out = outbound({ resolve });
    assert.equal((await post(out, `http://hooks.example.com:${receiver.port}/`)).kind, 'answered');
    assert.deepEqual(await post(out, `http://hooks.example.com:${victim.port}/`), refused);
    assert.deepEqual(await post(out, `http://hooks.example.com:${receiver.port}/`), refused);
    assert.equal(asked.length, 3, 'looked up anew for each connection');
    assert.deepEqual([receiver.received.length, victim.connections()], [1, 0]);
  });

  test('while its connection is kept: the connection stays where it was, another one is checked anew', async () => {
    const receiver = await receiving({});
    const { resolve, asked } = resolver(['127.0.0.1'], ['10.0.0.1']);
    const out = outbound({ resolve });
    const url = `http://hooks.example.com:${receiver.port}/`;
    await post(out, url);
    // The connection is free again one turn after its answer.
    await setImmediate();
    const again = await post(out, url);
    assert.equal(again.kind, 'answered');
    assert.deepEqual([asked.length, receiver.connections(), receiver.received[1]?.reused], [1, 1, true]);
    await setImmediate();
    // One is under way on the kept connection, so the other needs one of its own.
    receiver.answerWith('hang');
    const first = post(out, url, 1_000);
    const second = post(out, url, 1_000);
    const both = (await Promise.all([first, second])).map(failure);
    assert.deepEqual(both, [
      ['timeout', 'no answer within 1000 ms', true],
      ['forbidden', 'address not allowed', false],
    ]);
    assert.equal(receiver.connections(), 1);
  });

  test('connections that start together share a look-up; a later one does not', async () => {
    const receiver = await receiving({});
    const { resolve, asked } = resolver(['127.0.0.1']);
    const out = outbound({ resolve });
    const url = `http://hooks.example.com:${receiver.port}/`;
    await Promise.all(Array.from({ length: 20 }, () => post(out, url)));
    assert.ok(receiver.connections() > 1);
    assert.equal(asked.length, 1);
    receiver.answerWith({ headers: { connection: 'close' } });
    await Promise.all(Array.from({ length: 20 }, () => post(out, url)));
    await post(out, url);
    assert.ok(asked.length > 1);
  });
});

describe('certificates', () => {
  const good = authority.issue(['hooks.example.com']);
  const year = (offset: number) => new Date(Date.UTC(new Date().getUTCFullYear() + offset, 0));
  const bad: [string, Identity, string][] = [
    ['signed by itself', selfSigned(['hooks.example.com']), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['of an unknown authority', createAuthority().issue(['hooks.example.com']), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['of another name', authority.issue(['hooks.example.org', '127.0.0.1']), 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['of a name above', authority.issue(['example.com', '*.hooks.example.com']), 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['expired', authority.issue(['hooks.example.com'], { from: year(-3), until: year(-1) }), 'CERT_HAS_EXPIRED'],
    ['not valid yet', authority.issue(['hooks.example.com'], { from: year(1), until: year(2) }), 'CERT_NOT_YET_VALID'],
  ];

  test('a good one: the name is in SNI and Host, the connection at the checked address', async () => {
    const receiver = await receiving({ tls: good });
    const answer = await outbound().request({
      url: `https://hooks.example.com:${receiver.port}/hook?x=1`,
      // Nobody can make another name of it.
      headers: { Host: 'other.example.com', host: 'third.example.com' },
      body: '{}',
      timeoutMs: 5_000,
    });
    assert.equal(answer.kind === 'answered' && answer.status, 200);
    const [request] = receiver.received;
    assert.deepEqual(
      [request?.headers.host, request?.servername, request?.path],
      [`hooks.example.com:${receiver.port}`, 'hooks.example.com', '/hook?x=1'],
    );
  });

  for (const [what, tls, detail] of bad) {
    test(`one ${what}: ${detail}, nothing sent, quickly`, async () => {
      const receiver = await receiving({ tls });
      const out = outbound();
      for (let i = 0; i < 2; i++)
        assert.deepEqual(failure(await post(out, `https://hooks.example.com:${receiver.port}/`)), [
          'connection',
          detail,
          false,
        ]);
      assert.deepEqual(receiver.received, []);
    });
  }

  test('TLS where there is none, and none where there is TLS', async () => {
    const plain = await receiving({});
    const secured = await receiving({ tls: good });
    const handshake = failure(await post(outbound(), `https://hooks.example.com:${plain.port}/`));
    assert.deepEqual(handshake, ['connection', 'ERR_SSL_WRONG_VERSION_NUMBER', false]);
    const [reason] = failure(await post(outbound(), `http://hooks.example.com:${secured.port}/`)) as string[];
    assert.equal(reason, 'connection');
    assert.deepEqual([plain.received, secured.received], [[], []]);
  });
});

describe('answers', () => {
  for (const status of [300, 301, 302, 303, 307, 308]) {
    test(`${status} with a Location is an answer and is not followed`, async () => {
      const elsewhere = await receiving({});
      const receiver = await receiving({ answer: { status, headers: { location: elsewhere.url } } });
      const answer = await post(outbound(), receiver.url);
      assert.equal(answer.kind === 'answered' && answer.status, status);
      assert.deepEqual([receiver.received.length, elsewhere.connections()], [1, 0]);
    });
  }

  test('100 MB are cut at 64 KiB, and the rest is never taken', async () => {
    const receiver = await receiving({ answer: 'huge' });
    const out = outbound();
    await post(out, receiver.url);
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 10; i++) {
      const answer = await post(out, receiver.url);
      assert.equal(answer.kind === 'answered' && answer.body.length, 65_536);
    }
    assert.ok(receiver.written() < 11 * 16_000_000, `${receiver.written()} bytes left the receiver`);
    // Receiver and caller are this one process.
    assert.ok(process.memoryUsage().rss - before < 150_000_000);
  });

  test('bytes that drip for ever end at the time limit', async () => {
    const receiver = await receiving({ answer: 'drip' });
    assert.deepEqual(failure(await post(outbound(), receiver.url, 200)), ['timeout', 'no answer within 200 ms', true]);
  });

  test('silence ends at the time limit', async () => {
    const receiver = await receiving({ answer: 'hang' });
    assert.deepEqual(failure(await post(outbound(), receiver.url, 200)), ['timeout', 'no answer within 200 ms', true]);
  });

  const closed = 'the connection was closed before the answer was whole';
  for (const [behaviour, detail] of [
    ['close', closed],
    ['close within', closed],
    ['huge headers', 'the headers of the answer are too large'],
    ['garbage', 'no valid HTTP answer'],
  ] as const) {
    test(`${behaviour}: ${detail}`, async () => {
      const receiver = await receiving({ answer: behaviour });
      assert.deepEqual(failure(await post(outbound(), receiver.url)), ['connection', detail, true]);
      assert.equal(receiver.received.length, 1, 'posted once and not again');
      receiver.answerWith(200);
      assert.equal((await post(outbound(), receiver.url)).kind, 'answered');
    });
  }

  test('packed answers are not unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000));
    const receiver = await receiving({ answer: { headers: { 'content-encoding': 'gzip' }, body: bomb } });
    const answer = await post(outbound(), receiver.url);
    assert.ok(answer.kind === 'answered' && answer.body.length < bomb.length + 1);
    assert.equal(receiver.received[0]?.headers['accept-encoding'], undefined, 'nor asked for');
  });

  test('a name that cannot be looked up, and one whose look-up never ends', async () => {
    const fault = Object.assign(new Error('x'), { code: 'ENOTFOUND' });
    const missing = await post(outbound({ resolve: () => Promise.reject(fault) }), 'https://hooks.example.com/');
    assert.deepEqual(failure(missing), ['connection', 'ENOTFOUND', false]);
    const silent = await post(
      outbound({ resolve: () => new Promise(() => undefined) }),
      'https://hooks.example.com/',
      100,
    );
    assert.deepEqual(failure(silent), ['timeout', 'no answer within 100 ms', false]);
  });

  test('what ended before its name was looked up is not posted afterwards', async () => {
    const receiver = await receiving({});
    const found = Promise.withResolvers<{ address: string; family: number }[]>();
    const out = outbound({ resolve: () => found.promise });
    const request = (body: string, timeoutMs: number) =>
      out.request({ url: `http://hooks.example.com:${receiver.port}/`, headers: {}, body, timeoutMs });
    assert.deepEqual(failure(await request('late', 50)), ['timeout', 'no answer within 50 ms', false]);
    const second = request('in time', 5_000);
    found.resolve([{ address: '127.0.0.1', family: 4 }]);
    assert.equal((await second).kind, 'answered');
    assert.deepEqual(
      receiver.received.map(({ raw }) => String(raw)),
      ['in time'],
    );
  });

  test('a call that is given up: aborted', async () => {
    const receiver = await receiving({ answer: 'hang' });
    const stop = new AbortController();
    const asked = outbound().request({ url: receiver.url, headers: {}, timeoutMs: 5_000, signal: stop.signal });
    await receiver.until(1);
    stop.abort();
    assert.deepEqual(failure(await asked), ['connection', 'aborted', true]);
  });
});
