import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pino } from 'pino';
import type { Db } from '../platform/db.ts';
import { openPostgres } from '../platform/postgres.ts';
import { createKeyring } from '../platform/seal.ts';
import { join, raw, sql } from '../platform/sql.ts';
import { permissionNames } from '../policy.ts';
import { onEachEngine, openTestDatabase } from '../testing/database.ts';
import { basic, openAccounts, operate } from './fixture.ts';
import { publicSandboxApplicationId } from './index.ts';

const anywhere = '198.51.100.9';

async function counts(db: Db): Promise<Record<string, number>> {
  const [row] = await db.query<Record<string, number>>(sql`select
    (select count(*)::int from organizations) as organizations,
    (select count(*)::int from applications) as applications,
    (select count(*)::int from api_keys) as keys,
    (select count(*)::int from operator_tokens) as tokens`);
  return row ?? {};
}

/** All rows of all tables as text; bytea both as stored and as the text it may hold. */
async function allText(db: Db): Promise<string> {
  const tables = await db.query<{ name: string }>(
    sql`select quote_ident(tablename) as name from pg_tables where schemaname = 'public'`,
  );
  const parts = tables.map(({ name }) => sql`select ${raw(name)}::text as text from ${raw(name)}`);
  const rows = await db.query<{ text: string }>(join(parts, ' union all '));
  const hex = rows.flatMap(({ text }) => [...text.matchAll(/\\x([0-9a-f]+)/g)].map(([, digits]) => digits ?? ''));
  return [...rows.map(({ text }) => text), ...hex.map((digits) => Buffer.from(digits, 'hex').toString('latin1'))].join(
    '\n',
  );
}

onEachEngine('the first start', (get) => {
  test('keeps by what its master key is known again, and refuses another one', async () => {
    const { db, clock } = get();
    const [mine, other] = [
      openAccounts(db, clock),
      openAccounts(db, clock, { keyring: createKeyring(Buffer.alloc(32, 9)) }),
    ];
    await mine.requireMasterKey();
    await mine.requireMasterKey();
    await assert.rejects(other.requireMasterKey(), { name: 'ConfigError' });
    await mine.requireMasterKey();
  });

  test('makes one of each, shows the secrets once, and a second start changes nothing', async () => {
    const { db, clock } = get();
    const accounts = openAccounts(db, clock);
    const first = await accounts.bootstrap();
    assert.ok(first);
    assert.match(first.applicationId, /^[0-9]{19}$/);
    assert.match(first.devKey, /^dk_/);
    const caller = await accounts.authenticateKey(basic(first.devKey, first.devSecret), '127.0.0.1');
    const { application } = caller;
    assert.deepEqual(caller.permissions, new Set(permissionNames));
    assert.deepEqual([application.id, application.organizationId], [first.applicationId, first.organizationId]);
    assert.deepEqual(
      [application.network, application.sandbox, application.policy.template_review],
      ['virtual', 'none', 'auto'],
    );
    assert.ok(application.name.length <= 10);
    await accounts.authenticateOperator(`Bearer ${first.operatorToken}`, anywhere);
    const made = { organizations: 1, applications: 2, keys: 1, tokens: 1 };
    assert.deepEqual(await counts(db), made);

    assert.equal(await accounts.bootstrap(), null);
    assert.equal(await openAccounts(db, clock).bootstrap(), null);
    assert.deepEqual(await counts(db), made);
    await accounts.authenticateKey(basic(first.devKey, first.devSecret), '127.0.0.1');
  });

  test('no secret is in any row of any table, neither of the first start nor of keys made and rotated later', async () => {
    const { db, clock } = get();
    const accounts = openAccounts(db, clock);
    await accounts.bootstrap({
      devKey: 'preset',
      devSecret: 'preset-secret-value',
      operatorToken: 'preset-operator-token',
    });
    const { application } = await accounts.authenticateKey(basic('preset', 'preset-secret-value'), '127.0.0.1');
    const params = { application_id: application.id };
    const key = await operate(accounts, 'createApiKey', { params, body: { description: 'seen in the rows' } });
    const rotated = await operate(accounts, 'rotateApiKeySecret', { params: { key_id: String(key['id']) } });
    const sandbox = await operate(accounts, 'createSandboxKey', {
      params: { organization_id: application.organizationId },
    });
    const text = await allText(db);
    const sandboxKey = sandbox['api_key'] as Record<string, unknown>;
    const secrets = [
      'preset-secret-value',
      'preset-operator-token',
      key['dev_secret'],
      rotated['dev_secret'],
      sandboxKey['dev_secret'],
    ];
    for (const secret of secrets) {
      assert.ok(String(secret).length > 15);
      assert.ok(!text.includes(String(secret)));
      assert.ok(!text.includes(Buffer.from(String(secret)).toString('base64').slice(0, 20)));
    }
    for (const seen of ['seen in the rows', key['dev_key'], 'preset']) assert.ok(text.includes(String(seen)));
  });
});

