import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../platform/log.ts';
import type { Reason } from '../outcome.ts';
import { failureOf, type Judge, outcomeOf } from './answer.ts';
import { meanings } from './codes.ts';
import type { GraphAnswer } from './graph.ts';

const createJudge = (codeMap: Judge['codeMap'] = {}): Judge & { lines: () => Record<string, unknown>[] } => {
  const logged: string[] = [];
  const log = createLog('trace', { write: (line: string) => void logged.push(line) });
  return { log, codeMap, lines: () => logged.map((line) => JSON.parse(line) as Record<string, unknown>) };
};

const errorAnswer = (code: number, details?: string, status = 400): GraphAnswer => ({
  kind: 'answered',
  status,
  json: {},
  error: { code, details, trace: 'Az8or2yhqkZ' },
});

// The table of the wire contract, code by code.
const table: readonly [codes: number[], temporary: boolean, reason: Reason][] = [
  [[131026], false, 'not_on_channel'],
  [[131049, 130472], true, 'carrier_filtered'],
  [[1, 2, 131000], true, 'upstream_error'],
  [[4, 80007, 130429, 131048, 131056], true, 'throttled'],
  [[0, 3, 10, 190, 200, 210, 299, 131005], false, 'credentials'],
  [[131042], false, 'funds'],
  [[131031, 368, 133010, 33], false, 'config'],
  [[130497], false, 'geo_denied'],
  [[132000, 132001, 132005, 132007, 132012, 132015, 132016], false, 'template_invalid'],
  [[100, 131008, 131009], false, 'config'],
];

for (const [codes, temporary, reason] of table) {
  for (const code of codes) {
    test(`the code ${code} is ${reason}, ${temporary ? 'for now' : 'for good'}, at hand-over and in a status`, () => {
      const judge = createJudge();
      const outcome = outcomeOf(judge, errorAnswer(code), '482913');
      assert.ok(outcome.kind === 'refused');
      assert.deepEqual([outcome.temporary, outcome.reason], [temporary, reason]);
      assert.match(outcome.detail, new RegExp(`Meta error ${code}\\b`));
      const failure = failureOf(judge, { code, details: undefined, trace: undefined });
      assert.deepEqual([failure.kind, failure.reason], ['undelivered', reason]);
      assert.ok(judge.lines().every(({ msg }) => msg !== 'unmapped code'));
    });
  }
}

test('every shipped sentence is one sentence and tells something', () => {
  for (const [code, { remedy }] of Object.entries(meanings)) assert.match(remedy, /^\S[^.]{15,160}\w$/, code);
});

test('a code nobody has mapped is refused for now and counted', () => {
  const judge = createJudge();
  const outcome = outcomeOf(judge, errorAnswer(999_777), '482913');
  assert.ok(outcome.kind === 'refused' && outcome.temporary && outcome.reason === 'upstream_error');
  const warned = judge.lines().filter(({ msg }) => msg === 'unmapped code');
  assert.deepEqual(
    warned.map(({ level, upstreamCode }) => [level, upstreamCode]),
    [[40, 999_777]],
  );
});

test('the map of the account wins over the shipped one and knows codes of its own', () => {
  const judge = createJudge({
    131026: { reason: 'unreachable', temporary: true },
    999777: { reason: 'fraud_blocked', temporary: false },
    100: { reason: 'sender_invalid', temporary: false },
  });
  const outcomes = [errorAnswer(131026), errorAnswer(999_777), errorAnswer(100, 'Param to is bad')].map((answer) => {
    const outcome = outcomeOf(judge, answer, '482913');
    return outcome.kind === 'refused' && [outcome.reason, outcome.temporary];
  });
  assert.deepEqual(outcomes, [
    ['unreachable', true],
    ['fraud_blocked', false],
    ['sender_invalid', false],
  ]);
});

test('a bad parameter that is the number is a fault of the number and not of the account', () => {
  for (const details of ['Recipient phone number is not valid', 'Param to must be a number', "Unexpected value 'to'"]) {
    const outcome = outcomeOf(createJudge(), errorAnswer(131009, details), '482913');
    assert.ok(outcome.kind === 'refused' && outcome.reason === 'number_invalid' && !outcome.temporary, details);
  }
  const outcome = outcomeOf(createJudge(), errorAnswer(100, 'No permission to access phone_number_id'), '482913');
  assert.ok(outcome.kind === 'refused' && outcome.reason === 'config');
});

test('the spam limit is told to the operator', () => {
  const judge = createJudge();
  outcomeOf(judge, errorAnswer(131048), '482913');
  assert.ok(judge.lines().some(({ level, upstreamCode }) => level === 40 && upstreamCode === 131048));
});

test('the trace of a refusal is logged for Meta support', () => {
  const judge = createJudge();
  outcomeOf(judge, errorAnswer(131000), '482913');
  assert.ok(
    judge.lines().some(({ fbtraceId, upstreamCode }) => fbtraceId === 'Az8or2yhqkZ' && upstreamCode === 131000),
  );
});

test('what Meta repeats of the message is shown nowhere', () => {
  const judge = createJudge();
  const details = 'Value QWXYZ at (+4917612345678) or 482913x is wrong for message wamid.HBgM4';
  const outcome = outcomeOf(judge, errorAnswer(132012, details), 'QWXYZ');
  assert.ok(outcome.kind === 'refused');
  assert.match(outcome.detail, /Value … at … or … is wrong for message …/);
  const failure = failureOf(judge, { code: 131026, details: 'Not for 4917612345678', trace: undefined });
  assert.match(failure.detail, /: Not for …\)$/);
  assert.doesNotMatch(JSON.stringify(judge.lines()), /QWXYZ|49176|482913x/);
});

test('success without an id and 5xx without an error are unknown; other bare answers are refused for now', () => {
  const bare = (status: number, json: unknown = undefined) =>
    outcomeOf(createJudge(), { kind: 'answered', status, json, error: undefined }, '482913');
  assert.equal(bare(200).kind, 'unknown');
  assert.equal(bare(200, { messages: [] }).kind, 'unknown');
  assert.equal(bare(200, { messages: [{ id: '' }] }).kind, 'unknown');
  assert.deepEqual(bare(200, { messages: [{ id: 'wamid.A' }] }), { kind: 'accepted', upstreamId: 'wamid.A' });
  for (const status of [500, 502, 503, 504]) assert.equal(bare(status).kind, 'unknown');
  const throttled = bare(429);
  assert.ok(throttled.kind === 'refused' && throttled.temporary && throttled.reason === 'throttled');
  for (const status of [302, 400, 403, 404]) {
    const refused = bare(status);
    assert.ok(refused.kind === 'refused' && refused.temporary && refused.reason === 'upstream_error');
  }
});

test('a failed status without an error is a fault of the upstream', () => {
  assert.equal(failureOf(createJudge(), undefined).reason, 'upstream_error');
});
