// Checks of doctor and parts of the command line on their own, inside this process: what a whole installation shows only with long waits.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { isWeak } from '../src/cli/doctor/operator-checks.ts';
import { follow } from '../src/cli/event-stream.ts';
import { createKey } from '../src/cli/keys.ts';
import { runHere } from './support/cli.ts';
import { startServer } from './support/server.ts';

test('a made secret is never called weak for the letters it begins with', () => {
  const rest = '0123456789abcdef'.repeat(4).slice(1);
  for (const first of ['a3f9', '0b77', 'aa00', '1234', 'x', 'admin', 'test', 'default', 'secret', 'operator-'])
    assert.equal(isWeak(first + rest.slice(0, 60)), false, first);
  const typed = ['changeme', 'change-me-'.repeat(3), 'x'.repeat(32), '0'.repeat(64), 'secret-test-password-admin-key'];
  for (const weak of [...typed, '1234567890'.repeat(3), 'sk_EXAMPLE_0123456789abcdef', 'a3f9b2c4d5e6f7a8b9c0d1e'])
    assert.equal(isWeak(weak), true, weak);
  // Tried letter by letter, not in every order.
  assert.equal(isWeak(`${'changemechange-meaa00xx'.repeat(500)}!`), false);
});

test('a stream that ends at once is opened again after a pause, one that lived is at once', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const opened: (string | undefined)[] = [];
  let livesMs = 0;
  const open = async (cursor: string | undefined) => {
    opened.push(cursor);
    const body = (async function* () {
      yield Buffer.from(`id: ${opened.length}\ndata: {}\n\n`);
      t.mock.timers.setTime(Date.now() + livesMs);
    })();
    return { body };
  };
  const events = follow(open);
  const next = async (): Promise<number> => {
    void events.next();
    for (let turns = 0; turns < 10; turns += 1) await turn();
    return opened.length;
  };
  assert.equal(await next(), 1);
  assert.equal(await next(), 1, 'the first has ended, and nothing is asked');
  const after = async (ms: number): Promise<number> => {
    t.mock.timers.tick(ms);
    for (let turns = 0; turns < 10; turns += 1) await turn();
    return opened.length;
  };
  assert.equal(await after(1_999), 1);
  livesMs = 60_000;
  assert.equal(await after(1), 2);
  assert.equal(await next(), 3);
  assert.deepEqual(opened, [undefined, '1', '2'], 'each behind what was seen');
});

test('a slip in ENGAGELAB_AGENT_KEY is told, and neither leads to another key nor costs a new secret', async (t) => {
  const { url, requests } = await startServer(t, []);
  const live = { ENGAGELAB_DEV_KEY: 'dk_live', ENGAGELAB_DEV_SECRET: 'sk_live', ENGAGELAB_OPERATOR_TOKEN: 'token' };
  for (const slip of ['dk_test_hidden', ':hidden', 'dk_hidden:', ' ']) {
    const env = { ENGAGELAB_BASE_URL: url, ENGAGELAB_AGENT_KEY: slip, ...live };
    for (const words of ['send +6591234567 -t login', 'whoami', 'doctor', 'keys rotate 17 --yes']) {
      const { code, out, err } = await runHere(words.split(' '), env);
      assert.deepEqual([code, out], [2, ''], words);
      assert.match(err, /^error: ENGAGELAB_AGENT_KEY is not dev_key:dev_secret\n {2}next: Correct it/);
      assert.doesNotMatch(err, /hidden/);
    }
  }
  assert.deepEqual(requests, []);
});

test('the help of keys create names every permission there is, and each kind', () => {
  const description = JSON.parse(readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8'));
  const { post } = description.paths['/admin/v1/applications/{application_id}/api-keys'];
  const { permissions, kind } = post.requestBody.content['application/json'].schema.properties;
  const listOf = (option: string): string => createKey.options[option]?.sentence.split(';')[0] ?? '';
  assert.deepEqual(listOf('permission').split(/, | or /), permissions.items.enum);
  for (const name of kind.enum) assert.ok(createKey.options['kind']?.sentence.includes(name), name);
});
