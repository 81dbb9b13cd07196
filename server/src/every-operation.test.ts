/**
 * One table over all operations: works, invalid, without a credential, without the permission, somebody else's object. An
 * operation that is described and has no row here fails the first test.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { sql } from './platform/sql.ts';
import { type OtherApplication, onEachApp, operatorToken, type TestCall, type TestReply } from './testing/app.ts';
import { type Described, type Description, describedOperations, pathOf } from './testing/description.ts';
import { schemaFaults } from './testing/json-schema.ts';

interface Row {
  /** A body that works; made anew for each call where it may work once. */
  body?: (n: number) => unknown;
  /** What the schema refuses; absent where nothing can be wrong. */
  invalid?: Partial<TestCall>;
  query?: string;
  /** Status and code for an object of another application or, with the operator, an unknown one. */
  foreign?: [status: number, code: number];
  permission?: 'send' | 'verify' | 'templates' | 'read' | 'any';
  /** Why the good request of an ordinary application is refused. */
  refused?: [status: number, code: number];
}

const codeConfig = { verify_code_type: 1, verify_code_len: 6, verify_code_ttl: 5 };
const sms = {
  send_channel_strategy: 'sms',
  verify_code_config: codeConfig,
  sms_config: { template_type: 1, template_default_config: {} },
};
const chain = { ...sms, send_channel_strategy: 'sms|voice', voice_config: sms.sms_config };
const numberOf = (n: number): string => `+65913${String(n).padStart(5, '0')}`;
const notFound: [number, number] = [400, 4001];
const unknown: [number, number] = [404, 4001];
const providerBody = (n: number) => ({
  id: `carrier-${n}`,
  adapter: 'sms-vonage',
  title: 'Carrier',
  settings: { api_key: 'abcd1234', api_secret: 'secret', from: 'Acme', api_url: 'https://127.0.0.1' },
});
const routeBody = (n: number) => ({
  channel: 'sms',
  prefix: `65${n}`,
  entries: [{ provider: 'carrier-of-routes', priority: 1, price_micros: 41_200 }],
});
const alertBody = (application_id: string) => ({
  kind: 'balance',
  application_id,
  threshold: 2,
  notify: { callback: true },
});
const listBody = (n: number) => ({ kind: 'block', type: 'number', value: numberOf(n), reason: 'fraud' });
const allowance = (application_id: string) => ({
  application_id,
  target: '+6591399999',
  seconds: 60,
  reason: 'support',
});
const badBody = {
  body: { to: 5, template_id: 5, message_id: 5, channel: 5, language: 5, name: 5, channels: 5, url: 5 },
};

