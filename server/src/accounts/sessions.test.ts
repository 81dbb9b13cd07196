/** Operator sessions: what opens one, what one opens, how it ends, and what is told of it. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { listEvents } from '../events/index.ts';
import { raw } from '../platform/sql.ts';
import { onEachEngine } from '../testing/database.ts';
import { openDoor } from '../testing/open-door.ts';
import { until } from '../testing/until.ts';
import { openAccounts } from './fixture.ts';
import type { Accounts } from './index.ts';

const token = 'operator-token-of-this-test';
const email = 'ana@example.com';
const minute = 60_000;
const anywhere = '198.51.100.9';

onEachEngine('operator sessions', (get) => {
  let accounts: Accounts;
  let door: ReturnType<typeof openDoor>['door'];
  let applicationId = '';
  let organizationId = '';
  let listeners: string[] = [];

  before(async () => {
    const { db, clock } = get();
    accounts = openAccounts(db, clock, { loginListeners: async () => listeners });
    const first = await accounts.bootstrap({ operatorToken: token });
    applicationId = first?.applicationId ?? '';
    organizationId = first?.organizationId ?? '';
    await clock.freeze();
    door = openDoor(get(), {
      operations: accounts.operations,
      authenticate: { key: accounts.authenticateKey, operator: accounts.authenticateOperator },
      trustProxy: ['127.0.0.1'],
    }).door;
  });
  after(() => door.close());
  beforeEach(() => {
    listeners = [applicationId];
  });

  let addresses = 0;
  const newAddress = (): string => `203.0.113.${++addresses}`;
  async function login(body: object, from = newAddress()) {
    const headers = { 'x-forwarded-for': from };
    const reply = await door.inject({ method: 'POST', url: '/admin/v1/sessions', payload: body, headers });
    return { status: reply.statusCode, headers: reply.headers, body: reply.json() };
  }
  const use = async (bearer: string | null, from = newAddress()) => {
    const headers = { 'x-forwarded-for': from, ...(bearer !== null && { authorization: `Bearer ${bearer}` }) };
    return (await door.inject({ url: '/admin/v1/organizations', headers })).statusCode;
  };
  const logout = async (bearer: string, from = newAddress()) => {
    const headers = { authorization: `Bearer ${bearer}`, 'x-forwarded-for': from };
    const reply = await door.inject({ method: 'DELETE', url: '/admin/v1/sessions/current', headers });
    return [reply.statusCode, reply.json().code ?? reply.json()];
  };

  test('the operator token opens a session that is accepted like it for twelve hours', async () => {
    const { status, body } = await login({ token, email });
    assert.equal(status, 200);
    assert.match(body.session_token, /^os_[A-Za-z0-9_-]{43}$/);
    assert.equal(body.email, email);
    const { clock } = get();
    assert.ok(Math.abs(Date.parse(body.expires_at) - clock.now() - 12 * 60 * minute) < minute);
    assert.equal(await use(body.session_token), 200);
    const stored = await get().db.query<{ row: string }>(
      raw('select operator_sessions::text as row from operator_sessions'),
    );
    assert.ok(stored.length > 0 && !stored.some(({ row }) => row.includes(body.session_token)));
    await clock.travel(12 * 60 * minute + 1_000);
    assert.equal(await use(body.session_token), 401);
    await login({ token });
    const left = await get().db.query(raw('select 1 from operator_sessions where expires_at <= clock_now()'));
    assert.deepEqual(left, [], 'what has expired is cleared away');
  });

  test('logging out ends this session at once, here and on other nodes, and nothing else', async () => {
    const { db, clock } = get();
    const elsewhere = openAccounts(db, clock);
    await elsewhere.bootstrap({});
    const [one, two] = [(await login({ token })).body.session_token, (await login({ token })).body.session_token];
    await elsewhere.authenticateOperator(`Bearer ${one}`, anywhere);
    assert.deepEqual(await logout(one), [200, { ended: true }]);
    assert.deepEqual([await use(one), await use(two), await use(token)], [401, 200, 200]);
    await until('the word of it', () =>
      elsewhere.authenticateOperator(`Bearer ${one}`, anywhere).then(
        () => false,
        () => true,
      ),
    );
    assert.deepEqual(await logout(one), [401, 2001]);
    assert.deepEqual(await logout(token), [404, 4001], 'the operator token is no session');
  });

  test('neither a wrong token nor a session opens a session', async () => {
    const { session_token } = (await login({ token })).body;
    for (const wrong of ['wrong', session_token, `${token} `]) {
      const { status, body, headers } = await login({ token: wrong });
      assert.deepEqual([status, body.code, headers['www-authenticate']], [401, 2001, 'Bearer realm="operator"']);
    }
    assert.equal(await use(`os_${'A'.repeat(43)}`), 401);
  });

  test('a new operator token ends the sessions of the old one', async () => {
    const { session_token } = (await login({ token })).body;
    assert.equal(await use(session_token), 200);
    await accounts.bootstrap({ operatorToken: 'another-operator-token' });
    assert.equal(await use(session_token), 401);
    await accounts.bootstrap({ operatorToken: token });
    assert.equal(await use(session_token), 401);
  });

  test('ten wrong tokens from one address within a minute are told so, more are too many, whichever door they try', async () => {
    const from = newAddress();
    for (let i = 0; i < 15; i++) assert.equal((await login({ token }, from)).status, 200);
    for (let i = 0; i < 15; i++) assert.equal(await use(null, from), 401, 'no token is no wrong one');
    const tries = await Promise.all(
      Array.from({ length: 14 }, async (_, i) =>
        i % 2 ? (await login({ token: 'wrong' }, from)).status : use('wrong', from),
      ),
    );
    assert.deepEqual(tries.sort(), [...Array(10).fill(401), ...Array(4).fill(429)]);
    const before = (await listEvents(get().db, applicationId, '0')).length;
    const refused = await login({ token: 'wrong' }, from);
    assert.deepEqual([refused.status, refused.body.code], [429, 3004]);
    assert.equal((await listEvents(get().db, applicationId, '0')).length, before, 'nor is it told of');
    assert.deepEqual([await use('op_wrong', from), await use(`os_${'A'.repeat(43)}`, from)], [429, 429]);
    assert.deepEqual([await use('wrong'), (await login({ token: 'wrong' })).status], [401, 401], 'another address');
    const wait = Number(refused.headers['retry-after']);
    assert.ok(wait >= 1 && wait <= 60);
    await get().clock.travel(wait * 1_000);
    assert.equal(await use('wrong', from), 401);
  });

  test('wrong tokens keep nobody out who has a right one, whoever else comes from that address', async () => {
    const from = newAddress();
    const { session_token } = (await login({ token }, from)).body;
    for (let i = 0; i < 12; i++) await use('wrong', from);
    assert.deepEqual([await use('wrong', from), (await login({ token: 'wrong' }, from)).status], [429, 429]);
    assert.deepEqual([await use(token, from), await use(session_token, from)], [200, 200]);
    assert.equal((await login({ token }, from)).status, 200);
    assert.deepEqual(await logout(session_token, from), [200, { ended: true }]);
  });

  test('what happens is an account_login event of each application that asked, to the letter', async () => {
    const { db } = get();
    const before = (await listEvents(db, applicationId, '0')).length;
    const from = newAddress();
    const { session_token } = (await login({ token, email }, from)).body;
    await login({ token: 'wrong', email }, from);
    await login({ token: 'wrong' }, from);
    await logout(session_token, from);
    listeners = [];
    await logout((await login({ token, email }, from)).body.session_token, from);
    await login({ token: 'wrong' }, from);
    const data = (operator: object, account_login: object) => ({
      org_id: organizationId,
      operator: { ...operator, ip_address: from },
      account_login,
    });
    const failed = { action: 'login_failed', fail_reason: 'wrong token' };
    assert.deepEqual(
      (await listEvents(db, applicationId, '0'))
        .slice(before)
        .map(({ cause, status, data: told }) => [cause, status, told]),
      [
        ['account_login', 'account_login', data({ email }, { action: 'login_success' })],
        ['account_login', 'account_login', data({ email }, failed)],
        ['account_login', 'account_login', data({}, failed)],
        ['account_login', 'account_login', data({ email }, { action: 'logout' })],
      ],
    );
  });
});
