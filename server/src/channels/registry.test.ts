import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { type Adapter, type Channel, createRegistry } from './index.ts';

const adapter = (id: string, channels: Channel[]): Adapter => ({
  id,
  title: id,
  channels,
  settings: z.strictObject({}),
  limits: { maxConcurrency: 1, idempotent: false },
  open: () => ({ send: async () => ({ kind: 'unknown', detail: 'never' }), close: async () => undefined }),
});

test('an adapter is found by its id and by its channel', () => {
  const registry = createRegistry([adapter('a', ['sms', 'voice']), adapter('b', ['sms'])]);
  assert.equal(registry.find('b')?.id, 'b');
  assert.equal(registry.find('c'), null);
  assert.deepEqual(
    registry.forChannel('voice').map(({ id }) => id),
    ['a'],
  );
  assert.deepEqual(
    registry.list().map(({ id }) => id),
    ['a', 'b'],
  );
});

test('two adapters with one id, or one without a channel, stop the program', () => {
  assert.throws(() => createRegistry([adapter('a', ['sms']), adapter('a', ['email'])]), /two adapters are called a/);
  assert.throws(() => createRegistry([adapter('a', [])]), /serves no channel/);
});