const rows: Record<string, Row> = {
  sendOtp: {
    permission: 'send',
    invalid: badBody,
    body: (n) => ({ to: numberOf(n), template: { id: 'mine' } }),
    foreign: notFound,
  },
  sendCustomCode: {
    permission: 'send',
    invalid: badBody,
    body: (n) => ({ to: numberOf(n), code: '4829', template: { id: 'mine' } }),
    foreign: notFound,
  },
  sendCustomMessage: {
    permission: 'send',
    invalid: badBody,
    body: (n) => ({ to: numberOf(n), template: { id: 'mine', params: { code: '4829' } } }),
    foreign: notFound,
  },
  verifyOtp: { permission: 'verify', invalid: badBody, foreign: notFound },
  getMessage: { permission: 'read', foreign: notFound },
  listMessages: { permission: 'read', invalid: { path: '/v1/messages?limit=0' } },
  listEvents: { permission: 'read', invalid: { path: '/v1/events?limit=0' } },
  getInsights: { permission: 'read', invalid: { path: '/v1/insights?group_by=planet' } },
  resendOtp: { permission: 'send', invalid: badBody, body: () => ({}), foreign: notFound },
  nextChannel: { permission: 'send', body: () => ({}), foreign: notFound },
  cancelMessage: { permission: 'send', body: () => ({}), foreign: notFound },
  createTemplate: { permission: 'templates', invalid: badBody, body: (n) => ({ template_id: `made_${n}`, ...sms }) },
  listTemplates: { permission: 'any' },
  getTemplate: { permission: 'any', foreign: notFound },
  updateTemplate: { permission: 'templates', invalid: badBody, body: () => chain, foreign: notFound },
  deleteTemplate: { permission: 'templates', foreign: notFound },
  previewTemplate: { permission: 'templates', invalid: badBody, body: () => ({ language: 'es' }), foreign: notFound },
  listSandboxMessages: { permission: 'read', query: '?to=%2B6591300000', invalid: { path: '/v1/sandbox/messages' } },
  setSandboxWebhook: { permission: 'any', invalid: badBody, body: () => ({ url: null }), refused: [403, 2004] },
  getSandboxRecipient: { permission: 'read', invalid: { path: '/v1/sandbox/recipients/a@b' } },
  setSandboxRecipient: { permission: 'send', invalid: badBody, body: () => ({ channels: { sms: { lost: true } } }) },
  deleteSandboxRecipient: { permission: 'send', invalid: { path: '/v1/sandbox/recipients/a@b' } },
  createSession: { invalid: badBody, body: () => ({ token: operatorToken }) },
  // The operator token is no session.
  deleteSession: { refused: [404, 4001] },
  createOrganization: { invalid: badBody, body: () => ({ name: 'Acme' }) },
  listOrganizations: { invalid: { path: '/admin/v1/organizations?limit=x' } },
  getOrganization: { foreign: unknown },
  updateOrganization: { invalid: badBody, body: () => ({ name: 'Acme again' }), foreign: unknown },
  createApplication: { invalid: badBody, body: () => ({ name: 'Shop' }), foreign: unknown },
  listApplications: { foreign: unknown },
  getApplication: { foreign: unknown },
  updateApplication: { invalid: badBody, body: () => ({ name: 'Shop' }), foreign: unknown },
  getPolicy: { foreign: unknown },
  getGuessProbability: { foreign: unknown },
  replacePolicy: {
    invalid: { body: { max_attempts: 99 } },
    body: () => ({ template_review: 'auto', request_rate: 100_000 }),
    foreign: unknown,
  },
  changePolicy: { invalid: { body: { max_attempts: 99 } }, body: () => ({ max_attempts: 5 }), foreign: unknown },
  createApiKey: { invalid: { body: { permissions: [] } }, body: () => ({ description: 'CI' }), foreign: unknown },
  listApiKeys: { foreign: unknown },
  createSandboxKey: { invalid: badBody, body: () => ({}), foreign: unknown },
  getApiKey: { foreign: unknown },
  updateApiKey: { invalid: { body: { enabled: 'yes' } }, body: () => ({ description: 'CI' }), foreign: unknown },
  rotateApiKeySecret: { foreign: unknown },
  deleteApiKey: { foreign: unknown },
  listTemplatesForReview: { invalid: { path: '/admin/v1/templates?status=odd' } },
  reviewTemplate: { invalid: badBody, body: () => ({ approved: true }), foreign: unknown },
  listOptOuts: { invalid: { path: '/admin/v1/applications/1/opt-outs?limit=0' }, foreign: unknown },
  addOptOut: { invalid: badBody, body: (n) => ({ target: numberOf(n) }), foreign: unknown },
  getOptOut: { foreign: unknown },
  removeOptOut: { foreign: unknown },
  createListEntry: { invalid: badBody, body: (n) => listBody(90_000 + n) },
  allowTarget: { invalid: badBody },
  listListEntries: { invalid: { path: '/admin/v1/lists?kind=odd' } },
  getListEntry: { foreign: unknown },
  deleteListEntry: { foreign: unknown },
  listAdapters: {},
  createProvider: { invalid: badBody, body: (n) => providerBody(n) },
  listProviders: {},
  getProvider: { foreign: unknown },
  updateProvider: { invalid: { body: { title: 5 } }, body: () => ({ title: 'Carrier again' }), foreign: unknown },
  deleteProvider: { foreign: unknown },
  testProvider: { invalid: badBody, body: (n) => ({ to: numberOf(n) }), foreign: unknown },
  syncTemplates: { refused: [400, 3002], foreign: unknown },
  getProviderHealth: { foreign: unknown },
  listProviderHealth: {},
  drainProvider: { invalid: { body: { seconds: 'long' } }, body: () => ({ seconds: 60 }), foreign: unknown },
  resetProviderCircuit: { foreign: unknown },
  createRoute: { invalid: badBody, body: (n) => routeBody(n) },
  listRoutes: {},
  getRoute: { foreign: unknown },
  updateRoute: { invalid: { body: { note: 5 } }, body: () => ({ note: 'again' }), foreign: unknown },
  deleteRoute: { foreign: unknown },
  resolveRoute: { invalid: badBody, body: (n) => ({ channel: 'sms', to: numberOf(n) }) },
  createCallbackEndpoint: { invalid: badBody, body: () => ({ url: 'https://localhost/hook' }), foreign: unknown },
  listCallbackEndpoints: { foreign: unknown },
  getCallbackEndpoint: { foreign: unknown },
  updateCallbackEndpoint: { invalid: badBody, body: () => ({ description: 'again' }), foreign: unknown },
  deleteCallbackEndpoint: { foreign: unknown },
  probeCallbackEndpoint: { foreign: unknown },
  sendTestEvent: { invalid: { body: { event: 'nothing' } }, body: () => ({ event: 'sent' }), foreign: unknown },
  rotateCallbackSecret: { foreign: unknown },
  listCallbackDeliveries: { query: '?state=given_up', foreign: unknown },
  listCallbackAttempts: { query: '?outcome=retry', foreign: unknown },
  replayCallbacks: { invalid: { body: {} }, body: () => ({ message_id: '2072832692843466759' }), foreign: unknown },
  createAlertRule: { invalid: { body: { kind: 'odd' } } },
  listAlertRules: { invalid: { path: '/admin/v1/alert-rules?limit=0' } },
  getAlertRule: { foreign: unknown },
  updateAlertRule: { invalid: { body: { threshold: 'x' } }, body: () => ({ threshold: 5 }), foreign: unknown },
  deleteAlertRule: { foreign: unknown },
  testAlertRule: { foreign: unknown },
  listAlerts: { invalid: { path: '/admin/v1/alerts?kind=odd' } },
  listFraudFacts: {},
  getFraudRules: { foreign: unknown },
  replaceFraudRules: { invalid: { body: { rules: 5 } }, body: () => ({ rules: [] }), foreign: unknown },
  resetFraudRules: { foreign: unknown },
  listFraudRuleVersions: { foreign: unknown },
  getFraudReport: { foreign: unknown },
  backTestFraudRules: { invalid: { body: { days: 31 } }, body: () => ({ days: 1 }), foreign: unknown },
  listFraudBlocks: { invalid: { path: '/admin/v1/fraud-blocks?active=odd' } },
  liftFraudBlock: { body: () => ({}), foreign: unknown },
  getHealth: {},
  getReadiness: {},
  getOpenApi: {},
};

