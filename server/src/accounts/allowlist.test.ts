import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalEntry, createAllowlist } from './allowlist.ts';

test('an entry is kept in canonical form, and what is no address or range is refused', () => {
  const table: [string, string | null][] = [
    ['203.0.113.7', '203.0.113.7'],
    ['203.0.113.7/32', '203.0.113.7'],
    ['203.0.113.7/24', '203.0.113.0/24'],
    ['10.255.255.255/9', '10.128.0.0/9'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['2001:db8:ffff::1/33', '2001:db8:8000::/33'],
    ['::/0', '::/0'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3/104', '10.0.0.0/8'],
    ['::ffff:0:0/96', '0.0.0.0/0'],
    ['::ffff:0:0/95', null],
    ['203.0.113.7/33', null],
    ['2001:db8::/129', null],
    ['203.0.113.7/', null],
    ['203.0.113.7/08', null],
    ['203.0.113.7/-1', null],
    ['203.0.113.7/8/8', null],
    ['203.0.113', null],
    ['0x7f.0.0.1', null],
    ['010.0.0.1', null],
    ['256.0.0.1', null],
    ['fe80::1%eth0', null],
    ['example.com', null],
    [' 203.0.113.7', null],
    ['', null],
  ];
  for (const [entry, expected] of table) assert.equal(canonicalEntry(entry), expected, entry);
});

test('a list lets in exactly the addresses of its entries, IPv4-mapped IPv6 counting as IPv4', () => {
  const table: [string[], string, boolean][] = [
    [[], '203.0.113.7', true],
    [[], 'not an address', true],
    [['203.0.113.7'], '203.0.113.7', true],
    [['203.0.113.7'], '203.0.113.8', false],
    [['203.0.113.7'], '::ffff:203.0.113.7', true],
    [['203.0.113.7'], '::ffff:cb00:7107', true],
    [['203.0.113.0/24'], '203.0.113.255', true],
    [['203.0.113.0/24'], '203.0.114.0', false],
    [['203.0.113.128/25'], '203.0.113.127', false],
    [['0.0.0.0/0'], '8.8.8.8', true],
    [['0.0.0.0/0'], '2001:db8::1', false],
    [['::/0'], '2001:db8::1', true],
    [['::/0'], '8.8.8.8', false],
    [['::/0'], '::ffff:8.8.8.8', false],
    [['2001:db8::/32'], '2001:db8:ffff::9', true],
    [['2001:db8::/32'], '2001:db9::', false],
    [['2001:db8::/33'], '2001:db8:8000::', false],
    [['fe80::/10'], 'fe80::1%eth0', true],
    [['10.0.0.0/8', '2001:db8::1'], '2001:DB8::1', true],
    [['10.0.0.0/8', '2001:db8::1'], '11.0.0.1', false],
    [['0.0.0.0/0'], '', false],
    [['0.0.0.0/0', '::/0'], 'not an address', false],
  ];
  for (const [entries, ip, expected] of table)
    assert.equal(createAllowlist(entries)(ip), expected, `${ip} in [${entries.join(', ')}]`);
});
