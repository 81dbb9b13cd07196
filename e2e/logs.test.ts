/**
 * No secret, code or full recipient in the logs, at the most talkative level. Every operation of the API is called, well and badly,
 * while everything confidential that goes over the wire is remembered; then all that the process wrote is searched for it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { raw } from '../server/src/platform/sql.ts';
import { until } from '../server/src/testing/until.ts';
import { clientOf, devKey, devSecret, firstApplication, operatorToken, type Reply } from './client.ts';
import {
  type Call,
  manageAlerts,
  manageApprovals,
  manageHook,
  manageLists,
  manageMoney,
  manageOptOuts,
  managePrices,
  manageRules,
} from './operator-calls.ts';
import { openSite, type Site } from './site.ts';
import { createWitness } from './witness.ts';

const to = '+6598120044';
const email = 'ana.lim@customer.example';

test('no secret, code or full recipient is logged by any operation, at any level', async (t) => {
  const site = await openSite(t, 'postgres');
  const first = await site.start({ LOG_LEVEL: 'trace', OUTBOUND_ALLOW: '127.0.0.1' });
  assert.equal(await first.stop(), 0);
  const server = await site.start({ LOG_LEVEL: 'trace', OUTBOUND_ALLOW: '127.0.0.1' });
  const witness = createWitness();
  for (const secret of [devSecret, operatorToken, site.env['MASTER_KEY'] ?? '']) witness.secret(secret);

  const called = new Set<string>();
  const caller = (authorization?: string): Call => {
    if (authorization !== undefined) witness.authorization(authorization);
    const client = clientOf(server.address, authorization);
    return async (operation, ids = {}, { query = '', ...options } = {}) => {
      called.add(operation);
      const [method = '', template = ''] = operation.split(' ');
      const path = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(ids[name] ?? ''));
      witness.request(options.body);
      const reply = await client.call(method, path + query, options);
      witness.reply(reply.body);
      return reply;
    };
  };
  const key = caller(basic(devKey, devSecret));
  const operator = caller(`Bearer ${operatorToken}`);
  const applicationId = await firstApplication(server.address);

  await tellServer(caller());
  await manageKeys(operator, applicationId);
  await manageProviders(operator, witness);
  await manageApprovals(operator);
  await manageOptOuts(operator, applicationId);
  await manageLists(operator, applicationId);
  await manageCallbacks(operator, applicationId);
  await manageAlerts(operator, applicationId);
  await managePrices(operator);
  await manageMoney(operator, key, applicationId);
  await manageHook(operator, applicationId);
  await manageRules(operator, key, applicationId);
  await logIn(caller);
  await writeTemplates(key, operator, applicationId);
  await sendAndVerify(key);
  assert.equal((await key('GET /v1/events', {}, { query: '?limit=5' })).status, 200);
  assert.equal((await key('GET /v1/insights', {}, { query: '?group_by=country' })).status, 200);
  await useSandbox(key, operator, caller(basic('engagelab_sandbox_demo', 'engagelab_sandbox_secret')));
  await sendBadly(key, caller);
  await breakTheDatabase(key, site);

  const described = await clientOf(server.address).call('GET', '/openapi.json');
  called.add('GET /openapi.json');
  assert.deepEqual(
    operationsOf(described.body).filter((operation) => !called.has(operation)),
    [],
    'operations not called here',
  );
  await until('the last message is delivered', async () => {
    const { body } = await key('GET /v1/messages', {}, { query: '?status=queued' });
    return body.messages.length === 0;
  });
  assert.equal(await server.stop(), 0);
  const written = `${linesOfLog(first.stdout())}${first.stderr()}${server.stdout()}${server.stderr()}`;
  assert.ok(written.split('\n').filter((line) => line.startsWith('{')).length > 5, 'the server logs at all');
  assert.ok(written.includes('request failed'), 'also what went wrong');
  assert.deepEqual(witness.findIn(written), []);
  t.diagnostic(`${called.size} operations, ${witness.size()} confidential values, ${written.length} characters of log`);
});

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

/** The start screen aside. */
const linesOfLog = (stdout: string): string =>
  stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .join('\n');

function operationsOf(openapi: { paths: Record<string, Record<string, { operationId?: string }>> }): string[] {
  return Object.entries(openapi.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { operationId }]) =>
      operationId === undefined ? [] : [`${method.toUpperCase()} ${path}`],
    ),
  );
}

async function tellServer(nobody: Call): Promise<void> {
  for (const path of ['/healthz', '/readyz']) assert.equal((await nobody(`GET ${path}`)).status, 200);
}

