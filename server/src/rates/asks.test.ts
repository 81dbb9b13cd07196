import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RateLimit, rateLimitSchema } from '../policy.ts';
import { limitsOf, liveLimits, type RateSubject, rateAsks, targetLimits } from './asks.ts';
import { p95Of } from './past.ts';

const subject: RateSubject = {
  keyId: 'k1',
  keyLimits: [],
  agent: null,
  recipients: ['+6598120044'],
  ip: '203.0.113.7',
  deviceId: 'd1',
  sessionId: 's1',
  target: '+6598120044',
  templateId: 'login',
  prefix: '659812',
  callingCode: '65',
};
const limit = (terms: Partial<RateLimit>): RateLimit =>
  rateLimitSchema.parse({ name: 'one', per: 'ip', limit: 5, window_seconds: 600, ...terms });
const busy = () => ({ p95: 400, known: true });

test('each dimension counts what it is called after, and nothing that is not told', () => {
  const per = ['target_template', 'ip', 'device', 'session', 'prefix', 'dial_code', 'key', 'application'] as const;
  const limits = per.map((one) => limit({ name: one, per: one }));
  assert.deepEqual(
    rateAsks(limits, 'send', subject, busy).map(({ counter }) => counter),
    [
      'send:target_template:login +6598120044',
      'send:ip:203.0.113.7',
      'send:device:d1',
      'send:session:s1',
      'send:prefix:659812',
      'send:dial_code:65',
      'send:key:k1',
      'send:application:',
    ],
  );
  const nobody = {
    keyId: null,
    keyLimits: [],
    agent: null,
    recipients: [],
    ip: null,
    deviceId: null,
    sessionId: null,
    target: null,
    prefix: null,
  };
  const untold = rateAsks(limits, 'send', { ...nobody, templateId: 'login', callingCode: null }, busy);
  assert.deepEqual(
    untold.map(({ policy }) => policy),
    ['application'],
  );
  assert.deepEqual(rateAsks(limits, 'check', subject, busy), []);
});

test('limits on one counter keep it for the longest of their windows', () => {
  const limits = [limit({ name: 'short' }), limit({ name: 'long', window_seconds: 86_400, limit: 20 })];
  assert.deepEqual(
    rateAsks(limits, 'send', subject, busy).map(({ windowSeconds, keepSeconds }) => [windowSeconds, keepSeconds]),
    [
      [600, 86_400],
      [86_400, 86_400],
    ],
  );
});

test('what allows much, or refuses nobody, is counted by spans', () => {
  const grain = (terms: Partial<RateLimit>) => rateAsks([limit(terms)], 'send', subject, busy)[0]?.grainSeconds;
  assert.deepEqual(
    [grain({}), grain({ limit: 100 }), grain({ limit: 101 }), grain({ mode: 'shadow' })],
    [0, 0, 10, 10],
  );
  assert.equal(grain({ limit: 1000, window_seconds: 10 }), 1);
});

test('a dialling code may grow with its past, and refuses nobody before the past is known', () => {
  const grown = limit({ per: 'dial_code', limit: 50, growth: 3, window_seconds: 86_400 });
  const allowed = (p95: number, known: boolean) =>
    rateAsks([grown], 'send', subject, () => ({ p95, known })).map((ask) => [ask.limit, ask.shadow]);
  assert.deepEqual(allowed(0, true), [[50, false]]);
  assert.deepEqual(allowed(16, true), [[50, false]]);
  assert.deepEqual(allowed(17, true), [[51, false]]);
  assert.deepEqual(allowed(400, true), [[1200, false]]);
  assert.deepEqual(allowed(400, false), [[1200, true]]);
  const days = [
    { country: 'US', messages: 7 },
    { country: 'SG', messages: 40 },
    { country: 'SG', messages: 90 },
    { country: 'CA', messages: 9 },
    { country: '', messages: 3 },
  ];
  assert.deepEqual([...p95Of(days)].toSorted(), [
    ['1', 9],
    ['65', 90],
  ]);
});

test('an application without limits of its own has the defaults of its network', () => {
  const of = (network: 'live' | 'virtual', limits: RateLimit[] | null) =>
    limitsOf({ network, policy: { limits } as never });
  assert.equal(of('live', null), liveLimits);
  assert.deepEqual(of('virtual', null), []);
  assert.deepEqual(of('live', []), []);
  assert.deepEqual(
    targetLimits(liveLimits, subject).map((one) => [one.limit, one.windowSeconds]),
    [
      [3, 600],
      [5, 3600],
      [10, 86_400],
    ],
  );
  assert.deepEqual(targetLimits(liveLimits, { target: null }), []);
});

test('a key’s own limits count what it asks for itself, also per target', () => {
  const keyLimits = [limit({ name: 'mine' }), limit({ name: 'each', per: 'target' })];
  const asks = rateAsks([limit({ name: 'all' })], 'send', { ...subject, keyLimits }, busy);
  assert.deepEqual(
    asks.map(({ policy, counter }) => [policy, counter]),
    [
      ['all', 'send:ip:203.0.113.7'],
      ['mine', 'send:ip:203.0.113.7 by k1'],
      ['each', 'send:target:+6598120044 by k1'],
    ],
  );
});

test('limits that make no sense are refused', () => {
  for (const terms of [
    { growth: 2 },
    { on: 'check', per: 'prefix' },
    { name: 'Not So' },
    { limit: 0 },
    { window_seconds: 9 },
    { window_seconds: 86_401 },
    { per: 'asn' },
  ])
    assert.equal(rateLimitSchema.safeParse({ ...limit({}), ...terms }).success, false, JSON.stringify(terms));
});