onEachApp('every operation', (get) => {
  let document: Description;
  let operations: Described[] = [];
  let mine: OtherApplication;
  let theirs: OtherApplication;
  let organization = '';
  let endpoint = '';
  let count = 0;

  before(async () => {
    const { app, makeApplication, operator } = get();
    document = app.frontDoor.openapi() as Description;
    operations = describedOperations(document);
    mine = await makeApplication({ policy: { template_review: 'auto', request_rate: 100_000 } });
    theirs = await makeApplication({ policy: { template_review: 'auto', request_rate: 100_000 } });
    organization = (await operator({ path: `/admin/v1/applications/${mine.id}` })).body.organization_id;
    endpoint = await makeEndpoint();
    await operator({ path: '/admin/v1/providers', body: { ...providerBody(0), id: 'carrier-of-routes' } });
    await get().call({ path: '/v1/template-configs', body: { template_id: 'mine', ...chain }, ...mine });
  });

  const ask = (operation: Described, { credential }: { credential: string }, request: TestCall): Promise<TestReply> => {
    if (operation.auth === 'operator') return get().operator({ method: operation.method, ...request });
    return get().call({
      method: operation.method,
      ...request,
      credential: operation.auth === 'none' ? null : credential,
    });
  };

  async function makeEndpoint(): Promise<string> {
    const path = `/admin/v1/applications/${mine.id}/callback-endpoints`;
    return (await get().operator({ path, body: { url: 'https://localhost/hook' } })).body.id;
  }

  async function makeBlock(): Promise<string> {
    const [row] = await get().database.db.query<{ id: string }>(sql`
      insert into fraud_blocks (application_id, kind, subject, source, level, channels, reasons, until)
      values (${mine.id}, 'prefix', ${`659${count++}`}, 'automatic', 1, '{sms}', '{"because":"pumped"}', clock_now() + interval '1 hour')
      returning id`);
    return row?.id ?? '';
  }

  /** Objects of my application for one request: a fresh message or template where the request may use it up. */
  async function objects(id: string): Promise<Record<string, string>> {
    const { call, makeKey, operator } = get();
    const values = {
      organization_id: organization,
      application_id: mine.id,
      template_id: 'mine',
      key_id: mine.keyId,
      endpoint_id: endpoint,
      to: numberOf(0),
    };
    if (id === 'deleteCallbackEndpoint') return { ...values, endpoint_id: await makeEndpoint() };
    if (id === 'deleteTemplate') {
      const template_id = `gone_${count++}`;
      await call({ path: '/v1/template-configs', body: { template_id, ...sms }, ...mine });
      return { ...values, template_id };
    }
    if (['getOptOut', 'removeOptOut'].includes(id)) {
      const target = numberOf(count++);
      await operator({ path: `/admin/v1/applications/${mine.id}/opt-outs`, body: { target } });
      return { ...values, target };
    }
    if (/Provider/.test(id) || id === 'syncTemplates') {
      const made = await operator({ path: '/admin/v1/providers', body: providerBody(count++) });
      return { ...values, provider_id: made.body.id };
    }
    if (['getListEntry', 'deleteListEntry'].includes(id)) {
      const made = await operator({ path: '/admin/v1/lists', body: listBody(90_000 + count++) });
      return { ...values, entry_id: made.body.id };
    }
    if (id === 'liftFraudBlock') return { ...values, block_id: await makeBlock() };
    if (/AlertRule$/.test(id)) {
      const made = await operator({ path: '/admin/v1/alert-rules', body: alertBody(mine.id) });
      return { ...values, rule_id: made.body.id };
    }
    if (/^(get|update|delete)Route$/.test(id)) {
      const made = await operator({ path: '/admin/v1/routes', body: routeBody(count++) });
      return { ...values, route_id: made.body.id };
    }
    if (['deleteApiKey', 'rotateApiKeySecret'].includes(id))
      return { ...values, key_id: (await makeKey(mine.id)).keyId };
    if (!['getMessage', 'resendOtp', 'nextChannel', 'cancelMessage', 'verifyOtp'].includes(id)) return values;
    const sent = await call({
      path: '/v1/messages',
      body: { to: numberOf(count++), template: { id: 'mine' } },
      ...mine,
    });
    assert.equal(sent.status, 200, JSON.stringify(sent.body));
    await get().app.delivery.runUntilIdle();
    if (id === 'resendOtp') await get().database.clock.travel(31_000);
    return { ...values, message_id: sent.body.message_id };
  }

  const good = async (operation: Described): Promise<TestCall> => {
    const row = rows[operation.id] ?? {};
    const values = await objects(operation.id);
    const verify = { message_id: values['message_id'], verify_code: 'wrong' };
    const own: Record<string, unknown> = {
      verifyOtp: verify,
      createAlertRule: alertBody(mine.id),
      allowTarget: allowance(mine.id),
    };
    const body = own[operation.id] ?? row.body?.(count++);
    return { path: pathOf(operation, values) + (row.query ?? ''), ...(body !== undefined && { body }) };
  };

  const isError = (reply: TestReply, expected: readonly [number, number], told: string): void => {
    assert.deepEqual([reply.status, reply.body?.code], expected, `${told}: ${JSON.stringify(reply.body)}`);
    assert.deepEqual(schemaFaults({ $ref: '#/components/schemas/Error' }, reply.body, document), [], told);
  };

  test('has a row in the table', () => {
    assert.deepEqual(operations.map(({ id }) => id).sort(), Object.keys(rows).sort());
  });

  test('works, and answers as described', async () => {
    for (const operation of operations) {
      const reply = await ask(operation, mine, await good(operation));
      const { refused } = rows[operation.id] ?? {};
      if (refused) {
        isError(reply, refused, operation.id);
        continue;
      }
      assert.equal(reply.status, 200, `${operation.id}: ${JSON.stringify(reply.body)}`);
      const schema = operation.responses['200']?.content['application/json']?.schema ?? {};
      assert.deepEqual(schemaFaults(schema, reply.body, document), [], operation.id);
      assert.match(String(reply.headers['x-request-id']), /^req_/);
      assert.equal(reply.headers['ratelimit-policy'], operation.auth === 'key' ? '"key";q=100000;w=60' : undefined);
    }
  });

  test('refuses what is invalid, and nothing happens', async () => {
    for (const operation of operations) {
      const { invalid } = rows[operation.id] ?? {};
      if (!invalid) continue;
      const request = { path: pathOf(operation, await objects(operation.id)), ...invalid };
      const reply = await get().expectNothingHappened(() => ask(operation, mine, request));
      isError(reply, [400, 3002], operation.id);
    }
  });

  test('refuses who brings no credential or that of the other side, and nothing happens', async () => {
    for (const operation of operations.filter(({ auth }) => auth !== 'none')) {
      const request = { method: operation.method, ...(await good(operation)) };
      const { call, operator, expectNothingHappened } = get();
      isError(await expectNothingHappened(() => call({ ...request, credential: null })), [401, 2001], operation.id);
      const other = operation.auth === 'operator' ? () => call({ ...request, ...mine }) : () => operator(request);
      const reply = await expectNothingHappened(other);
      isError(reply, [401, 2001], operation.id);
      const scheme = operation.auth === 'operator' ? 'Bearer realm="operator"' : 'Basic realm="otp"';
      assert.equal(reply.headers['www-authenticate'], scheme);
    }
  });

  test('takes a key with its permission and no other', async () => {
    const keys = new Map<string, { credential: string }>();
    for (const permission of ['send', 'verify', 'templates', 'read'])
      keys.set(permission, await get().makeKey(mine.id, { permissions: [permission] }));
    for (const operation of operations.filter(({ auth }) => auth === 'key')) {
      const { permission, refused } = rows[operation.id] ?? {};
      for (const [name, key] of keys) {
        const request = await good(operation);
        if (permission === 'any' || name === permission) {
          const reply = await ask(operation, key, request);
          assert.equal(reply.status, refused?.[0] ?? 200, `${operation.id} by ${name}: ${JSON.stringify(reply.body)}`);
        } else {
          const reply = await get().expectNothingHappened(() => ask(operation, key, request));
          isError(reply, [403, 2004], `${operation.id} by ${name}`);
          assert.ok(reply.headers['ratelimit'], 'every authenticated answer tells what is left');
        }
      }
    }
  });

  test('knows no object of somebody else', async () => {
    for (const operation of operations) {
      const { foreign } = rows[operation.id] ?? {};
      if (!foreign) continue;
      const request = await good(operation);
      const nobody = {
        organization_id: '1',
        application_id: '1',
        key_id: '1',
        template_id: 'mine',
        target: numberOf(0),
        provider_id: 'nobody',
        route_id: '999999999',
        endpoint_id: endpoint,
        rule_id: '999999999',
        entry_id: '999999999',
        block_id: '999999999',
      };
      const elsewhere = operation.auth === 'operator' ? { ...request, path: pathOf(operation, nobody) } : request;
      const reply = await get().expectNothingHappened(() => ask(operation, theirs, elsewhere));
      isError(reply, foreign, operation.id);
    }
    const listed = await get().call({ path: '/v1/messages', ...theirs });
    const templates = await get().call({ path: '/v1/template-configs', ...theirs });
    const handset = await get().call({ path: `/v1/sandbox/messages?to=${encodeURIComponent(numberOf(0))}`, ...theirs });
    assert.deepEqual([listed.body.messages, templates.body, handset.body.messages], [[], [], []]);
  });
});
