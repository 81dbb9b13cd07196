import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import type { Caller, Operation } from '../http/operation.ts';
import type { Application } from '../policy.ts';
import { onEachEngine, openTestDatabase } from '../testing/database.ts';
import { autoApproving, newApplication, noticeBody, open, ownSmsBody, refused, smsBody, wholeBody } from './fixture.ts';
import type { Templates } from './index.ts';

const callerOf = (application: Application): Caller => ({
  keyId: '1',
  devKey: 'dk_demo',
  permissions: new Set(['templates']),
  application,
  agent: null,
  limits: [],
});

interface Input {
  params?: unknown;
  query?: unknown;
  body?: unknown;
}

const find = (templates: Templates, id: string): Operation => {
  const operation = [...templates.operations, ...templates.adminOperations].find(({ spec }) => spec.id === id);
  assert.ok(operation, id);
  return operation;
};

/** As the front door does it: input through the schemas, answer through JSON and the output schema. */
async function operate(templates: Templates, id: string, application: Application | null, input: Input = {}) {
  const { spec, handle } = find(templates, id);
  const parse = (schema: z.ZodType | undefined, value: unknown): unknown => schema?.parse(value ?? {}) ?? {};
  const answer = await handle({
    params: parse(spec.input.params, input.params),
    query: parse(spec.input.query, input.query),
    body: parse(spec.input.body, input.body),
    requestId: 'req_1',
    ip: '192.0.2.1',
    signal: new AbortController().signal,
    header: () => undefined,
    idempotency: null,
    ...(application && { caller: callerOf(application) }),
  });
  const wire: unknown = JSON.parse(JSON.stringify(answer));
  assert.deepEqual(spec.output.parse(wire), wire);
  return wire;
}

const times = { created_time: 0, updated_time: 0 };
const timeless = (answer: unknown): unknown => {
  const { created_time, updated_time } = z
    .looseObject({ created_time: z.int().min(1_600_000_000), updated_time: z.int() })
    .parse(answer);
  assert.ok(updated_time >= created_time);
  return { ...z.looseObject({}).parse(answer), ...times };
};

