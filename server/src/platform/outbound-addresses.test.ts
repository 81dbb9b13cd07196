/**
 * Addresses that must never be called, in every form somebody has tried: each goes the whole way through request(), with ports and
 * a resolver under which a slip would connect to a listener on this machine, and none may.
 */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { createOutbound, type Outbound } from './outbound.ts';

/** After each host comes the listener's port. */
const hosts: Record<string, string[]> = {
  'IPv4 in its usual form': [
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '100.64.0.1',
    '100.127.255.255',
    '169.254.0.1',
    '192.0.0.1',
    '192.0.2.1',
    '192.88.99.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
  ],
  'the metadata services of clouds': [
    '169.254.169.254',
    '169.254.170.2',
    '100.100.100.200',
    '192.0.0.192',
    '168.63.129.16',
    '[fd00:ec2::254]',
    '[fd20:ce::254]',
    '[fe80::a9fe:a9fe]',
    '0xa9fea9fe',
    '2852039166',
    '0251.0376.0251.0376',
    '[::ffff:169.254.169.254]',
  ],
  'IPv4 in decimal, octal, hex, short and mixed forms': [
    '2130706433',
    '017700000001',
    '0x7f000001',
    '0x7f.0.0.1',
    '0x7F.0x0.0x0.0x1',
    '0177.0.0.1',
    '0177.0.0.01',
    '127.1',
    '127.0.1',
    '0',
    '0x0',
    '10.1',
    '3232235521',
    '0xc0a80001',
  ],
  'trailing dots': ['127.0.0.1.', '2130706433.', '0x7f.1.', '127.1.'],
  'characters that become digits and dots': [
    '①②⑦.⓪.⓪.①',
    '127。0。0。1',
    '127．0．0．1',
    '127｡0｡0｡1',
    '１２７.０.０.１',
    '𝟏𝟐𝟕.𝟎.𝟎.𝟏',
    '127%2e0%2e0%2e1',
    '%31%32%37.0.0.1',
    '%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1',
    '127.0.0.\u00AD1',
  ],
  'IPv6 that is not public': [
    '[::]',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[0000:0000:0000:0000:0000:0000:0000:0001]',
    '[fc00::1]',
    '[fd12:3456:789a::1]',
    '[fe80::1]',
    '[febf::1]',
    '[fec0::1]',
    '[ff02::1]',
    '[ff0e::1]',
    '[100::1]',
    '[2001:db8::1]',
    '[3fff::1]',
    '[2001:2::1]',
    '[2001:10::1]',
    '[2001:20::1]',
    '[5f00::1]',
    '[4000::1]',
  ],
  'IPv4 inside IPv6: mapped, compatible, translated, 6to4, Teredo': [
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:ffff:10.0.0.1]',
    '[::ffff:8.8.8.8]',
    '[::127.0.0.1]',
    '[::7f00:1]',
    '[::ffff:0:127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    '[64:ff9b::a00:1]',
    '[64:ff9b:1::7f00:1]',
    '[2002:7f00:1::]',
    '[2002:a00:1::1]',
    '[2001:0:7f00:1::1]',
    '[2001::1]',
  ],
  'names of this machine and of the network inside': [
    'localhost',
    'LOCALHOST',
    'localhost.',
    'ⓛⓞⓒⓐⓛⓗⓞⓢⓣ',
    'a.localhost',
    'b.a.localhost.',
    'metadata',
    'instance-data',
    'metadata.google.internal',
    'metadata.google.internal.',
    'METADATA.GOOGLE.INTERNAL',
    'host.docker.internal',
    'kubernetes.default.svc.cluster.local',
    'router.home.arpa',
    'postgres',
  ],
};

/** Whole addresses; PORT is the listener's. */
const addresses: Record<string, string[]> = {
  'not addresses at all': [
    '',
    'localhost',
    '//127.0.0.1/',
    'https://',
    'https:///',
    'https://[::1',
    'https://[fe80::1%25eth0]:PORT/',
    'https://[fe80::1%eth0]:PORT/',
    'https://127.0.0.1:PORT\n/',
    'https://exam\tple.com/',
    ' https://example.com/',
    'https://example.com/\0',
    'https://256.256.256.256/',
    'https://1.2.3.4.5/',
    'https://0x100000000/',
    'https://127.0.0.1:99999/',
    `https://example.com/${'a'.repeat(2_100)}`,
  ],
  'credentials, fragments and slashes that point elsewhere': [
    'https://good.com@127.0.0.1:PORT/',
    'https://good.com:443@127.0.0.1:PORT/',
    'https://good.com%00@127.0.0.1:PORT/',
    'https://127.0.0.1:PORT#@good.com/',
    'https://127.0.0.1:PORT?@good.com/',
    'https://127.0.0.1:PORT/@good.com',
    'https://user:password@example.com/',
    'https://:@127.0.0.1:PORT/',
    'https:127.0.0.1:PORT/',
    'https:/127.0.0.1:PORT/',
    'https:\\\\127.0.0.1:PORT\\',
    'https://good.com\\@127.0.0.1:PORT/',
    'https://127.0.0.1:PORT\\@good.com/',
  ],
  'other schemes': [
    'http://example.com/',
    'http://127.0.0.1:PORT/',
    'HTTP://example.com/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'gopher://127.0.0.1:PORT/_x',
    'unix:/var/run/docker.sock',
    'data:text/plain,x',
    'javascript:alert(1)',
    'ws://127.0.0.1:PORT/',
    'wss://example.com/',
    'blob:https://example.com/1',
  ],
  'other ports': ['22', '25', '80', '0', '6379', '5432', '65535'].map((port) => `https://example.com:${port}/`),
};

