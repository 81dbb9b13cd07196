import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answered } from '../http-call.ts';
import type { SendOutcome } from '../outcome.ts';
import { answerRule } from './answer-settings.ts';
import { outcomeOf } from './answers.ts';

type Rule = Parameters<typeof answerRule.parse>[0];
const unmapped: number[] = [];
const outcome = (
  status: number,
  body: string,
  rules: Rule[] = [],
  headers: Answered['headers'] = {},
  id = {},
): SendOutcome =>
  outcomeOf(
    { kind: 'answered', status, headers, body },
    '1-2-1-0',
    { id: Object.keys(id).length > 0 ? id : { pointer: '/id' }, answers: rules.map((rule) => answerRule.parse(rule)) },
    (one) => unmapped.push(one),
  );
/** `accepted id`, `unknown`, or `refused reason for now`. */
const short = (one: SendOutcome): string =>
  one.kind === 'refused'
    ? `${one.reason}${one.temporary ? ' for now' : ''}`
    : one.kind === 'accepted'
      ? `accepted ${one.upstreamId}`
      : 'unknown';

test('without a rule the HTTP status decides', () => {
  const cases: [status: number, body: string, expected: string][] = [
    [200, '{"id":"a1"}', 'accepted a1'],
    [202, '{"id":2072832692843466759}', 'accepted 2072832692843466759'],
    [200, '{}', 'unknown'],
    [200, '{"id":null}', 'unknown'],
    [200, '{"id":""}', 'unknown'],
    [200, '{"id":{"a":1}}', 'unknown'],
    [200, '{"id":"a\\u0000b"}', 'unknown'],
    [200, `{"id":"${'x'.repeat(257)}"}`, 'unknown'],
    [204, '', 'unknown'],
    [200, 'OK', 'unknown'],
    [301, '', 'config'],
    [400, '{"id":"a1"}', 'config'],
    [401, '', 'credentials'],
    [402, '', 'funds'],
    [403, '', 'credentials'],
    [404, '', 'config'],
    [429, '', 'throttled for now'],
    [500, '', 'unknown'],
    [503, '{"error":"x"}', 'unknown'],
  ];
  for (const [status, body, expected] of cases)
    assert.equal(short(outcome(status, body)), expected, `${status} ${body}`);
});

test('a 4xx that nobody mapped is counted', () => {
  unmapped.length = 0;
  outcome(418, '');
  outcome(401, '');
  outcome(418, '', [{ status: '4xx', outcome: { reason: 'config' } }]);
  assert.deepEqual(unmapped, [418]);
});

test('the first rule that applies decides, before the HTTP status', () => {
  const rules: Rule[] = [
    { pointer: '/error/code', equals: [105, '106'], outcome: { reason: 'number_invalid' } },
    { status: '5xx', pointer: '/error', outcome: { reason: 'upstream_error', temporary: true } },
    { status: '200', pointer: '/ok', equals: false, outcome: { reason: 'content_rejected' } },
    { status: '403', outcome: { reason: 'geo_denied' } },
    { header: 'X-Status', equals: 'maybe', outcome: 'unknown' },
    { status: '409', outcome: 'accepted' },
  ];
  const cases: [status: number, body: string, expected: string][] = [
    [200, '{"error":{"code":105},"id":"a1"}', 'number_invalid'],
    [500, '{"error":{"code":"106"}}', 'number_invalid'],
    [500, '{"error":{"code":1}}', 'unknown'],
    [500, '{"error":"x"}', 'upstream_error for now'],
    [200, '{"ok":false}', 'content_rejected'],
    [201, '{"ok":false,"id":"a1"}', 'accepted a1'],
    [403, '', 'geo_denied'],
    [409, '{"id":"a1"}', 'accepted a1'],
    [409, '{}', 'unknown'],
  ];
  for (const [status, body, expected] of cases)
    assert.equal(short(outcome(status, body, rules)), expected, `${status} ${body}`);
  assert.equal(short(outcome(200, '{"id":"a1"}', rules, { 'x-status': 'maybe' })), 'unknown');
});

test('an id may stand in a header or in text, or be ours', () => {
  assert.equal(short(outcome(200, '', [], { 'x-message-id': 'h1' }, { header: 'X-Message-Id' })), 'accepted h1');
  assert.equal(short(outcome(200, '', [], { location: ['l1', 'l2'] }, { header: 'location' })), 'accepted l1');
  assert.equal(short(outcome(200, 'OK id=7\n', [], {}, { pattern: 'OK id=(*)' })), 'accepted 7');
  assert.equal(short(outcome(200, '', [], {}, { reference: true })), 'accepted 1-2-1-0');
  assert.equal(short(outcome(500, '', [], {}, { reference: true })), 'unknown');
});

test('Retry-After is kept to, in seconds or as a date, up to an hour', () => {
  const waits = (given: string): number | undefined => {
    const one = outcome(429, '', [], { 'retry-after': given });
    return one.kind === 'refused' ? one.retryAfterMs : undefined;
  };
  assert.equal(waits('7'), 7_000);
  assert.equal(waits('999999'), 3_600_000);
  assert.equal(waits('0'), undefined);
  assert.equal(waits('soon'), undefined);
  const left = waits(new Date(Date.now() + 60_000).toUTCString()) ?? 0;
  assert.ok(left > 55_000 && left <= 60_000);
  const ruled = outcome(503, '', [{ status: '503', outcome: { reason: 'throttled', temporary: true } }], {
    'retry-after': '3',
  });
  assert.equal(ruled.kind === 'refused' && ruled.retryAfterMs, 3_000);
});

test('the sentence for the operator names the code and the remedy and repeats nothing of the answer', () => {
  const body = '{"error":{"code":"105","message":"+6591230001 is barred, text 482913"}}';
  const detailOf = (rules: Rule[], status = 400): string => {
    const one = outcome(status, body, rules);
    return one.kind === 'accepted' ? '' : one.detail;
  };
  const base = { pointer: '/error/code', outcome: { reason: 'credentials' as const } };
  assert.equal(
    detailOf([{ ...base, equals: 105, note: 'top up' }]),
    'the gateway answered 400 with 105 at /error/code: top up',
  );
  assert.equal(
    detailOf([{ ...base, equals: 105 }]),
    'the gateway answered 400 with 105 at /error/code: check auth, api_key and api_secret',
  );
  assert.equal(
    detailOf([{ pointer: '/error/message', outcome: { reason: 'unreachable' } }]),
    'the gateway answered 400 at /error/message: rule 1 of answers',
  );
  for (const status of [200, 301, 400, 401, 402, 429, 500]) {
    const detail = detailOf([], status);
    assert.match(detail, new RegExp(`${status}`));
    assert.doesNotMatch(detail, /482913|6591230001|barred/);
  }
});