onEachEngine('presets', (get) => {
  test('on the first start they are the first key and token', async () => {
    const { db, clock } = get();
    const accounts = openAccounts(db, clock);
    const presets = { devKey: 'my.key', devSecret: 'my-secret', operatorToken: 'my-operator-token' };
    const first = await accounts.bootstrap(presets);
    assert.deepEqual(
      { ...first, organizationId: '', applicationId: '' },
      { ...presets, organizationId: '', applicationId: '' },
    );
    await accounts.authenticateKey(basic('my.key', 'my-secret'), '127.0.0.1');
    await accounts.authenticateOperator('Bearer my-operator-token', anywhere);
  });

  test('on a later start a missing pair is made in the first application', async () => {
    const { db, clock } = get();
    const accounts = openAccounts(db, clock);
    const { application } = await accounts.authenticateKey(basic('my.key', 'my-secret'), '127.0.0.1');
    assert.equal(await accounts.bootstrap({ devKey: 'second.key', devSecret: 'second-secret' }), null);
    const second = await accounts.authenticateKey(basic('second.key', 'second-secret'), '127.0.0.1');
    assert.equal(second.application.id, application.id);
    await accounts.authenticateKey(basic('my.key', 'my-secret'), '127.0.0.1');
  });

  test('a changed secret or token replaces the old one; what the operator set on the key stays', async () => {
    const { db, clock } = get();
    const accounts = openAccounts(db, clock);
    const before = await accounts.authenticateKey(basic('my.key', 'my-secret'), '127.0.0.1');
    await operate(accounts, 'updateApiKey', { params: { key_id: before.keyId }, body: { permissions: ['send'] } });
    await accounts.bootstrap({ devKey: 'my.key', devSecret: 'new-secret', operatorToken: 'new-operator-token' });
    await assert.rejects(accounts.authenticateKey(basic('my.key', 'my-secret'), '127.0.0.1'), { code: 2001 });
    const after = await accounts.authenticateKey(basic('my.key', 'new-secret'), '127.0.0.1');
    assert.deepEqual([after.keyId, [...after.permissions]], [before.keyId, ['send']]);
    await assert.rejects(accounts.authenticateOperator('Bearer my-operator-token', anywhere), { code: 2001 });
    await accounts.authenticateOperator('Bearer new-operator-token', anywhere);
  });

  test('taken out of the environment they stay in force', async () => {
    const { db, clock } = get();
    const accounts = openAccounts(db, clock);
    await accounts.bootstrap({});
    await accounts.authenticateKey(basic('my.key', 'new-secret'), '127.0.0.1');
    await accounts.authenticateOperator('Bearer new-operator-token', anywhere);
  });

  test('a public sandbox key cannot be preset', async () => {
    const { db, clock } = get();
    const accounts = openAccounts(db, clock, { publicSandbox: false });
    const presets = { devKey: 'sandbox_demo', devSecret: 'sandbox_secret' };
    await assert.rejects(accounts.bootstrap(presets), /ENGAGELAB_DEV_KEY must not be/);
    await assert.rejects(accounts.authenticateKey(basic('sandbox_demo', 'sandbox_secret'), '127.0.0.1'), {
      code: 2001,
    });
  });
});

describe('nodes that start at the same moment on one PostgreSQL database', () => {
  test('one makes the first objects and shows the secrets, the others find them', async () => {
    const here = await openTestDatabase('postgres');
    const log = pino({ level: 'silent' });
    const others = Array.from({ length: 3 }, () => openPostgres({ url: here.url ?? '', log, maxConnections: 2 }));
    try {
      const nodes = [here.db, ...others].map((db) => openAccounts(db, here.clock));
      const presets = { devKey: 'shared', devSecret: 'shared-secret' };
      const outcomes = await Promise.all([...nodes, ...nodes].map((node) => node.bootstrap(presets)));
      const winners = outcomes.filter((outcome) => outcome !== null);
      assert.equal(winners.length, 1);
      assert.deepEqual(await counts(here.db), { organizations: 1, applications: 2, keys: 1, tokens: 1 });
      for (const node of nodes) {
        const caller = await node.authenticateKey(basic('shared', 'shared-secret'), '127.0.0.1');
        assert.equal(caller.application.id, winners[0]?.applicationId);
        assert.equal((await node.application(publicSandboxApplicationId))?.sandbox, 'public');
        await node.authenticateOperator(`Bearer ${winners[0]?.operatorToken}`, anywhere);
      }
    } finally {
      await Promise.all(others.map((db) => db.close()));
      await here.close();
    }
  });
});