async function manageKeys(operator: Call, application_id: string): Promise<void> {
  const made = await operator('POST /admin/v1/organizations', {}, { body: { name: 'Acme' } });
  const organization = { organization_id: made.body.id };
  await operator('GET /admin/v1/organizations');
  await operator('GET /admin/v1/organizations/{organization_id}', organization);
  await operator('PATCH /admin/v1/organizations/{organization_id}', organization, { body: { name: 'Acme Ltd' } });
  const body = { name: 'Shop', policy: { template_review: 'manual' } };
  const shop = await operator('POST /admin/v1/organizations/{organization_id}/applications', organization, { body });
  await operator('GET /admin/v1/organizations/{organization_id}/applications', organization);
  const application = { application_id: shop.body.id };
  await operator('GET /admin/v1/applications/{application_id}', application);
  await operator('PATCH /admin/v1/applications/{application_id}', application, { body: { name: 'Shop 2' } });
  await operator('GET /admin/v1/applications/{application_id}/policy', application);
  await operator('GET /admin/v1/applications/{application_id}/guess-probability', application);
  await operator('PUT /admin/v1/applications/{application_id}/policy', application, { body: { max_attempts: 3 } });
  const policy = {
    allow_overrides: ['ttl_seconds', 'code_length'],
    resend_policy: { mode: 'rotate', resend_after: 0 },
  };
  const changed = await operator(
    'PATCH /admin/v1/applications/{application_id}/policy',
    { application_id },
    { body: policy },
  );
  assert.equal(changed.status, 200);

  const minted = await operator('POST /admin/v1/applications/{application_id}/api-keys', application, { body: {} });
  assert.equal(minted.status, 200);
  await operator('GET /admin/v1/applications/{application_id}/api-keys', application);
  const key = { key_id: minted.body.id };
  await operator('GET /admin/v1/api-keys/{key_id}', key);
  await operator('PATCH /admin/v1/api-keys/{key_id}', key, { body: { enabled: false } });
  assert.equal((await operator('POST /admin/v1/api-keys/{key_id}/rotate-secret', key, { body: {} })).status, 200);
  assert.equal((await operator('DELETE /admin/v1/api-keys/{key_id}', key)).status, 200);
}

async function manageProviders(operator: Call, witness: ReturnType<typeof createWitness>): Promise<void> {
  await operator('GET /admin/v1/adapters');
  const settings = {
    api_key: 'abcd1234',
    api_secret: 'secret-of-the-carrier',
    from: 'Acme',
    api_url: 'https://127.0.0.1',
  };
  witness.secret(settings.api_secret);
  const body = { id: 'carrier', adapter: 'sms-vonage', title: 'Carrier', settings };
  const made = await operator('POST /admin/v1/providers', {}, { body });
  assert.equal(made.status, 200);
  witness.secret(made.body.webhook_url.split('/').at(-1));
  const provider = { provider_id: 'carrier' };
  const one = '/admin/v1/providers/{provider_id}';
  await operator('GET /admin/v1/providers');
  await operator(`GET ${one}`, provider);
  await operator(`PATCH ${one}`, provider, { body: { settings: { from: 'Acme 2' } } });
  assert.equal((await operator(`POST ${one}/test`, provider, { body: { to } })).body.outcome, 'refused');
  await operator(`POST ${one}/sync-templates`, provider, { body: {} });
  await operator(`POST ${one}/drain`, provider, { body: { seconds: 0 } });
  await operator(`POST ${one}/reset-circuit`, provider, { body: {} });
  await operator(`GET ${one}/health`, provider);
  await operator('GET /admin/v1/provider-health');
  const entries = [{ provider: 'carrier', priority: 1, price_micros: 41_200 }];
  const route = await operator('POST /admin/v1/routes', {}, { body: { channel: 'sms', entries } });
  const id = { route_id: route.body.id };
  await operator('GET /admin/v1/routes');
  await operator('GET /admin/v1/routes/{route_id}', id);
  await operator('PATCH /admin/v1/routes/{route_id}', id, { body: { note: 'again' } });
  await operator('POST /admin/v1/route-resolution', {}, { body: { channel: 'sms', to } });
  assert.equal((await operator('DELETE /admin/v1/routes/{route_id}', id)).status, 200);
  assert.equal((await operator(`DELETE ${one}`, provider)).status, 200);
}

async function logIn(caller: (authorization?: string) => Call): Promise<void> {
  const login = { body: { token: operatorToken, email: 'confidential-operator@example.com' } };
  const made = await caller()('POST /admin/v1/sessions', {}, login);
  assert.equal(made.status, 200, JSON.stringify(made.body));
  const session = caller(`Bearer ${made.body.session_token}`);
  assert.equal((await session('DELETE /admin/v1/sessions/current')).status, 200);
}

