import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pino } from 'pino';
import { ApiError } from '../errors.ts';
import type { Db } from '../platform/db.ts';
import { openPostgres } from '../platform/postgres.ts';
import { sql } from '../platform/sql.ts';
import { onEachEngine, openTestDatabase } from '../testing/database.ts';
import { basic, openAccounts, operate } from './fixture.ts';
import { type Accounts, publicSandboxApplicationId } from './index.ts';

const anywhere = '198.51.100.9';

interface MadeKey {
  id: string;
  devKey: string;
  header: string;
}

async function makeKey(accounts: Accounts, applicationId: string, body: object = {}): Promise<MadeKey> {
  const made = await operate(accounts, 'createApiKey', { params: { application_id: applicationId }, body });
  const devKey = String(made['dev_key']);
  return { id: String(made['id']), devKey, header: basic(devKey, String(made['dev_secret'])) };
}

const change = (accounts: Accounts, key: MadeKey, body: object) =>
  operate(accounts, 'updateApiKey', { params: { key_id: key.id }, body });

/** The whole public face of a refusal: two refusals that equal each other tell nothing apart. */
async function refusal(work: Promise<unknown>): Promise<object> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { code, status, message, headers, details } = error;
    return { code, status, message, headers, details };
  }
  throw new Error('was let in');
}

const challenge = { 'WWW-Authenticate': 'Basic realm="otp"' };
const unauthenticated = {
  code: 2001,
  status: 401,
  message: 'authentication failed',
  headers: challenge,
  details: undefined,
};
const lapsed = {
  code: 2002,
  status: 401,
  message: 'credential expired or disabled',
  headers: challenge,
  details: undefined,
};
const wrongAddress = {
  code: 2004,
  status: 403,
  message: 'source address not allowed',
  headers: {},
  details: undefined,
};

/** Counts the statements that reach the database. */
function counting(db: Db): { db: Db; count: () => number } {
  let statements = 0;
  const query: Db['query'] = (statement) => {
    statements++;
    return db.query(statement);
  };
  const counted = {
    ...db,
    query,
    batch: (spec: Parameters<Db['batch']>[0]) => db.batch({ ...spec, run: (_, items) => spec.run(counted, items) }),
  } as Db;
  return { db: counted, count: () => statements };
}

