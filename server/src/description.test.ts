/**
 * /openapi.json as a client's tools read it: valid 3.1, every reference leads somewhere, every example fits its schema, every
 * operation of the contract is there. And the vendor's shapes, which clients were written against, to the letter.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { errorTable } from './errors.ts';
import { onEachApp } from './testing/app.ts';
import { type Described, type Description, describedOperations, pathOf } from './testing/description.ts';
import { resolveRef, schemaFaults } from './testing/json-schema.ts';

/** Contract §2 and §11; what later issues bring is not described before it works. */
const contract = [
  'POST /v1/messages',
  'POST /v1/codes',
  'POST /v1/verifications',
  'POST /v1/custom-messages',
  'POST /v1/template-configs',
  'GET /v1/template-configs',
  'GET /v1/template-configs/{template_id}',
  'DELETE /v1/template-configs/{template_id}',
  'PUT /v1/sandbox/webhook',
  'GET /v1/messages/{message_id}',
  'POST /v1/messages/{message_id}/resend',
  'POST /v1/messages/{message_id}/next-channel',
  'POST /v1/messages/{message_id}/cancel',
  'GET /v1/messages',
  'GET /v1/events',
  'PUT /v1/template-configs/{template_id}',
  'POST /v1/template-configs/{template_id}/preview',
  'GET /v1/sandbox/messages',
  'GET /healthz',
  'GET /readyz',
  'GET /openapi.json',
];