async function manageCallbacks(operator: Call, application_id: string): Promise<void> {
  const all = '/admin/v1/applications/{application_id}/callback-endpoints';
  const one = `${all}/{endpoint_id}`;
  const body = {
    url: 'https://localhost/confidential-path?token=confidential-query',
    username: 'acme_hooks',
    secret: 'confidential-endpoint-secret',
    authorization: 'Bearer confidential-endpoint',
  };
  const made = await operator(`POST ${all}`, { application_id }, { body });
  assert.equal(made.status, 200);
  const endpoint = { application_id, endpoint_id: made.body.id };
  await operator(`GET ${all}`, endpoint);
  await operator(`GET ${one}`, endpoint);
  await operator(`PATCH ${one}`, endpoint, { body: { secret: 'confidential-second-secret' } });
  await operator(`POST ${one}/probe`, endpoint);
  await operator(`POST ${one}/rotate-secret`, endpoint);
  await operator(`POST ${one}/test-event`, endpoint, { body: { event: 'delivered' } });
  await operator(`GET ${one}/deliveries`, endpoint);
  await operator(`GET ${one}/attempts`, endpoint);
  await operator(`POST ${one}/replays`, endpoint, { body: { failed_since: '2026-07-03T00:00:00Z' } });
  assert.equal((await operator(`DELETE ${one}`, endpoint)).status, 200);
}

async function writeTemplates(key: Call, operator: Call, application_id: string): Promise<void> {
  const template = {
    template_id: 'chain',
    send_channel_strategy: 'whatsapp|sms|email',
    brand_name: 'Acme',
    verify_code_config: { verify_code_type: 1, verify_code_len: 8, verify_code_ttl: 5 },
    whatsapp_config: { template_type: 1, template_default_config: { contain_security: true, contain_expire: true } },
    sms_config: { template_type: 1, template_default_config: { contain_security: true, contain_expire: true } },
    email_config: { template_name: 'chain', template_custom_configs: [] },
  };
  assert.equal((await key('POST /v1/template-configs', {}, { body: template })).status, 200);
  const chain = { template_id: 'chain' };
  await key('GET /v1/template-configs');
  await key('GET /v1/template-configs/{template_id}', chain);
  await key('PUT /v1/template-configs/{template_id}', chain, { body: { ...template, brand_name: 'Acme 2' } });
  await key('POST /v1/template-configs/{template_id}/preview', chain, {
    body: { params: { name: 'Ana Confidential' } },
  });
  await operator('GET /admin/v1/templates');
  const verdict = { approved: true, remark: 'fine' };
  const path = 'POST /admin/v1/applications/{application_id}/templates/{template_id}/review';
  await operator(path, { application_id, template_id: 'chain' }, { body: verdict });
  await key('POST /v1/template-configs', {}, { body: { ...template, template_id: 'gone' } });
  assert.equal((await key('DELETE /v1/template-configs/{template_id}', { template_id: 'gone' })).status, 200);
}

async function sendAndVerify(key: Call): Promise<void> {
  const body = {
    to,
    template: { id: 'chain', language: 'en', params: { name: 'Ana Confidential' } },
    alternate_to: { email },
    custom_args: { order: 'confidential-order-17' },
    signals: { ip: '203.0.113.9', device_id: 'confidential-device' },
    purpose: 'login',
    code_length: 9,
  };
  const sent = await key('POST /v1/messages', {}, { body, headers: { 'idempotency-key': 'once' } });
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  await key('POST /v1/messages', {}, { body, headers: { 'idempotency-key': 'once' } });
  await key('POST /v1/messages', {}, { body: { to: email, template: { id: 'chain' } } });
  await key('POST /v1/messages', {}, { body: { ...body, to: `b${email}`, alternate_to: { phone: '+6598120050' } } });
  const message = { message_id: sent.body.message_id };
  const handset = (query: string): Promise<Reply> => key('GET /v1/sandbox/messages', {}, { query });
  assert.equal(
    (await handset(`?to=${encodeURIComponent(to)}&wait=10`)).body.messages[0].message_id,
    message.message_id,
  );
  assert.equal((await handset(`?to=${encodeURIComponent(email)}&wait=10`)).body.messages.length, 1);
  await key('POST /v1/messages/{message_id}/next-channel', message, { body: {} });
  await key('POST /v1/messages/{message_id}/resend', message, { body: { channel: 'sms' } });
  const { code } = (await handset(`?to=${encodeURIComponent(to)}&wait=10&limit=1`)).body.messages[0];
  const check = (verify_code: unknown): Promise<Reply> =>
    key('POST /v1/verifications', {}, { body: { ...message, verify_code, purpose: 'login' } });
  assert.equal((await check('918273645')).body.verified, false);
  assert.equal((await check(918273645)).status, 400);
  await until('the code of the resend', async () => {
    const { body: inbox } = await handset(`?to=${encodeURIComponent(to)}`);
    for (const { code: each } of inbox.messages) if ((await check(each ?? code)).body.verified === true) return true;
    return false;
  });
  await key('GET /v1/messages/{message_id}', message);
  await key('GET /v1/messages', {}, { query: `?to=${encodeURIComponent(to)}` });
  const own = await key(
    'POST /v1/codes',
    {},
    { body: { to: '+6598120045', code: 'KQ4-77-ZZ', template: { id: 'login' } } },
  );
  await key('POST /v1/messages/{message_id}/cancel', { message_id: own.body.message_id }, { body: {} });
  const custom = { id: 'login', params: { code: 'WX9-31-QQ' } };
  await key(
    'POST /v1/custom-messages',
    {},
    { body: { to: ['+6598120046', '+6598120047', 'not-a-number'], template: custom } },
  );
}