onEachEngine('authentication of API keys', (get) => {
  test('a right pair is its caller, as Basic in any case of the scheme and as Bearer', async () => {
    const accounts = openAccounts(get().db, get().clock);
    const first = await accounts.bootstrap({ devKey: 'first', devSecret: 'with:colons:in:it' });
    const applicationId = first?.applicationId ?? '';
    const header = basic('first', 'with:colons:in:it');
    for (const authorization of [header, header.replace('Basic', 'bAsIc'), 'Bearer first:with:colons:in:it']) {
      const caller = await accounts.authenticateKey(authorization, anywhere);
      assert.equal(caller.devKey, 'first');
      assert.deepEqual(
        [...caller.permissions],
        ['send', 'verify', 'templates', 'read', 'callbacks:read', 'callbacks:write'],
      );
      assert.equal(caller.application.id, applicationId);
      assert.equal(caller.application.policy.template_review, 'auto');
    }
  });

  test('missing, malformed, unknown and wrong credentials get one and the same answer', async () => {
    const accounts = openAccounts(get().db, get().clock);
    await accounts.bootstrap();
    const presented = [
      undefined,
      '',
      'Basic',
      'Basic !!!',
      'Digest abc',
      'Bearer some-token',
      basic('no-such-key', 'with:colons:in:it'),
      basic('first', 'wrong'),
      basic('first', ''),
      basic('FIRST', 'with:colons:in:it'),
      basic('first', 'with:colons:in:it '),
    ];
    for (const header of presented)
      assert.deepEqual(await refusal(accounts.authenticateKey(header, anywhere)), unauthenticated, String(header));
  });

  test('wrong secret comes before expired or disabled, and those before the address', async () => {
    const { db, clock } = get();
    const accounts = openAccounts(db, clock);
    await accounts.bootstrap();
    const { application } = await accounts.authenticateKey(basic('first', 'with:colons:in:it'), anywhere);
    await clock.freeze();
    const expires_at = new Date(clock.now() + 60_000).toISOString();
    const key = await makeKey(accounts, application.id, { expires_at, ip_allowlist: ['203.0.113.0/24'] });
    const wrong = basic(key.devKey, 'wrong');

    assert.equal((await accounts.authenticateKey(key.header, '203.0.113.7')).keyId, key.id);
    assert.deepEqual(await refusal(accounts.authenticateKey(key.header, anywhere)), wrongAddress);
    assert.deepEqual(await refusal(accounts.authenticateKey(wrong, anywhere)), unauthenticated);

    await change(accounts, key, { enabled: false });
    assert.deepEqual(await refusal(accounts.authenticateKey(key.header, anywhere)), lapsed);
    assert.deepEqual(await refusal(accounts.authenticateKey(wrong, anywhere)), unauthenticated);

    await change(accounts, key, { enabled: true });
    await clock.travel(59_000);
    assert.equal((await accounts.authenticateKey(key.header, '203.0.113.7')).keyId, key.id);
    await clock.travel(1_000);
    assert.deepEqual(await refusal(accounts.authenticateKey(key.header, '203.0.113.7')), lapsed);
    assert.deepEqual(await refusal(accounts.authenticateKey(wrong, anywhere)), unauthenticated);

    await change(accounts, key, { expires_at: null });
    assert.equal((await accounts.authenticateKey(key.header, '::ffff:203.0.113.7')).keyId, key.id);
    await change(accounts, key, { ip_allowlist: [] });
    assert.equal((await accounts.authenticateKey(key.header, anywhere)).keyId, key.id);
  });

  test('both public pairs open the public sandbox without templates, unless they are switched off', async () => {
    const { db, clock } = get();
    const accounts = openAccounts(db, clock);
    await accounts.bootstrap();
    const pairs = [
      basic('engagelab_sandbox_demo', 'engagelab_sandbox_secret'),
      basic('sandbox_demo', 'sandbox_secret'),
    ];
    const keyIds = new Set<string>();
    for (const pair of pairs) {
      const { application, permissions, keyId } = await accounts.authenticateKey(pair, anywhere);
      assert.equal(application.id, publicSandboxApplicationId);
      assert.deepEqual([application.network, application.sandbox], ['virtual', 'public']);
      assert.deepEqual([...permissions], ['send', 'verify', 'read']);
      keyIds.add(keyId);
    }
    assert.equal(keyIds.size, 2);
    const crossed = basic('sandbox_demo', 'engagelab_sandbox_secret');
    assert.deepEqual(await refusal(accounts.authenticateKey(crossed, anywhere)), unauthenticated);
    const closed = openAccounts(db, clock, { publicSandbox: false });
    for (const pair of pairs) assert.deepEqual(await refusal(closed.authenticateKey(pair, anywhere)), unauthenticated);
    assert.equal((await closed.application(publicSandboxApplicationId))?.sandbox, 'public');
  });

  test('a known key and an unknown one are answered from memory', async () => {
    const { db, clock } = get();
    const counted = counting(db);
    const accounts = openAccounts(counted.db, clock);
    await accounts.bootstrap();
    const header = basic('first', 'with:colons:in:it');
    await accounts.authenticateKey(header, anywhere);
    await refusal(accounts.authenticateKey(basic('nobody', 'x'), anywhere));
    // The note of the last use is a statement of its own, in a batch that began before this one.
    await operate(accounts, 'listOrganizations');
    const before = counted.count();
    for (let i = 0; i < 50; i++) {
      await accounts.authenticateKey(header, anywhere);
      await refusal(accounts.authenticateKey(basic('nobody', 'x'), anywhere));
      await refusal(accounts.authenticateKey('malformed', anywhere));
    }
    assert.equal(counted.count(), before);
    assert.equal(await accounts.application('not an id'), null);
    assert.equal(await accounts.application('9999999999999999999'), null);
    assert.equal(counted.count(), before);
  });

  test('the last use is noted, at most once a minute', async () => {
    const { db, clock } = get();
    const accounts = openAccounts(db, clock);
    await accounts.bootstrap();
    const owner = await accounts.authenticateKey(basic('first', 'with:colons:in:it'), anywhere);
    const key = await makeKey(accounts, owner.application.id);
    /** The note is written behind the request; asking again until it is there takes a few turns at most. */
    const noteAfter = async (old: unknown): Promise<unknown> => {
      for (let i = 0; i < 500; i++) {
        const { last_used_at } = await operate(accounts, 'getApiKey', { params: { key_id: key.id } });
        if (last_used_at !== old) return last_used_at;
      }
      throw new Error('the use was not noted');
    };
    await accounts.authenticateKey(key.header, anywhere);
    const first = await noteAfter(null);
    await clock.travel(30_000);
    await accounts.authenticateKey(key.header, anywhere);
    await clock.travel(31_000);
    await accounts.authenticateKey(key.header, anywhere);
    const second = await noteAfter(first);
    assert.ok(Date.parse(String(second)) - Date.parse(String(first)) >= 60_000);
  });

  test('every change to a key holds from the next request on', async () => {
    const { db, clock } = get();
    const accounts = openAccounts(db, clock);
    await accounts.bootstrap();
    const owner = await accounts.authenticateKey(basic('first', 'with:colons:in:it'), anywhere);
    const key = await makeKey(accounts, owner.application.id, { permissions: ['send'] });
    const permissions = async (): Promise<string[]> => [
      ...(await accounts.authenticateKey(key.header, anywhere)).permissions,
    ];
    assert.deepEqual(await permissions(), ['send']);
    await change(accounts, key, { permissions: ['read', 'verify'] });
    assert.deepEqual(await permissions(), ['verify', 'read']);
    const rotated = await operate(accounts, 'rotateApiKeySecret', { params: { key_id: key.id } });
    assert.deepEqual(await refusal(accounts.authenticateKey(key.header, anywhere)), unauthenticated);
    const fresh = basic(key.devKey, String(rotated['dev_secret']));
    assert.equal((await accounts.authenticateKey(fresh, anywhere)).keyId, key.id);
    await operate(accounts, 'changePolicy', {
      params: { application_id: owner.application.id },
      body: { max_attempts: 3 },
    });
    assert.equal((await accounts.authenticateKey(fresh, anywhere)).application.policy.max_attempts, 3);
    await operate(accounts, 'deleteApiKey', { params: { key_id: key.id } });
    assert.deepEqual(await refusal(accounts.authenticateKey(fresh, anywhere)), unauthenticated);
  });
});

