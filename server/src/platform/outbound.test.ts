import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import { after, test } from 'node:test';
import { classifyAddress, parseRange } from './address-guard.ts';
import { createOutbound, type Outbound, type OutboundOptions } from './outbound.ts';

const closing: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const close of closing) await close();
});

function outbound(options: OutboundOptions): Outbound {
  const made = createOutbound(options);
  closing.push(() => made.close());
  return made;
}

/** A receiver on 127.0.0.1; resolves with its port. */
async function listen(handler: RequestListener): Promise<number> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  );
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

const outgoing = (url: string, timeoutMs = 2_000) => ({ url, headers: {}, body: '{}', timeoutMs });
const local = { allow: ['127.0.0.1/32'] };

test('only public unicast addresses pass, in every notation', () => {
  const forbidden =
    `127.0.0.1 127.255.255.254 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0
    0.1.2.3 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 192.0.0.8 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 192.88.99.1
    :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 64:ff9b:1::1 fc00::1 fd12::1 fe80::1 fe80::1%eth0 fec0::1
    ff02::1 2001:db8::1 2001::1 2001:20::1 2002:7f00:1:: 3fff::1 5f00::1 100::1 4000::1 localhost`.split(/\s+/);
  for (const address of forbidden) assert.equal(classifyAddress(address, []), 'forbidden', address);
  for (const address of ['8.8.8.8', '1.1.1.1', '172.32.0.1', '2606:4700::1111', '2a00:1450:4001::1'])
    assert.equal(classifyAddress(address, []), 'public', address);
});

test('a listed range opens that range and nothing else', () => {
  const ranges = ['10.1.0.0/16', 'fd00::/8', '127.0.0.1'].map(parseRange);
  assert.equal(classifyAddress('10.1.2.3', ranges), 'listed');
  assert.equal(classifyAddress('fd12::1', ranges), 'listed');
  assert.equal(classifyAddress('127.0.0.1', ranges), 'listed');
  for (const address of ['10.2.0.1', '127.0.0.2', 'fe80::1', '::ffff:10.1.2.3'])
    assert.equal(classifyAddress(address, ranges), 'forbidden', address);
  assert.throws(() => parseRange('10.1.0.0/40'), /must be a comma list/);
});

test('the text of an address alone refuses http, other ports, credentials and literal private addresses', () => {
  const { fault } = outbound({});
  assert.equal(fault('https://example.com/hook'), null);
  assert.equal(fault('https://example.com:8443/hook'), null);
  assert.equal(fault('http://example.com/hook'), 'must be an https address');
  assert.equal(fault('https://example.com:22/'), 'port must be one of 443, 8443');
  assert.equal(fault('https://user:pw@example.com/'), 'must not contain credentials');
  for (const text of [
    '',
    'example.com',
    'ftp://example.com/',
    'https://example.com/\0',
    ' https://example.com/',
    `https://example.com/${'a'.repeat(2048)}`,
  ])
    assert.equal(fault(text), 'not a valid https address', text.slice(0, 40));
  for (const host of [
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '127.0.0.1.',
    '[::1]',
    '[::ffff:10.0.0.1]',
    '169.254.169.254',
  ])
    assert.equal(fault(`https://${host}/`), 'address not allowed', host);
  const listing = outbound(local);
  assert.equal(listing.fault('http://127.0.0.1:9/'), null);
  assert.equal(listing.fault('http://8.8.8.8/'), 'address not allowed');
  assert.equal(listing.fault('https://8.8.8.8/'), null);
});

test('a name that resolves to a private address is never connected to, even beside a public one', async () => {
  let connections = 0;
  const port = await listen((_request, response) => {
    connections++;
    response.end();
  });
  const answers = [
    [{ address: '127.0.0.1', family: 4 }],
    [
      { address: '8.8.8.8', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ],
    [{ address: '::ffff:127.0.0.1', family: 6 }],
    [],
  ];
  for (const addresses of answers) {
    const { request: post } = outbound({ ports: [port], resolve: async () => addresses });
    const answer = await post(outgoing(`https://hook.example:${port}/`));
    assert.deepEqual(answer, { kind: 'failed', reason: 'forbidden', detail: 'address not allowed', sent: false });
  }
  assert.equal(connections, 0);
});

test('plain http goes only to listed addresses, also through a name', async () => {
  const port = await listen((_request, response) => response.end('here'));
  const resolveTo = (address: string) => async () => [{ address, family: 4 }];
  const inside = outbound({ ...local, resolve: resolveTo('127.0.0.1') });
  const answer = await inside.request(outgoing(`http://hook.example:${port}/`));
  assert.equal(answer.kind === 'answered' && answer.body, 'here');
  const outside = outbound({ ...local, resolve: resolveTo('8.8.8.8') });
  assert.deepEqual(await outside.request(outgoing(`http://hook.example:${port}/`)), {
    kind: 'failed',
    reason: 'forbidden',
    detail: 'address not allowed',
    sent: false,
  });
});

test('headers and body arrive as given', async () => {
  const seen: unknown[] = [];
  const port = await listen((request, response) => {
    request.on('data', (chunk) => seen.push(String(chunk), request.method, request.headers['x-callback-id']));
    request.on('end', () => response.writeHead(204).end());
  });
  const answer = await outbound(local).request({
    ...outgoing(`http://127.0.0.1:${port}/hook`),
    headers: { 'x-callback-id': 'abc' },
  });
  assert.equal(answer.kind === 'answered' && answer.status, 204);
  assert.deepEqual(seen, ['{}', 'POST', 'abc']);
});

test('a redirect is an answer and is not followed', async () => {
  let requests = 0;
  const port = await listen((_request, response) => {
    requests++;
    response.writeHead(302, { location: '/elsewhere' }).end();
  });
  const answer = await outbound(local).request(outgoing(`http://127.0.0.1:${port}/`));
  assert.equal(answer.kind === 'answered' && answer.status, 302);
  assert.equal(requests, 1);
});

test('a receiver that never answers, or never ends its answer, costs the time limit and no more', async () => {
  const silent = await listen(() => undefined);
  const endless = await listen((_request, response) => response.write('x'));
  const { request: post } = outbound(local);
  for (const port of [silent, endless]) {
    const answer = await post(outgoing(`http://127.0.0.1:${port}/`, 60));
    assert.deepEqual(answer, { kind: 'failed', reason: 'timeout', detail: 'no answer within 60 ms', sent: true });
  }
});

test('a huge answer is read up to 64 KiB', async () => {
  const port = await listen((_request, response) => response.end('x'.repeat(1_000_000)));
  const answer = await outbound(local).request(outgoing(`http://127.0.0.1:${port}/`));
  assert.equal(answer.kind === 'answered' && answer.body.length, 65_536);
});

test('a closed port and an aborted call are failures of the connection', async () => {
  const { request: post } = outbound(local);
  const answer = await post(outgoing('http://127.0.0.1:1/'));
  assert.deepEqual(answer, { kind: 'failed', reason: 'connection', detail: 'ECONNREFUSED', sent: false });
  const stopped = await post({ ...outgoing('http://127.0.0.1:1/'), signal: AbortSignal.abort() });
  assert.equal(stopped.kind === 'failed' && stopped.reason, 'connection');
});
