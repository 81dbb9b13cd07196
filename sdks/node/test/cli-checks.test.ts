// Checks of doctor and parts of the command line on their own, inside this process: what a whole installation shows only with long waits.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Facts } from '../src/cli/doctor/check.ts';
import { callbacks, isWeak, providers } from '../src/cli/doctor/operator-checks.ts';
import { follow } from '../src/cli/event-stream.ts';
import { createKey } from '../src/cli/keys.ts';
import { readSettings } from '../src/settings.ts';
import { Transport } from '../src/transport.ts';
import { runHere } from './support/cli.ts';
import { type Reply, startServer } from './support/server.ts';

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

test('how long to wait is told once, as a number, or not at all', async (t) => {
  const held = { code: 3004, message: 'a code is still valid', reason: 'code_still_valid' };
  const { url } = await startServer(t, [
    { status: 400, body: { ...held, details: { retry_after: 300 } } },
    { status: 400, body: held },
  ]);
  const env = { ENGAGELAB_BASE_URL: url, ENGAGELAB_AGENT_KEY: 'dk_test:secret' };
  const told = async () => (await runHere(['send', '+6591234567', '-t', 'login'], env)).err;
  assert.match(await told(), /\n {2}next: Wait 300 s before you send; /);
  assert.match(await told(), /\n {2}next: Wait before you send; /);
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

/** What the checks of the operator know once the ones before them went well, of a server that answers with these. */
async function factsOf(t: TestContext, ...bodies: object[]): Promise<Facts> {
  const { url } = await startServer(
    t,
    bodies.map((body): Reply => ({ body })),
  );
  const application = { id: '1', organization_id: '1', name: 'Shop', network: 'live', sandbox: 'none' } as const;
  return {
    ...{ address: url, env: {}, credential: undefined, client: undefined, to: undefined },
    ...{ sends: false, reachable: true, accepted: true, applications: [application] },
    operator: new Transport(readSettings('op', 'token', { baseUrl: url })),
    key: { application, kind: 'server', permissions: [], expires_at: null, enabled: true },
  };
}

test('doctor tells a provider whose circuit is open or that was not opened, on which node and why', async (t) => {
  const provider = (id: string, enabled = true) => ({ id, enabled, drained_until: null });
  const seen = (of: string, node: string, opened: boolean, circuit: string, reason: string | null) => ({
    ...{ provider: of, node, opened, circuit, reason },
  });
  const facts = await factsOf(
    t,
    { providers: [provider('one'), provider('two'), provider('new'), provider('off', false)], next_cursor: null },
    {
      health: [
        seen('one', 'node-a', true, 'open', '5 of 5 hand-overs failed'),
        seen('one', 'node-b', true, 'half_open', 'one message tries'),
        seen('two', 'node-a', false, 'closed', 'api_key is missing'),
        seen('two', 'node-b', true, 'closed', null),
        seen('off', 'node-a', false, 'open', 'never told'),
      ],
    },
  );
  assert.deepEqual(
    (await providers.look(facts)).map(({ status, found }) => `${status} ${found}`),
    [
      'fail one is cut off (circuit open) on node-a: 5 of 5 hand-overs failed',
      'fail two is not opened on node-a: api_key is missing',
      'warn no node has opened new yet',
    ],
  );
  const healthy = await factsOf(
    t,
    { providers: [provider('one')], next_cursor: null },
    { health: [seen('one', 'node-a', true, 'closed', null)] },
  );
  assert.deepEqual(await providers.look(healthy), [
    { check: 'providers', status: 'ok', found: '1 enabled, opened on every node' },
  ]);
});

test('doctor tells endpoints of callbacks that fail, were switched off or do not answer, without their paths', async (t) => {
  const endpoint = (name: string, more: object) => ({
    url: `https://${name}.example.com/hidden?token=hidden`,
    ...{ enabled: true, disabled_because: null, reachable: true, probe_note: '', failing_since: null },
    ...more,
  });
  const callback_endpoints = [
    endpoint('failing', { failing_since: '2026-07-03T00:00:00Z' }),
    endpoint('gone', { enabled: false, disabled_because: 'gone' }),
    endpoint('off', { enabled: false }),
    endpoint('deaf', { reachable: false, probe_note: 'ECONNREFUSED' }),
    endpoint('well', {}),
  ];
  const findings = await callbacks.look(await factsOf(t, { callback_endpoints, next_cursor: null }));
  assert.deepEqual(
    findings.map(({ status, found }) => `${status} ${found}`),
    [
      'fail https://failing.example.com fails since 2026-07-03T00:00:00Z',
      'fail https://gone.example.com was switched off by the platform (gone)',
      'warn https://off.example.com is switched off',
      'warn https://deaf.example.com did not answer its probe: ECONNREFUSED',
      'ok https://well.example.com answers',
    ],
  );
  for (const { status, remedy } of findings) assert.equal(remedy === undefined, status === 'ok');
});