onEachEngine('authentication of the operator', (get) => {
  test('the bearer token is let in, and everything else gets one and the same answer', async () => {
    const accounts = openAccounts(get().db, get().clock);
    const first = await accounts.bootstrap();
    await accounts.authenticateOperator(`Bearer ${first?.operatorToken}`, anywhere);
    await accounts.authenticateOperator(`bearer ${first?.operatorToken}`, anywhere);
    const refused = { ...unauthenticated, headers: { 'WWW-Authenticate': 'Bearer realm="operator"' } };
    const presented = [
      undefined,
      '',
      'Bearer',
      'Bearer wrong',
      `Bearer ${first?.operatorToken}x`,
      `Basic ${first?.operatorToken}`,
      basic(first?.devKey ?? '', first?.devSecret ?? ''),
      `Bearer ${first?.devKey}:${first?.devSecret}`,
    ];
    for (const header of presented)
      assert.deepEqual(await refusal(accounts.authenticateOperator(header, anywhere)), refused, String(header));
  });
});

/** Sends the notification that clears every memory and waits until this process has heard it. */
async function forgetEverywhere(db: Db): Promise<void> {
  let heard: () => void = () => undefined;
  const arrived = new Promise<void>((resolve) => {
    heard = resolve;
  });
  await db.listen('accounts_changed', (payload) => {
    if (payload === '') heard();
  });
  await db.query(sql`select pg_notify('accounts_changed', '')`);
  await arrived;
}

