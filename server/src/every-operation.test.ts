/**
 * One table over all operations: works, invalid, without a credential, without the permission, somebody else's object. An
 * operation that is described and has no row here fails the first test.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { sql } from './platform/sql.ts';
import { permissionNames } from './policy.ts';
import { type OtherApplication, onEachApp, type TestCall, type TestReply } from './testing/app.ts';
import { type Described, type Description, describedOperations, pathOf } from './testing/description.ts';
import { schemaFaults } from './testing/json-schema.ts';
import {
  alertBody,
  allowance,
  budgetBody,
  chain,
  listBody,
  numberOf,
  priceBody,
  providerBody,
  routeBody,
  rows,
  sms,
} from './testing/operation-rows.ts';

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

  async function makeApproval(): Promise<string> {
    const { keyId } = await get().makeKey(mine.id, { kind: 'agent', agent: { mode: 'live' } });
    const operation = { operation: 'sendOtp', templateId: 'mine', requestId: null };
    const about = { recipient: '+65••••••44', recipients: 1, channels: [], currency: 'USD', client: null };
    await get().app.accounts.askApproval({ keyId, ...operation, ...about });
    const { approvals } = (await get().operator({ path: '/admin/v1/approvals?limit=1' })).body;
    return approvals[0].id;
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
    if (/PreSend/.test(id)) {
      const path = `/admin/v1/applications/${mine.id}/pre-send-hook`;
      await operator({ method: 'PUT', path, body: { url: 'https://localhost/ask' } });
    }
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
    if (/AgentKey$/.test(id)) return { ...values, approval_id: await makeApproval() };
    if (id === 'liftFraudBlock') return { ...values, block_id: await makeBlock() };
    if (id === 'deletePrice') {
      const made = await operator({ path: '/admin/v1/prices', body: priceBody(count++) });
      return { ...values, price_id: made.body.id };
    }
    if (/^(get|update|delete)Budget$/.test(id)) {
      const made = await operator({ path: `/admin/v1/applications/${mine.id}/budgets`, body: budgetBody });
      return { ...values, budget_id: made.body.id };
    }
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
      replayCallback: { endpoint_id: endpoint, since: '2026-01-01T00:00:00Z' },
    };
    const body = own[operation.id] ?? row.body?.(count++);
    const query = operation.id === 'listRefusalsOfApplication' ? `?application_id=${mine.id}` : (row.query ?? '');
    return { path: pathOf(operation, values) + query, ...(body !== undefined && { body }) };
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
    for (const permission of permissionNames)
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
        price_id: '999999999',
        block_id: '999999999',
        approval_id: '999999999',
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
