/** Strangers who ask too much: each address for itself, and no way around by the many addresses of one network. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../errors.ts';
import { createVisitors } from './visitors.ts';

function open() {
  const clock = { nowMs: 1_700_000_000_000, now: () => clock.nowMs };
  const visit = createVisitors(clock);
  const isRefused = (ip: string): boolean => {
    try {
      visit(ip);
      return false;
    } catch (error) {
      assert.ok(error instanceof ApiError);
      assert.deepEqual([error.code, error.status, error.retryAfter], [3004, 429, 1]);
      return true;
    }
  };
  const served = (times: number, ip: (i: number) => string): number =>
    Array.from({ length: times }, (_, i) => isRefused(ip(i))).filter((refused) => !refused).length;
  return { clock, served };
}

test('an address is served 60 times at once and ten times a second from then on, and stands in nobody else’s way', () => {
  const { clock, served } = open();
  assert.equal(
    served(100, () => '192.0.2.1'),
    60,
  );
  clock.nowMs += 1_000;
  assert.equal(
    served(100, () => '192.0.2.1'),
    10,
  );
  assert.equal(
    served(20_000, (i) => `10.0.${i >> 8}.${i & 255}`),
    20_000,
  );
});

test('all addresses of an IPv6 network are one', () => {
  const { served } = open();
  const within = [(i: number) => `2001:db8::${i.toString(16)}`, (i: number) => `2001:0db8:0:0:${i}:a:b:1`];
  assert.equal(
    served(100, (i) => within[i % 2]?.(i) ?? ''),
    60,
  );
  assert.equal(
    served(100, (i) => `2001:db8:0:${i}::1`),
    100 - 1,
  );
});