async function useSandbox(key: Call, operator: Call, sandbox: Call): Promise<void> {
  const path = '/v1/sandbox/recipients/{to}';
  const channels = { sms: { hand_over: 'refuse', error_code: 5012 }, whatsapp: { hand_over: 'refuse_temporarily' } };
  assert.equal((await key(`PUT ${path}`, { to: '+6598120048' }, { body: { channels } })).status, 200);
  await key(`GET ${path}`, { to: '+6598120048' });
  const refused = await key('POST /v1/messages', {}, { body: { to: '+6598120048', template: { id: 'login' } } });
  await until('the refusal', async () => {
    const found = await key('GET /v1/messages/{message_id}', { message_id: refused.body.message_id });
    return found.body.state === 'failed';
  });
  await key(`DELETE ${path}`, { to: '+6598120048' });

  const webhook = {
    url: 'https://hooks.customer.invalid/confidential-path',
    username: 'hooks',
    secret: 'confidential-webhook-secret',
    authorization: 'Bearer confidential-hook',
  };
  assert.equal((await sandbox('PUT /v1/sandbox/webhook', {}, { body: webhook })).status, 200);
  for (const magic of ['+10000000000', '+10000000001', '+10000000018', 'sandbox@example.com']) {
    await sandbox('POST /v1/messages', {}, { body: { to: magic, template: { id: 'sandbox-otp-tpl' } } });
  }
  const { body } = await operator('GET /admin/v1/organizations');
  const ids = { organization_id: body.organizations[0].id };
  const made = await operator('POST /admin/v1/organizations/{organization_id}/sandbox-keys', ids, {
    body: { name: 'CI' },
  });
  assert.equal(made.status, 200);
}

async function sendBadly(key: Call, caller: (authorization?: string) => Call): Promise<void> {
  const send = 'POST /v1/messages';
  const body = { to: '+6598120049', template: { id: 'login' } };
  for (const authorization of [
    basic(devKey, 'confidential-wrong-secret'),
    basic('nobody', 'confidential-password'),
    'Bearer confidential-token',
    'Basic confidential-garbage',
  ]) {
    assert.equal((await caller(authorization)(send, {}, { body })).status, 401);
    assert.equal((await caller(authorization)('GET /admin/v1/organizations')).status, 401);
  }
  for (const payload of [
    '{"to":"+6598120049",',
    '["+6598120049"]',
    `{"to":"+6598120049","x":"${'9'.repeat(70_000)}"}`,
  ]) {
    assert.notEqual((await key(send, {}, { payload })).status, 200);
  }
  for (const bad of [
    { ...body, template: { id: 'confidential\u0000template' } },
    { ...body, to: ['+6598120049'] },
    { ...body, to: '+65981200490000000000' },
    { ...body, custom_args: { secret: 1 } },
    { ...body, alternate_to: { email: 'ana.lim@@customer.example' } },
    { ...body, ttl_seconds: -1 },
  ]) {
    assert.notEqual((await key(send, {}, { body: bad })).status, 200);
  }
  await key('GET /v1/sandbox/messages', {}, { query: '?to=%2B6598120049&wait=x' });
  await key('GET /v1/messages', {}, { query: '?to=%2B6598120049&limit=0' });
}

/** A statement that fails names the row in the database's own report. */
async function breakTheDatabase(key: Call, site: Site): Promise<void> {
  await site.withDb((db) =>
    db.query(raw(`alter table messages add constraint no_more check (recipient <> '${to}') not valid`)),
  );
  const body = { to, template: { id: 'login' } };
  assert.equal((await key('POST /v1/messages', {}, { body })).status, 500);
  await site.withDb((db) => db.query(raw('alter table messages drop constraint no_more')));
}
