/** Keys of kind agent: their terms as the operator sets and sees them, and as the caller of a request carries them. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { permissionNames } from '../policy.ts';
import { onEachApp, type TestReply } from '../testing/app.ts';
import { bodyOf } from '../testing/application.ts';

const dayMs = 86_400_000;
const defaults = {
  mode: 'test',
  countries: [],
  recipients: [],
  per_recipient_per_day: 3,
  sends_per_day: 50,
  spend_per_day_micros: 0,
  unattended: false,
};

onEachApp('an agent key', (get) => {
  let path: string;
  before(async () => {
    path = `/admin/v1/applications/${(await get().makeApplication()).id}/api-keys`;
  });

  const create = (body: object): Promise<TestReply> => get().operator({ path, body: { kind: 'agent', ...body } });
  const change = (id: string, body: object): Promise<TestReply> =>
    get().operator({ method: 'PATCH', path: `/admin/v1/api-keys/${id}`, body });
  const terms = async ({ dev_key, dev_secret }: { dev_key: string; dev_secret: string }) =>
    (await get().app.accounts.authenticateKey(`Bearer ${dev_key}:${dev_secret}`, '127.0.0.1')).agent;

  test('begins tight: test mode, few sends, no money, no templates, 90 days', async () => {
    const key = bodyOf(await create({}));
    assert.deepEqual([key.kind, key.agent, key.permissions], ['agent', defaults, ['send', 'verify', 'read']]);
    assert.ok(Math.abs(Date.parse(key.expires_at) - get().database.clock.now() - 90 * dayMs) < 10_000);
    const { dev_secret: _, ...shown } = key;
    assert.deepEqual(bodyOf(await get().operator({ path: `/admin/v1/api-keys/${key.id}` })), shown);
    const listed = bodyOf(await get().operator({ path })).api_keys;
    assert.deepEqual(listed.find(({ id }: { id: string }) => id === key.id)?.agent, defaults);
    assert.equal(bodyOf(await create({ expires_at: null })).expires_at, null);
    assert.deepEqual(bodyOf(await create({ permissions: ['templates'] })).permissions, ['templates']);
  });

  test('other keys have no terms and go on as before', async () => {
    const key = bodyOf(await get().operator({ path, body: {} }));
    assert.deepEqual(
      [key.kind, key.agent, key.expires_at, key.permissions],
      ['server', null, null, [...permissionNames]],
    );
    assert.equal(await terms(key), null);
    const publicPair = await get().app.accounts.authenticateKey('Bearer sandbox_demo:sandbox_secret', '127.0.0.1');
    assert.equal(publicPair.agent, null);
    for (const reply of [
      await get().expectNothingHappened(() => create({ kind: 'server', agent: {} })),
      await get().expectNothingHappened(() => change(key.id, { agent: { sends_per_day: 1 } })),
    ])
      assert.deepEqual([reply.status, reply.body.code, reply.body.details.fields[0].field], [400, 3002, 'agent']);
  });

  test('keeps recipients in the form of a message, each once, and changes only the terms it is told', async () => {
    const agent = {
      mode: 'live',
      countries: ['SG', 'DE', 'SG'],
      recipients: ['+65 9123-4567', '+6591234567', 'QA@Example.COM'],
      spend_per_day_micros: 2_000_000,
    };
    const key = bodyOf(await create({ agent }));
    const made = {
      ...defaults,
      ...agent,
      countries: ['DE', 'SG'],
      recipients: ['+6591234567', 'QA@example.com'],
    };
    assert.deepEqual(key.agent, made);
    const changed = bodyOf(await change(key.id, { agent: { sends_per_day: 7, recipients: [] } }));
    assert.deepEqual(changed.agent, { ...made, sends_per_day: 7, recipients: [] });
    assert.deepEqual(bodyOf(await change(key.id, { description: 'x' })).agent, changed.agent);
  });

  test('carries its terms into the next request, and its kind never changes', async () => {
    const key = bodyOf(await create({ agent: { countries: ['SG'] } }));
    const expected = {
      mode: 'test',
      countries: ['SG'],
      recipients: [],
      perRecipientPerDay: 3,
      sendsPerDay: 50,
      spendPerDayMicros: 0,
      unattended: false,
      approval: 'none',
    };
    assert.deepEqual(await terms(key), expected);
    bodyOf(await change(key.id, { kind: 'server', agent: { mode: 'live' } }));
    assert.deepEqual(await terms(key), { ...expected, mode: 'live' });
    assert.equal(bodyOf(await get().operator({ path: `/admin/v1/api-keys/${key.id}` })).kind, 'agent');
  });

  test('terms out of bounds are refused, and nothing happens', async () => {
    const { id } = bodyOf(await create({}));
    for (const [agent, field] of [
      [{ mode: 'on' }, 'agent.mode'],
      [{ countries: ['sg'] }, 'agent.countries[0]'],
      [{ recipients: ['+6591234567', '12'] }, 'agent.recipients[1]'],
      [{ recipients: ['12345'] }, 'agent.recipients[0]'],
      [{ recipients: ['a@b'] }, 'agent.recipients[0]'],
      [{ per_recipient_per_day: 0 }, 'agent.per_recipient_per_day'],
      [{ sends_per_day: -1 }, 'agent.sends_per_day'],
      [{ spend_per_day_micros: 0.5 }, 'agent.spend_per_day_micros'],
      [{ spend_per_day_micros: -1 }, 'agent.spend_per_day_micros'],
      [{ unattended: 1 }, 'agent.unattended'],
    ] as const)
      for (const ask of [() => create({ agent }), () => change(id, { agent })]) {
        const reply = await get().expectNothingHappened(ask);
        const told = [reply.status, reply.body.code, reply.body.details?.fields[0].field];
        assert.deepEqual(told, [400, 3002, field], JSON.stringify(reply.body));
      }
  });

  test('opens a sandbox of its own as well', async () => {
    const { id } = bodyOf(await get().operator({ path: '/admin/v1/organizations', body: { name: 'Agents' } }));
    const made = await get().operator({
      path: `/admin/v1/organizations/${id}/sandbox-keys`,
      body: { kind: 'agent', agent: { sends_per_day: 5 } },
    });
    assert.deepEqual(bodyOf(made).api_key.agent, { ...defaults, sends_per_day: 5 });
  });

  test('every key may be presented as Bearer beside Basic', async () => {
    for (const kind of ['server', 'agent']) {
      const { dev_key, dev_secret } = bodyOf(await create({ kind }));
      const knock = (authorization: string) =>
        get().call({ path: '/v1/messages', credential: null, headers: { authorization } });
      bodyOf(await knock(`Bearer ${dev_key}:${dev_secret}`));
      bodyOf(await knock(`Basic ${Buffer.from(`${dev_key}:${dev_secret}`).toString('base64')}`));
      assert.equal((await knock(`Bearer ${dev_key}:${dev_secret}x`)).body.code, 2001);
    }
  });
});
