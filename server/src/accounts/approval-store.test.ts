/** What is asked about a key and what changes its terms at the same moment, on two connections. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from '../platform/sql.ts';
import { openTestDatabase, type TestDatabase } from '../testing/database.ts';
import { until } from '../testing/until.ts';
import { askApproval, listRequests } from './approval-store.ts';
import { openAccounts, operate } from './fixture.ts';

let database: TestDatabase;
before(async () => {
  database = await openTestDatabase('postgres');
});
after(() => database.close());

test('a change of terms that waited for the first question outdates it, and the next one can be asked', async () => {
  const { db, clock } = database;
  const accounts = openAccounts(db, clock);
  const { id: organization } = await operate(accounts, 'createOrganization', { body: { name: 'Agents' } });
  const { id: application } = await operate(accounts, 'createApplication', {
    params: { organization_id: String(organization) },
    body: { name: 'Bots', network: 'live' },
  });
  const made = await operate(accounts, 'createApiKey', {
    params: { application_id: String(application) },
    body: { kind: 'agent', agent: { mode: 'live', countries: ['SG'] } },
  });
  const keyId = String(made['id']);
  const ask = {
    ...{ keyId, operation: 'sendOtp', recipient: '+65••••••67', recipients: 1, templateId: 'login', channels: [] },
    ...{ currency: 'USD', client: null, requestId: null },
  };
  const isWaiting = async (): Promise<boolean> =>
    (
      await db.query(
        sql`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      )
    ).length > 0;
  const held = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const asking = db.transaction(async (tx) => {
    assert.equal((await askApproval(tx, ask))?.approval, 'pending');
    held.resolve();
    await goOn.promise;
  });
  await held.promise;
  const wider = { agent: { countries: ['SG', 'MY'] } };
  const changing = operate(accounts, 'updateApiKey', { params: { key_id: keyId }, body: wider });
  await until('the change waits for the key', isWaiting);
  goOn.resolve();
  await Promise.all([asking, changing]);
  const states = async (state: 'pending' | 'outdated'): Promise<number> =>
    (await listRequests(db, { state, applicationId: null }, { before: null, limit: 10 })).length;
  assert.deepEqual([await states('pending'), await states('outdated')], [0, 1]);
  const asked = await askApproval(db, ask);
  assert.deepEqual([asked?.approval, asked?.countries], ['pending', ['MY', 'SG']]);
  assert.deepEqual([await states('pending'), await states('outdated')], [1, 1]);
});
