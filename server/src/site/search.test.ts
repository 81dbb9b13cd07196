/** A search costs its words, and not the reading of the pages it finds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSearch } from './search.ts';

test('to search a hundred times costs less than to index the pages a few times', () => {
  const line = 'A code is sent to verifyCode, resend_otp and the recipient of templates, once more in other words.';
  const body = Array.from({ length: 2_000 }, (_, i) => `${line} ${i}`).join('\n');
  const docs = Array.from({ length: 10 }, (_, i) => ({
    ...{ path: `/docs/${i}`, title: `Page ${i}`, description: 'Codes.', group: 'Docs', order: i, body },
  }));
  const began = performance.now();
  const search = createSearch(docs);
  search('code');
  const made = performance.now();
  for (let i = 0; i < 100; i++) assert.equal(search('code recipient words').length, 10);
  const searched = performance.now();
  assert.ok(searched - made < 20 * (made - began), `${searched - made} ms after ${made - began} ms`);
});
