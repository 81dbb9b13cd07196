/** docs/pre-send-hook.md shows the question as it goes out, and the limits as they are. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { question } from './fixture.ts';
import { questionBody } from './hook.ts';
import { hookBody } from './wire.ts';

const page = readFileSync(new URL('../../../docs/pre-send-hook.md', import.meta.url), 'utf8');

test('the page shows every field of the question, and no other', () => {
  const [, shown = ''] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
  const documented = JSON.parse(shown);
  const { data, ...outer } = JSON.parse(questionBody('ask_1', '1', { ...question, idempotency: 'order-1' }));
  assert.deepEqual(Object.keys(documented), [...Object.keys(outer), 'data']);
  assert.deepEqual(Object.keys(documented.data), Object.keys(data));
  assert.equal(documented.type, outer.type);
});

test('the settings on the page are taken as they stand, with the defaults it names', () => {
  const [, shown = ''] = /^(\{"url".*\})$/m.exec(page) ?? [];
  assert.equal(hookBody.parse(JSON.parse(shown)).timeout_ms, 300);
  const { timeout_ms, on_failure } = hookBody.parse({ url: 'https://a.example' });
  assert.ok(page.includes(`(50 to 3000, default ${timeout_ms})`) && page.includes(`\`${on_failure}\` (default)`));
});
