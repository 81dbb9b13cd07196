import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { generate } from './generate.mjs';
import { tempTree } from './temp-tree.mjs';

test('a file that differs is named with the line and both texts, and is not touched', async (t) => {
  const folder = tempTree(t, { 'docs/a.md': 'one\ntwo\nthree\n' });
  const list = [{ file: 'docs/a.md', make: () => 'one\n2\nthree\n' }];
  assert.deepEqual(await generate(list, folder, { write: false }), ['docs/a.md:2 has "two" where the code says "2"']);
  assert.equal(readFileSync(join(folder, 'docs/a.md'), 'utf8'), 'one\ntwo\nthree\n');
});

test('writing makes the next comparison equal, also for a file in a new folder', async (t) => {
  const folder = tempTree(t, {});
  const list = [{ file: 'docs/reference/b.md', make: async () => 'made\n' }];
  assert.deepEqual(await generate(list, folder, { write: true }), ['docs/reference/b.md does not exist yet']);
  assert.deepEqual(await generate(list, folder, { write: false }), []);
});

test('a file that is made of its own present text keeps what is outside its marks', async (t) => {
  const folder = tempTree(t, { 'a.md': 'kept <old>' });
  await generate([{ file: 'a.md', make: (present) => present.replace('<old>', '<new>') }], folder, { write: true });
  assert.equal(readFileSync(join(folder, 'a.md'), 'utf8'), 'kept <new>');
});

test('a file that only lacks its last lines differs', async (t) => {
  const folder = tempTree(t, { 'a.md': 'one\n' });
  const [sentence] = await generate([{ file: 'a.md', make: () => 'one\ntwo\n' }], folder, { write: false });
  assert.equal(sentence, 'a.md:2 has "" where the code says "two"');
});
