import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wordFaults } from './check-words.mjs';

/** Written in pieces, because this file is checked like every other. */
const found = [
  ['/home', '/ana/project'],
  ['see /wo', 'rk/main'],
  ['"/tm', 'p/log.txt"'],
  ['https://registry.np', 'mjs.org/zod'],
  ['"resolved": "ht', 'tps://example.com/zod.tgz"'],
  ['// TO', 'DO later'],
];
for (const pieces of found) {
  test(`found: ${pieces.join('+')}`, () => {
    assert.equal(wordFaults('a.md', `first line\n${pieces.join('')}\n`).length, 1);
    assert.match(wordFaults('a.md', `first line\n${pieces.join('')}\n`)[0], /^a\.md:2 contains /);
  });
}

for (const text of [
  'docs/home/plan.md',
  'https://example.com/home/ana',
  'registry.find(name)',
  './tmp/x',
  'a todo list',
]) {
  test(`allowed: ${text}`, () => assert.deepEqual(wordFaults('a.md', text), []));
}