describe('two nodes on one PostgreSQL database', () => {
  test('a change on one node is known to the other as soon as its notification arrives', {
    timeout: 30_000,
  }, async () => {
    const here = await openTestDatabase('postgres');
    const there = openPostgres({ url: here.url ?? '', log: pino({ level: 'silent' }) });
    try {
      const one = openAccounts(here.db, here.clock);
      const two = openAccounts(there, here.clock);
      const first = await one.bootstrap();
      await two.bootstrap();
      const arrivals: string[] = [];
      let wake: () => void = () => undefined;
      // Handlers of one connection run in the order they were added, so the other node has heard before this test has.
      await there.listen('accounts_changed', (payload) => {
        arrivals.push(payload);
        wake();
      });
      const heard = async (payload: string): Promise<void> => {
        while (!arrivals.includes(payload)) await new Promise<void>((resolve) => (wake = resolve));
        arrivals.length = 0;
      };
      const applicationId = first?.applicationId ?? '';
      const key = await makeKey(one, applicationId);
      await heard(`key:${key.devKey}`);
      assert.equal((await two.authenticateKey(key.header, anywhere)).application.policy.max_attempts, 5);

      await operate(one, 'changePolicy', { params: { application_id: applicationId }, body: { max_attempts: 2 } });
      await heard(`application:${applicationId}`);
      assert.equal((await two.authenticateKey(key.header, anywhere)).application.policy.max_attempts, 2);
      assert.equal((await two.application(applicationId))?.policy.max_attempts, 2);

      await change(one, key, { enabled: false });
      await heard(`key:${key.devKey}`);
      assert.deepEqual(await refusal(two.authenticateKey(key.header, anywhere)), lapsed);

      await operate(one, 'deleteApiKey', { params: { key_id: key.id } });
      await heard(`key:${key.devKey}`);
      assert.deepEqual(await refusal(two.authenticateKey(key.header, anywhere)), unauthenticated);

      await two.authenticateOperator(`Bearer ${first?.operatorToken}`, anywhere);
      await one.bootstrap({ operatorToken: 'another-operator-token' });
      await heard('operator');
      await assert.rejects(two.authenticateOperator(`Bearer ${first?.operatorToken}`, anywhere), { code: 2001 });
      await two.authenticateOperator('Bearer another-operator-token', anywhere);
    } finally {
      await there.close();
      await here.close();
    }
  });

  test('after a lost notification everything is read again, at the latest after a minute', async () => {
    const here = await openTestDatabase('postgres');
    try {
      const accounts = openAccounts(here.db, here.clock);
      const first = await accounts.bootstrap();
      const header = basic(first?.devKey ?? '', first?.devSecret ?? '');
      // Notifications keep their order: with this one, those of the first start have come too.
      await forgetEverywhere(here.db);
      await accounts.authenticateKey(header, anywhere);
      await here.db.query(sql`update api_keys set enabled = false`);
      await accounts.authenticateKey(header, anywhere);
      await here.clock.travel(60_000);
      assert.deepEqual(await refusal(accounts.authenticateKey(header, anywhere)), lapsed);

      await here.db.query(sql`update api_keys set enabled = true`);
      assert.deepEqual(await refusal(accounts.authenticateKey(header, anywhere)), lapsed);
      await forgetEverywhere(here.db);
      await accounts.authenticateKey(header, anywhere);
    } finally {
      await here.close();
    }
  });
});
