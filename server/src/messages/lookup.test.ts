/** What a number is told to be, and whether a send to it would be refused: the same words as the send. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openTestApp, type TestApp } from '../testing/app.ts';
import { openTestDatabase, type TestDatabase } from '../testing/database.ts';

let database: TestDatabase;
let app: TestApp;
before(async () => {
  database = await openTestDatabase('pglite');
  app = await openTestApp(database);
});
after(async () => {
  await app.close();
  await database.close();
});

const look = (credential: string, query: string) => app.call({ path: `/v1/number-lookup?${query}`, credential });

test('a number is told in E.164, with country and kind of line, also as it is dialled at home', async () => {
  const { credential } = await app.makeApplication();
  const mobile = {
    number: '+6598120044',
    country: 'SG',
    calling_code: '65',
    type: 'mobile',
    valid: true,
    allowed: true,
    refusal: null,
    channels: ['sms', 'whatsapp', 'voice'],
  };
  for (const query of [
    'number=%2B65%209812-0044',
    'number=+6598120044',
    'number=9812%200044&default_region=SG',
    'number=%2B6598120044&default_region=US',
  ])
    assert.deepEqual((await look(credential, query)).body, mobile, query);
  const home = (await look(credential, 'number=030%20901820&default_region=DE')).body;
  assert.deepEqual([home.number, home.country, home.type], ['+4930901820', 'DE', 'fixed_line']);
  const magic = (await look(credential, 'number=%2B10000000005')).body;
  assert.deepEqual([magic.number, magic.allowed], ['+10000000005', true]);
  for (const query of [
    'number=98120044',
    'number=98120044&default_region=ZZ',
    'number=%2B999123456789',
    'number=a@b.co',
  ]) {
    const { status, body } = await app.expectNothingHappened(() => look(credential, query));
    assert.deepEqual([status, body.code], [400, 5011], query);
  }
});

test('what the policy or the key does not allow is told with the refusal of a send, and no channel', async () => {
  const to = '+8613812345678';
  const policies: [object, string, number, string | null][] = [
    [{ countries: { mode: 'allow', list: ['DE'] } }, '+6598120044', 3003, 'country_not_enabled'],
    [{ china_permission: false }, to, 5017, null],
    [{ number_check: 'strict' }, '+6500000000', 5011, null],
  ];
  for (const [policy, number, code, reason] of policies) {
    const { credential } = await app.makeApplication({ policy });
    const { body } = await look(credential, `number=${encodeURIComponent(number)}`);
    assert.deepEqual([body.allowed, body.channels, body.refusal.code, body.refusal.reason], [false, [], code, reason]);
  }
  const { id } = await app.makeApplication();
  const { credential } = await app.makeKey(id, { kind: 'agent', agent: { countries: ['SG'] } });
  assert.equal((await look(credential, 'number=%2B6598120044')).body.allowed, true);
  const abroad = (await look(credential, 'number=%2B4915112345678')).body;
  assert.deepEqual([abroad.allowed, abroad.refusal.reason], [false, 'destination_not_allowed']);
});

test('live, only what a route serves is a channel', async () => {
  const { credential } = await app.makeApplication({ network: 'live' });
  const { body } = await look(credential, 'number=%2B6598120044');
  assert.deepEqual([body.allowed, body.channels], [true, []]);
  assert.equal((await look(credential, 'number=%2B10000000005')).body.code, 5011);
});