onEachEngine('template operations', (get) => {
  const byId = { template_id: 'signin_demo' };

  test('create, read, list, update and delete answer in the shapes of the contract', async () => {
    const templates = open(get().db);
    const application = newApplication();
    const body = wholeBody({
      description: 'Sign-in',
      send_channel_strategy: 'whatsapp|sms',
      pwa_config: { pwa_platform: 'x' },
      resend: { max_sends: 3 },
      sms_config: {
        template_type: 2,
        template_custom_config: { custom_sub_type: 'authentication', custom_content: '{{code}} opens {{brand_name}}' },
      },
    });
    const done = { code: 0, message: 'success' };
    assert.deepEqual(await operate(templates, 'createTemplate', application, { body }), {
      ...done,
      template_id: 'signin_demo',
      revision: 1,
      status: 1,
      warnings: [],
    });
    const facts = { ...times, status: 1, audit_remark: '', revision: 1, live_revision: null };
    const { voice_config: _, email_config: __, ...kept } = body;
    const detail = { ...kept, sms_config: { ...body.sms_config, template_parts: 1 }, ...facts };
    assert.deepEqual(timeless(await operate(templates, 'getTemplate', application, { params: byId })), detail);
    const list = z.array(z.unknown()).parse(await operate(templates, 'listTemplates', application));
    const { fallback_wait_seconds: ___, resend: ____, ...head } = kept;
    assert.deepEqual(list.map(timeless), [
      {
        ...head,
        whatsapp_config: { template_type: 1 },
        sms_config: { template_type: 2, template_parts: 1 },
        ...facts,
      },
    ]);
    const update = { ...noticeBody('see www.acme.example'), template_id: undefined, withdraw: true };
    const updated = await operate(templates, 'updateTemplate', application, {
      params: byId,
      body: JSON.parse(JSON.stringify(update)),
    });
    assert.deepEqual(updated, {
      ...done,
      template_id: 'signin_demo',
      revision: 2,
      status: 1,
      warnings: [
        {
          code: 'url_in_text',
          level: 'warning',
          channel: 'sms',
          language: null,
          message: 'a link in a text message is often filtered',
        },
      ],
    });
    assert.deepEqual(await operate(templates, 'deleteTemplate', application, { params: byId }), done);
    assert.deepEqual(await operate(templates, 'listTemplates', application), []);
  });

  test('what was read can be saved again', async () => {
    const templates = open(get().db);
    const application = newApplication();
    await operate(templates, 'createTemplate', application, { body: wholeBody({ fallback_wait_seconds: { sms: 9 } }) });
    const read = await operate(templates, 'getTemplate', application, { params: byId });
    await operate(templates, 'updateTemplate', application, { params: byId, body: read });
    const { body } = await templates.get(application.id, 'signin_demo');
    assert.deepEqual(body, wholeBody({ fallback_wait_seconds: { sms: 9 } }));
  });

  test('a registered text is kept as it was given, sent by its ids, and reported where it differs', async () => {
    const templates = open(get().db);
    const application = autoApproving();
    const dlt = { entity_id: '0101234567890123456', template_id: '1107', text: '{#var#} is for {#var#}.' };
    const content = { custom_sub_type: 'authentication' as const, custom_content: '{{code}} is for {{who}}.' };
    const bodyWith = (custom_content: string) =>
      ownSmsBody('', {
        sms_config: { template_type: 2, template_custom_config: { ...content, custom_content }, dlt },
      });
    await operate(templates, 'createTemplate', application, { body: bodyWith(content.custom_content) });
    const read = z
      .looseObject({ sms_config: z.looseObject({ dlt: z.unknown() }) })
      .parse(await operate(templates, 'getTemplate', application, { params: byId }));
    assert.deepEqual(read.sms_config.dlt, dlt);
    const found = await templates.findForSend(application.id, 'signin_demo');
    assert.ok(found.kind === 'ok');
    const asked = { language: 'en', params: { who: 'you' }, code: '482913', ttlSeconds: 300, applicationName: 'Shop' };
    assert.deepEqual(templates.render(found.template, 'sms', asked).dlt, {
      entityId: dlt.entity_id,
      templateId: '1107',
    });
    const codes = async (who: string): Promise<string[]> => {
      const preview = await templates.preview(application, 'signin_demo', { language: 'en', params: { who } });
      return preview.warnings.map(({ code }) => code);
    };
    assert.deepEqual(await codes('x'.repeat(30)), []);
    assert.deepEqual(await codes('x'.repeat(31)), ['dlt_mismatch']);
    const update = { params: byId, body: bodyWith('{{code}} is for {{who}}!') };
    await refused(
      operate(templates, 'updateTemplate', application, update),
      3003,
      'lint_error',
      'lint: dlt_mismatch: character 22 of the text is "!" (U+0021), character 23 of dlt.text is "." (U+002E)',
    );
    assert.equal((await templates.get(application.id, 'signin_demo')).revision, 1);
  });

  test('a preview needs no body', async () => {
    const templates = open(get().db);
    const application = newApplication();
    await operate(templates, 'createTemplate', application, { body: smsBody() });
    const preview = z
      .looseObject({ renderings: z.array(z.unknown()) })
      .parse(await operate(templates, 'previewTemplate', application, { params: byId }));
    assert.equal(preview.renderings.length, 7);
  });

  test('the public sandbox credential reads and previews templates but never writes one', async () => {
    const templates = open(get().db);
    const application: Application = { ...autoApproving(), sandbox: 'public' };
    await templates.seed(application.id, [smsBody()]);
    const input = { params: byId, body: smsBody() };
    for (const id of ['createTemplate', 'updateTemplate', 'deleteTemplate'])
      await refused(operate(templates, id, application, input), 2004, undefined, 'no permission for this API');
    await operate(templates, 'getTemplate', application, { params: byId });
    await operate(templates, 'previewTemplate', application, { params: byId });
    assert.equal((await templates.list(application.id)).length, 1);
  });

  test('an operator sees what waits and decides', async () => {
    const templates = open(get().db);
    const application = newApplication();
    await templates.save(application, smsBody());
    const params = { application_id: application.id, template_id: 'signin_demo' };
    const waiting = async (query: object): Promise<unknown[]> =>
      z
        .looseObject({ templates: z.array(z.looseObject({ application_id: z.string() })) })
        .parse(await operate(templates, 'listTemplatesForReview', null, { query }))
        .templates.filter(({ application_id }) => application_id === application.id);
    assert.equal((await waiting({})).length, 1);
    assert.equal((await waiting({ status: 'approved', limit: '5' })).length, 0);
    const verdict = { params, body: { approved: false, remark: 'Why?' } };
    assert.deepEqual(await operate(templates, 'reviewTemplate', null, verdict), {
      ...params,
      revision: 1,
      status: 3,
      live_revision: null,
    });
    assert.equal((await waiting({})).length, 0);
    assert.equal((await waiting({ status: 'rejected' })).length, 1);
  });
});

test('every operation is described: examples fit its schemas, its schemas can be published', async (t) => {
  const database = await openTestDatabase('pglite');
  t.after(() => database.close());
  const templates = open(database.db);
  const all = [...templates.operations, ...templates.adminOperations];
  assert.deepEqual(
    all.map(({ spec }) => [spec.id, spec.auth, spec.permission, spec.agent !== undefined]),
    [
      ['createTemplate', 'key', 'templates', true],
      ['listTemplates', 'key', 'any', true],
      ['getTemplate', 'key', 'any', true],
      ['updateTemplate', 'key', 'templates', false],
      ['deleteTemplate', 'key', 'templates', false],
      ['previewTemplate', 'key', 'templates', true],
      ['listTemplatesForReview', 'operator', undefined, false],
      ['reviewTemplate', 'operator', undefined, false],
    ],
  );
  for (const { spec } of all) {
    assert.ok(spec.examples && spec.examples.length > 0, spec.id);
    for (const { body, output } of spec.examples) {
      assert.deepEqual(spec.output.parse(output), output);
      if (spec.input.body) assert.deepEqual(spec.input.body.parse(body), body);
    }
    z.toJSONSchema(spec.output, { io: 'output' });
    for (const schema of [spec.input.params, spec.input.query, spec.input.body])
      if (schema) assert.equal(z.toJSONSchema(schema, { io: 'input' }).type, 'object');
  }
});
