import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OutboundAnswer } from '../platform/outbound.ts';
import { judge, type Verdict } from './judge.ts';

const nowMs = Date.parse('2026-07-03T00:00:00Z');
const answered = (status: number, headers = {}, body = ''): OutboundAnswer => ({
  kind: 'answered',
  status,
  headers,
  body,
});
const of = (answer: OutboundAnswer, tries = 1, retrySchedule: 'vendor' | 'none' = 'vendor'): Verdict =>
  judge({ retrySchedule }, tries, answer, nowMs, 0);

test('only 2xx is success', () => {
  for (const status of [200, 201, 202, 204, 299])
    assert.equal(of(answered(status)).outcome, 'accepted', String(status));
  for (const status of [300, 301, 302, 307, 304, 400, 401, 404, 410, 418, 429, 500, 502, 503, 504])
    assert.equal(of(answered(status)).outcome, 'retry', String(status));
});

test('a redirect says that it is not followed, 410 that the endpoint is switched off', () => {
  assert.match(of(answered(301)).detail ?? '', /redirects are not followed/);
  assert.equal(of(answered(410)).gone, true);
  assert.equal(of(answered(404)).gone, false);
});

test('Retry-After counts on 429 and 503 alone, in seconds or as a date, up to an hour, and rests the endpoint', () => {
  const after = (status: number, value: string): Verdict => of(answered(status, { 'retry-after': value }));
  assert.deepEqual([after(429, '120').nextInMs, after(429, '120').pauseMs], [120_000, 120_000]);
  assert.equal(after(503, 'Fri, 03 Jul 2026 00:05:00 GMT').nextInMs, 300_000);
  assert.deepEqual([after(429, '7200').nextInMs, after(429, '7200').pauseMs], [3_600_000, 3_600_000]);
  assert.deepEqual([after(500, '120').nextInMs, after(500, '120').pauseMs], [60_000, 0]);
  for (const value of ['soon', '-5', '1e9', 'Fri, 03 Jul 2020 00:00:00 GMT', ''])
    assert.deepEqual([after(429, value).nextInMs, after(429, value).pauseMs], [60_000, 0], value);
});

test('overload and absence slow down, a refusal of one event does not', () => {
  const slow = (answer: OutboundAnswer): boolean => of(answer).slowDown;
  for (const status of [429, 500, 502, 503, 504]) assert.equal(slow(answered(status)), true, String(status));
  for (const status of [200, 301, 400, 404, 410]) assert.equal(slow(answered(status)), false, String(status));
  const failed = (reason: 'timeout' | 'connection' | 'forbidden'): OutboundAnswer => ({
    kind: 'failed',
    reason,
    detail: 'why',
    sent: false,
  });
  assert.equal(slow(failed('timeout')), true);
  assert.equal(slow(failed('connection')), true);
  assert.equal(slow(failed('forbidden')), false);
  assert.equal(of(failed('timeout')).detail, 'timeout: why');
});

test('the last try gives up', () => {
  assert.equal(of(answered(500), 24).outcome, 'retry');
  assert.deepEqual([of(answered(500), 25).outcome, of(answered(500), 25).nextInMs], ['given_up', null]);
  assert.equal(of(answered(500), 1, 'none').outcome, 'given_up');
  assert.equal(of({ kind: 'failed', reason: 'timeout', detail: '', sent: true }, 1, 'none').outcome, 'given_up');
});

test('of an answer two kilobytes are kept, printable', () => {
  const { response } = of(answered(200, {}, `a\u0000b\u001b[31m${'é'.repeat(5_000)}`));
  assert.ok(Buffer.byteLength(response ?? '') <= 2048);
  assert.ok(response?.startsWith('ab[31mé'), response?.slice(0, 20));
});
