import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testFaults } from './check-tests.mjs';

/** The problems found in `text`, without the file name. */
const problems = (text) => testFaults('a.test.ts', text).map((fault) => fault.replace(/^a\.test\.ts:/, ''));

test('a title used twice in one file is found, with its line', () => {
  assert.deepEqual(problems("test('a', f);\ntest('b', f);\ntest('a', f);"), ['3 repeats the title "a"']);
});

test('the same title under two groups is not a repetition, under one it is', () => {
  assert.deepEqual(problems("describe('x', () => { it('a', f); });\ndescribe('y', () => { it('a', f); });"), []);
  assert.deepEqual(problems("describe('x', () => {\n  it('a', f);\n  it('a', f);\n});"), [
    '3 repeats the title "x › a"',
  ]);
});

test('a function of our own that declares tests is a group', () => {
  assert.deepEqual(
    problems("onEachEngine('x', () => { test('a', f); });\nonEachEngine('y', () => { test('a', f); });"),
    [],
  );
});

test('subtests of a context have titles too', () => {
  assert.deepEqual(problems("test('x', async (t) => {\n  await t.test('a', f);\n  await t.test('a', f);\n});"), [
    '3 repeats the title "x › a"',
  ]);
});

test('a regular expression that tests a text is no test', () => {
  assert.deepEqual(problems("const a = /x/.test('y');\nconst b = /x/.test('y');"), []);
});

for (const [what, text, problem] of [
  ['a skipped test', "test.skip('a', f);", 'uses .skip'],
  ['a group run alone', "describe.only('a', f);", 'uses .only'],
  ['a skip from inside', "test('a', (t) => t.skip());", 'uses .skip'],
  ['a skip option', "test('a', { skip: true }, f);", 'uses the option skip'],
  ['a call of delay', 'await delay(10);', 'calls delay('],
  ['a call of sleep', 'await sleep(10);', 'calls sleep('],
  ['a promise of a timer', 'await new Promise((done) => setTimeout(done, 10));', 'sleeps: it waits'],
  ['a promise of a timer with a callback', 'new Promise((r) => { setTimeout(() => r(1), 10); });', 'sleeps: it waits'],
  ['the timers that are promises', "import { setTimeout as wait } from 'node:timers/promises';", 'imports node:timers'],
]) {
  test(`${what} is found`, () => {
    assert.equal(problems(text).length, 1);
    assert.ok(problems(text)[0].startsWith(`1 ${problem}`), problems(text)[0]);
  });
}

test('a timer that makes a hanging test fail is no sleep', () => {
  assert.deepEqual(problems('new Promise((_, fail) => setTimeout(() => fail(new Error()), 10));'), []);
});
