import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../errors.ts';
import { onEachEngine } from '../testing/database.ts';
import { openSandbox } from './fixture.ts';

const limits = { publicPerDay: 5, keyPerDay: 8 };
const publicCaller = { keyId: '1', application: { sandbox: 'public' } } as const;
const keyCaller = (keyId: string) => ({ keyId, application: { sandbox: 'key' } }) as const;

onEachEngine('the daily sandbox quota', (get) => {
  async function within(
    count: (counting: Awaited<ReturnType<typeof openSandbox>>['sandbox']['countRequest']) => Promise<void>,
  ): Promise<void> {
    const fixture = await openSandbox(get(), { limits });
    try {
      await count(fixture.sandbox.countRequest);
    } finally {
      await fixture.close();
    }
  }
  async function accepted(requests: readonly Promise<void>[]): Promise<number> {
    const results = await Promise.allSettled(requests);
    return results.filter((result) => result.status === 'fulfilled').length;
  }
  const many = (request: () => Promise<void>) => accepted(Array.from({ length: 20 }, request));

  test('lets exactly the limit through, of many requests at once', () =>
    within(async (countRequest) => {
      assert.equal(await many(() => countRequest(publicCaller, '198.51.100.1')), 5);
      assert.equal(await many(() => countRequest(keyCaller('11'), '198.51.100.2')), 8);
    }));

  test('is counted per client address behind the public credentials and per key otherwise', () =>
    within(async (countRequest) => {
      await many(() => countRequest(publicCaller, '198.51.100.3'));
      assert.equal(await many(() => countRequest(publicCaller, '::ffff:198.51.100.3')), 0);
      assert.equal(await many(() => countRequest(publicCaller, '198.51.100.4')), 5);
      await many(() => countRequest(keyCaller('12'), '198.51.100.4'));
      assert.equal(await many(() => countRequest(keyCaller('12'), '198.51.100.5')), 0);
      assert.equal(await many(() => countRequest(keyCaller('13'), '198.51.100.5')), 8);
    }));

  test('takes all addresses of one IPv6 network of 64 bits for one client', () =>
    within(async (countRequest) => {
      let host = 0;
      const another = () => countRequest(publicCaller, `2001:db8:0:1::${(++host).toString(16)}`);
      assert.equal(await many(another), 5);
      assert.equal(await many(() => countRequest(publicCaller, '2001:db8:0:2::1')), 5);
    }));

  test('answers 429/3004 with the seconds to midnight UTC, and is whole again then', () =>
    within(async (countRequest) => {
      const { clock } = get();
      await many(() => countRequest(publicCaller, '198.51.100.6'));
      const secondsToMidnight = (86_400_000 - (clock.now() % 86_400_000)) / 1_000;
      await assert.rejects(countRequest(publicCaller, '198.51.100.6'), (error: unknown) => {
        assert.ok(error instanceof ApiError);
        assert.deepEqual([error.code, error.status, error.message], [3004, 429, 'quota exceeded']);
        assert.ok(Math.abs((error.retryAfter ?? 0) - secondsToMidnight) < 60);
        return true;
      });
      await clock.travel(secondsToMidnight * 1_000 + 1_000);
      assert.equal(await many(() => countRequest(publicCaller, '198.51.100.6')), 5);
    }));

  test('does not touch other applications', () =>
    within(async (countRequest) => {
      const caller = { keyId: '1', application: { sandbox: 'none' } } as const;
      assert.equal(await many(() => countRequest(caller, '198.51.100.7')), 20);
    }));
});