/** What names resolve to; one bad address among good ones is enough. */
const answers: Record<string, string[]> = {
  'this machine': ['127.0.0.1'],
  'this machine, mapped': ['::ffff:127.0.0.1'],
  'this machine in IPv6': ['::1'],
  'a network inside': ['10.0.0.1'],
  'a link-local zone': ['fe80::1%lo'],
  'a metadata service': ['169.254.169.254'],
  'a metadata service in IPv6': ['fd00:ec2::254'],
  'NAT64 of this machine': ['64:ff9b::7f00:1'],
  'a good address and a bad one': ['8.8.8.8', '127.0.0.1'],
  'a bad address and a good one': ['127.0.0.1', '8.8.8.8'],
  'many good ones and a bad one': ['8.8.8.8', '2606:4700::1111', '1.1.1.1', '0.0.0.0'],
  'a good IPv4 and a bad IPv6': ['8.8.8.8', '::1'],
  'no address': [],
  'what is no address': ['2130706433x'],
  'another name': ['localhost'],
};

let server: Server;
let port = 0;
let connections = 0;
const opened: Outbound[] = [];

before(async () => {
  server = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  // Of both families and every address of this machine: whatever slips through arrives here.
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const address = server.address();
  port = typeof address === 'object' && address ? address.port : 0;
});
after(async () => {
  for (const outbound of opened) await outbound.close();
  await new Promise((resolve) => server.close(resolve));
  assert.equal(connections, 0, 'nothing was ever connected to');
});

const familyOf = (address: string): number => (address.includes(':') ? 6 : 4);

function reaching(resolved: readonly string[], allow: string[] = []): Outbound {
  const resolve = async () => resolved.map((address) => ({ address, family: familyOf(address) }));
  const outbound = createOutbound({ allow, ports: [443, 8443, port], resolve });
  opened.push(outbound);
  return outbound;
}

async function refuse(outbound: Outbound, url: string): Promise<void> {
  const answer = await outbound.request({ url, headers: {}, body: '{}', timeoutMs: 5_000 });
  assert.equal(answer.kind, 'failed', url);
  assert.deepEqual([answer.reason, answer.sent], ['forbidden', false], `${url}: ${answer.detail}`);
}

describe('hosts that are refused', () => {
  for (const [what, list] of Object.entries(hosts)) {
    test(`${what} (${list.length})`, async () => {
      // Resolvers cannot make them good: a name inside may be answered with this machine's own listener or a public address.
      for (const resolved of ['127.0.0.1', '8.8.8.8'])
        for (const host of list) await refuse(reaching([resolved]), `https://${host}:${port}/hook`);
    });
  }
});

describe('addresses that are refused', () => {
  for (const [what, list] of Object.entries(addresses)) {
    test(`${what} (${list.length})`, async () => {
      for (const url of list) await refuse(reaching(['127.0.0.1']), url.replace('PORT', String(port)));
    });
  }
});

describe('names that are refused for what they resolve to', () => {
  for (const [what, resolved] of Object.entries(answers)) {
    test(what, () => refuse(reaching(resolved), `https://hooks.example.com:${port}/`));
  }
});

describe('with a range allowed', () => {
  const allow = ['10.1.0.0/16'];

  test('everything outside it is refused as before, by http and https', async () => {
    for (const host of Object.values(hosts).flat()) {
      await refuse(reaching(['127.0.0.1'], allow), `https://${host}:${port}/`);
      await refuse(reaching(['8.8.8.8'], allow), `http://${host}:${port}/`);
    }
  });

  test('a name inside may lead to it and nowhere else, not even to a public address', async () => {
    for (const resolved of [['8.8.8.8'], ['10.1.0.1', '8.8.8.8'], ['10.1.0.1', '127.0.0.1'], ['10.2.0.1']])
      await refuse(reaching(resolved, allow), `https://receiver.internal:${port}/`);
  });

  test('http and other ports are for it alone', async () => {
    for (const url of [
      'http://8.8.8.8/',
      'https://8.8.8.8:22/',
      'http://hooks.example.com/',
      'https://hooks.example.com:22/',
    ])
      await refuse(reaching(['8.8.8.8'], allow), url);
  });
});

test('the table has what it promises', () => {
  assert.ok(Object.values({ ...hosts, ...addresses, ...answers }).flat().length > 150);
  assert.equal(new Set(Object.values(hosts).flat()).size, Object.values(hosts).flat().length);
});
