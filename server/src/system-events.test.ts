/** System events (contract §10.5) as they are told, each to the letter, and what raises none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachApp, operatorToken } from './testing/app.ts';
import { bodyOf, newNumber, openApplication, type TestApplication } from './testing/application.ts';
import { untilLedgerIsSettled } from './testing/horizon.ts';

onEachApp('system events', (get) => {
  /** Rows of one event of the application, without their time. */
  async function told(app: TestApplication, event: string): Promise<unknown[]> {
    await untilLedgerIsSettled(get().database.db);
    const { events } = bodyOf(await app.call({ path: `/v1/events?type=${event}` }));
    return events.map(({ row }: { row: Record<string, unknown> }) => {
      const { itime, ...rest } = row;
      assert.ok(Number.isInteger(itime));
      return rest;
    });
  }
  const devKey = (app: TestApplication): string => app.credential.split(':')[0] ?? '';
  async function expected(app: TestApplication, event: string, operator: object, details: object) {
    const { organization_id } = bodyOf(await get().operator({ path: `/admin/v1/applications/${app.id}` }));
    const data = { business_id: app.id, org_id: organization_id, operator, [event]: details };
    return { server: 'otp', system_event: { event, data } };
  }

  test('reading a message or a list of messages raises msg_history, a failed read does not', async () => {
    const app = await openApplication(get());
    const { messageId } = await app.sendCode(newNumber());
    await app.sendCode(newNumber());
    await app.story(messageId);
    bodyOf(await app.call({ path: '/v1/messages?limit=10' }));
    await app.call({ path: '/v1/messages/2072832692843466759' });
    await app.call({ path: '/v1/messages?limit=0' });
    const by = { api_key: devKey(app), ip_address: '127.0.0.1' };
    assert.deepEqual(await told(app, 'msg_history'), [
      await expected(app, 'msg_history', by, { action: 'view', count: 1 }),
      await expected(app, 'msg_history', by, { action: 'query', count: 2 }),
    ]);
  });

  test('reading in the public sandbox raises nothing', async () => {
    const credential = 'sandbox_demo:sandbox_secret';
    bodyOf(await get().call({ path: '/v1/messages', credential }));
    const listed = bodyOf(await get().call({ path: '/v1/events?type=msg_history', credential }));
    assert.deepEqual(listed.events, []);
  });

  test('changing templates raises template_manage, what the platform itself makes does not', async () => {
    const app = await openApplication(get(), { templates: [{ description: 'Sign in' }] });
    const config = { template_type: 1, template_default_config: { contain_expire: true } };
    const body = {
      template_id: 'login',
      description: 'Sign in again',
      send_channel_strategy: 'sms',
      verify_code_config: { verify_code_type: 1, verify_code_len: 6, verify_code_ttl: 5 },
      sms_config: config,
    };
    bodyOf(await app.call({ path: '/v1/template-configs/login', method: 'PUT', body }));
    bodyOf(await app.call({ path: '/v1/template-configs/login', method: 'DELETE' }));
    const by = { api_key: devKey(app), ip_address: '127.0.0.1' };
    const change = (template_name: string, action: string) =>
      expected(app, 'template_manage', by, { template_id: 'login', template_name, action });
    assert.deepEqual(await told(app, 'template_manage'), [
      await change('Sign in', 'create template'),
      await change('Sign in again', 'update template'),
      await change('', 'delete template'),
    ]);
    const seeded = bodyOf(await get().call({ path: '/v1/events?type=template_manage' }));
    assert.deepEqual(seeded.events, []);
  });

  test('making a key raises key_manage', async () => {
    const app = await openApplication(get());
    const details = { action: 'create api_key', api_key: devKey(app), description: '' };
    assert.deepEqual(await told(app, 'key_manage'), [
      await expected(app, 'key_manage', { ip_address: '127.0.0.1' }, details),
    ]);
  });

  test('calls and logins are told to nobody who has not asked for them', async () => {
    const app = await openApplication(get());
    bodyOf(await get().call({ path: '/admin/v1/sessions', credential: null, body: { token: operatorToken } }));
    assert.deepEqual(await told(app, 'account_login,api_call'), []);
  });
});