onEachApp('the description', (get) => {
  let document: Description;
  let operations: Described[] = [];

  before(async () => {
    const reply = await get().call({ path: '/openapi.json', credential: null });
    assert.equal(reply.status, 200);
    document = reply.body;
    operations = describedOperations(document);
  });

  test('has every operation of the contract', () => {
    const described = new Set(operations.map(({ method, path }) => `${method} ${path}`));
    assert.deepEqual(
      contract.filter((one) => !described.has(one)),
      [],
    );
  });

  test('is OpenAPI 3.1 in structure', () => {
    assert.match(document.openapi, /^3\.1\.\d+$/);
    assert.ok(document.info['title'] && document.info['version']);
    assert.deepEqual(new Set(operations.map(({ id }) => id)).size, operations.length, 'operationIds are unique');
    const tags = new Set(document.tags.map(({ name }) => name));
    for (const { object, path, method, params, id } of operations) {
      const told = `${method} ${path}`;
      assert.match(id, /^[a-z][A-Za-z0-9]+$/, told);
      assert.match(path, /^(\/([a-z0-9.-]+|\{[a-z_]+\}))+$/, told);
      const names = [...path.matchAll(/\{([a-z_]+)\}/g)].map(([, name]) => name);
      assert.deepEqual(
        params.map(({ name }) => name),
        names,
        told,
      );
      assert.ok(
        params.every(({ required }) => required),
        told,
      );
      assert.ok(
        Object.keys(object.responses).every((status) => /^[2-5]\d\d$/.test(status)),
        told,
      );
      assert.ok(object.responses['200'], told);
      for (const scheme of object.security.flatMap((one) => Object.keys(one)))
        assert.ok(scheme in document.components.securitySchemes, told);
      for (const tag of (object as unknown as { tags: string[] }).tags) assert.ok(tags.has(tag), told);
    }
  });

  test('has no reference that leads nowhere', () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref ?? '');
    assert.ok(refs.length > 100);
    for (const ref of new Set(refs)) assert.ok(resolveRef(document, ref));
  });

  test('has examples that fit their schemas, in requests, replies and errors', () => {
    let count = 0;
    for (const { id, object, responses } of operations) {
      const media = [object.requestBody, ...Object.values(responses)].flatMap((one) =>
        Object.values(one?.content ?? {}),
      );
      for (const { schema, examples } of media)
        for (const [name, { value }] of Object.entries(examples ?? {})) {
          assert.deepEqual(schemaFaults(schema, value, document), [], `${id}: ${name}`);
          count++;
        }
    }
    assert.ok(count > 200, `${count} examples`);
  });

  test('has the callbacks of every family, with examples that fit', () => {
    const { webhooks = {} } = document;
    assert.deepEqual(Object.keys(webhooks), ['messageStatus', 'notification', 'uplinkMessage', 'systemEvent']);
    for (const [name, { post }] of Object.entries(webhooks)) {
      const media = post?.requestBody?.content['application/json'];
      const examples = Object.values(media?.examples ?? {});
      assert.ok(examples.length >= 2, name);
      for (const { value } of examples) assert.deepEqual(schemaFaults(media?.schema ?? {}, value, document), [], name);
      assert.ok(schemaFaults(media?.schema ?? {}, { total: 1, rows: [{}] }, document).length > 0, name);
    }
  });

  test('names for each error status only codes of the table, each with its example', () => {
    const seen = new Set<number>();
    for (const { id, responses } of operations)
      for (const [status, { content }] of Object.entries(responses))
        for (const { value } of Object.values(content['application/json']?.examples ?? {})) {
          if (Number(status) < 400) continue;
          const { code } = value as { code: keyof typeof errorTable };
          const entry: { status: number; otherStatuses?: readonly number[] } = errorTable[code];
          assert.ok([entry.status, ...(entry.otherStatuses ?? [])].includes(Number(status)), `${id} ${status} ${code}`);
          seen.add(code);
        }
    assert.deepEqual([...seen].sort(), Object.keys(errorTable).map(Number).sort());
  });

  test('says for each operation who may call it, as the server sees it', async () => {
    for (const operation of operations.filter(({ method }) => method === 'GET')) {
      const { status } = await get().call({ path: pathOf(operation), credential: null });
      assert.equal(status === 401, operation.auth !== 'none', operation.path);
    }
  });

  test('the vendor’s replies have exactly the vendor’s shape, and additions beside it', async () => {
    const { call, sendCode, verify } = get();
    const body = {
      template_id: 'signin_demo',
      send_channel_strategy: 'sms',
      verify_code_config: { verify_code_type: 1, verify_code_len: 6, verify_code_ttl: 5 },
      sms_config: { template_type: 1, template_default_config: { contain_security: true, contain_expire: true } },
    };
    const path = '/v1/template-configs';
    const created = await call({ path, body });
    assert.deepEqual([created.body.code, created.body.message], [0, 'success']);
    const list = await call({ path });
    assert.ok(Array.isArray(list.body), 'a bare array');
    const [summary] = list.body;
    assert.deepEqual(summary.sms_config, { template_type: 1, template_parts: 2 }, 'the most parts over all languages');
    assert.ok(!('whatsapp_config' in summary) && !('voice_config' in summary) && !('email_config' in summary));
    assert.ok(Number.isInteger(summary.created_time) && summary.created_time < 1e11, 'seconds');
    assert.deepEqual([summary.status, summary.audit_remark], [2, '']);
    const one = await call({ path: `${path}/signin_demo` });
    assert.deepEqual(one.body.sms_config.template_default_config, { contain_security: true, contain_expire: true });
    const gone = await call({ path: `${path}/signin_demo`, method: 'DELETE' });
    assert.deepEqual(gone.body, { code: 0, message: 'success' });
    const missing = await call({ path: `${path}/signin_demo` });
    assert.deepEqual([missing.status, missing.body.code, missing.body.message], [400, 4001, 'config not exist']);
    const to = '+6591234567';
    const { messageId, code } = await sendCode(to);
    assert.match(messageId, /^\d{19}$/);
    const wrong = await verify(messageId, 'wrong');
    assert.deepEqual(wrong.body, {
      message_id: messageId,
      verify_code: 'wrong',
      verified: false,
      attempts_remaining: 4,
    });
    const right = await verify(messageId, code);
    assert.deepEqual(right.body, { message_id: messageId, verify_code: code, verified: true, to });
    const own = await call({ path: '/v1/codes', body: { to, code: '4829', template: { id: 'login' } } });
    assert.deepEqual(Object.keys(own.body), ['message_id', 'send_channel']);
    const custom = await call({ path: '/v1/custom-messages', body: { to, template: { id: 'welcome' } } });
    assert.deepEqual(Object.keys(custom.body), ['message_id', 'send_channel']);
    const sent = await call({ path: '/v1/messages', body: { to: '+6598120044', template: { id: 'login' } } });
    assert.deepEqual(Object.keys(sent.body), ['message_id', 'send_channel', 'expires_at']);
    assert.match(sent.body.expires_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });
});
