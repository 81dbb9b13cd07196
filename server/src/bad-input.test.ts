/**
 * Bad input, made from the published description: for every operation with a body, every field gets every wrong type, goes
 * beyond every bound, is left out, and carries what no text may carry. Always 400 with `<field>: <problem>`, never an effect.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { onEachApp, type TestReply } from './testing/app.ts';
import {
  type Described,
  type Description,
  describedOperations,
  fieldName,
  nodesOf,
  ofOtherTypes,
  outOfBounds,
  type Path,
  pathOf,
  type Schema,
  sampleOf,
  typeOf,
  withValue,
} from './testing/description.ts';

/** Neither a phone, a log line nor a database column takes these. */
const unprintable = { NUL: '\u0000', ESC: '\u001b', DEL: '\u007f', 'half a pair': '\ud800', 'other half': '\udc00' };
/** Lawful code points that have fooled programs: whatever the answer is, it is no 5xx. */
const traps = [
  '\u202e',
  '\u2066',
  '\ufeff',
  '\uffff',
  '\u0085',
  '\u2028',
  'Ａ１',
  'e\u0301',
  '\u{1f600}',
  '{{code}}',
  '$&$1',
  '%00',
  "'--",
];

onEachApp('bad input', (get) => {
  let operations: Described[] = [];
  let values: Record<string, string> = {};

  before(async () => {
    const { app, operator, applicationId } = get();
    operations = describedOperations(app.frontDoor.openapi() as Description);
    await operator({
      method: 'PATCH',
      path: `/admin/v1/applications/${applicationId}/policy`,
      body: { request_rate: 1_000_000 },
    });
    const sent = await get().call({ path: '/v1/messages', body: { to: '+6598120044', template: { id: 'login' } } });
    const application = await operator({ path: `/admin/v1/applications/${applicationId}` });
    const keys = await operator({ path: `/admin/v1/applications/${applicationId}/api-keys` });
    const endpoints = `/admin/v1/applications/${applicationId}/callback-endpoints`;
    const endpoint = await operator({ path: endpoints, body: { url: 'https://localhost/otp' } });
    values = {
      endpoint_id: endpoint.body.id,
      message_id: sent.body.message_id,
      template_id: 'login',
      application_id: applicationId,
      organization_id: application.body.organization_id,
      key_id: keys.body.api_keys[0].id,
      to: '+6591234567',
    };
    await get().settle();
  });

  const withBody = (): (Described & { body: Schema })[] =>
    operations.flatMap((one) => (one.body ? [{ ...one, body: one.body }] : []));

  /** With an Idempotency-Key the answer is stored: what cannot be stored would show. */
  function request(operation: Described, body: unknown, key?: string): Promise<TestReply> {
    const { call, operator } = get();
    const ask = operation.auth === 'operator' ? operator : call;
    const headers = key === undefined ? {} : { 'idempotency-key': key };
    return ask({ method: operation.method, path: pathOf(operation, values), body, headers });
  }

  async function refuses(operation: Described, body: unknown, field: string, problem = ''): Promise<void> {
    const reply = await request(operation, body);
    const told = `${operation.id} ${field}: ${JSON.stringify(reply.body)} to ${JSON.stringify(body)?.slice(0, 300)}`;
    const [first] = reply.body?.details?.fields ?? [];
    const holds =
      reply.status === 400 &&
      reply.body.code === 3002 &&
      reply.body.message === `${first?.field}: ${first?.problem}` &&
      reply.body.message.startsWith(`${field}: ${problem}`);
    if (!holds) throw new Error(told);
  }

  test('a field of another type is refused by its name', async () => {
    let tried = 0;
    await get().expectNothingHappened(async () => {
      for (const operation of withBody()) {
        for (const { path, schema } of nodesOf(operation.body)) {
          if (path.length === 0) continue;
          for (const value of ofOtherTypes(schema)) {
            await refuses(operation, withValue(fullBody(operation.body, path), path, value), fieldName(path), 'must ');
            tried++;
          }
        }
      }
    });
    assert.ok(tried > 1000, `${tried} tried`);
  });

  test('a value beyond its bounds is refused by its name', async () => {
    let tried = 0;
    await get().expectNothingHappened(async () => {
      for (const operation of withBody()) {
        for (const { path, schema } of nodesOf(operation.body))
          for (const value of outOfBounds(schema)) {
            await refuses(operation, withValue(fullBody(operation.body, path), path, value), fieldName(path));
            tried++;
          }
      }
    });
    assert.ok(tried > 200, `${tried} tried`);
  });

  test('a required field that is missing or null is refused by its name', async () => {
    await get().expectNothingHappened(async () => {
      for (const operation of withBody()) {
        for (const { path, required } of nodesOf(operation.body))
          if (required && path.length > 0)
            await refuses(
              operation,
              withValue(fullBody(operation.body, path), path, undefined),
              fieldName(path),
              'required',
            );
      }
    });
  });

  test('a body that is no object is refused', async () => {
    await get().expectNothingHappened(async () => {
      for (const operation of operations.filter(({ method }) => ['POST', 'PUT', 'PATCH'].includes(method)))
        for (const body of ['text', 7, true, null, [], [{}]])
          await refuses(operation, body, 'body', 'must be an object');
    });
  });

  const textFields = (): TextField[] =>
    withBody().flatMap((operation) =>
      [...nodesOf(operation.body)].flatMap(({ path, schema }) =>
        typeOf(schema) === 'string' && !schema.anyOf && !schema.enum ? [{ operation, path, schema }] : [],
      ),
    );

  test('text with control characters or half a surrogate pair is refused in every field', async () => {
    const fields = textFields();
    assert.ok(fields.length > 50, `${fields.length} fields`);
    for (const field of fields)
      await get().expectNothingHappened(async () => {
        for (const [name, bad] of Object.entries(unprintable)) {
          const { operation, path } = field;
          const reply = await request(operation, bodyWithText(field, bad), 'same key');
          const told = `${operation.id} ${fieldName(path)} with ${name}: ${reply.status} ${JSON.stringify(reply.body)}`;
          assert.equal(reply.status, 400, told);
          assert.ok([3002, 5011, 4001].includes(reply.body.code), told);
        }
      });
  });

  test('text with control characters is refused in the names of maps', async () => {
    for (const operation of withBody())
      for (const { path, schema } of nodesOf(operation.body)) {
        if (typeof schema.additionalProperties !== 'object') continue;
        const member = sampleOf(schema.additionalProperties);
        for (const bad of Object.values(unprintable)) {
          const body = withValue(sampleOf(operation.body, '', path), path, { [`a${bad}`]: member });
          const reply = await get().expectNothingHappened(() => request(operation, body));
          assert.deepEqual([reply.status, reply.body.code], [400, 3002], `${operation.id} ${fieldName(path)}`);
        }
      }
  });

  test('text that fools programs never makes a 5xx', async () => {
    let taken = 0;
    for (const field of textFields())
      for (const trap of traps) {
        const { operation, path } = field;
        const told = `${operation.id} ${fieldName(path)} ${JSON.stringify(trap)}`;
        const reply = await request(
          operation,
          bodyWithText(field, trap),
          Buffer.from(told).toString('hex').slice(-255),
        );
        assert.ok(reply.status < 500, `${told}: ${reply.status}`);
        if (reply.status === 200) taken++;
      }
    assert.ok(taken > 100, `only ${taken} were taken`);
  });

  test('a bad parameter in path or query is the contract’s error', async () => {
    const bad = [
      '\u0000',
      'a\u0000@b.co',
      '\u001b',
      '%',
      'x'.repeat(400),
      '..',
      '9'.repeat(30),
      '-1',
      '0',
      '१२',
      "'",
      '\u202e',
      '{{x}}',
      '9223372036854775808',
      '1e3',
      'null',
      '+',
      '9'.repeat(10_000),
    ];
    await get().expectNothingHappened(async () => {
      for (const operation of operations.filter(({ method, auth }) => auth !== 'none' && method !== 'DELETE'))
        for (const { name, in: place } of [...operation.params, ...operation.query])
          for (const text of bad) {
            const { call, operator } = get();
            const path =
              place === 'path'
                ? pathOf(operation, { ...values, [name]: text })
                : `${pathOf(operation, values)}?${queryOf(operation, name, text)}`;
            const ask = operation.auth === 'operator' ? operator : call;
            const reply = await ask({ method: operation.method, path, body: operation.body && {} });
            const told = `${operation.id} ${name}=${text.slice(0, 40)}: ${reply.status} ${JSON.stringify(reply.body).slice(0, 300)}`;
            assert.ok(reply.status < 500, told);
            if (reply.status !== 200) assert.ok([3002, 4001, 5011, 2004].includes(reply.body.code), told);
            // A dot segment leads to the address above, which may be an object.
            else assert.ok(place === 'query' || text === '..', told);
          }
    });
  });

  const queryOf = ({ query }: Described, name: string, text: string): string =>
    new URLSearchParams(
      Object.fromEntries(
        query
          .filter((parameter) => parameter.required || parameter.name === name)
          .map((parameter) => [
            parameter.name,
            parameter.name === name ? text : String(sampleOf(parameter.schema, parameter.name)),
          ]),
      ),
    ).toString();
});

interface TextField {
  operation: Described & { body: Schema };
  path: Path;
  schema: Schema;
}

/** Every field filled, so that the fault at `path` is the only one. */
function fullBody(body: Schema, path: Path): unknown {
  const toward = sampleOf(body, '', path) as Record<string, unknown>;
  const name = String(path[0] ?? '');
  return { ...(sampleOf(body, '', 'all') as object), ...(name in toward && { [name]: toward[name] }) };
}

let made = 0;

/** A body that would be taken if the text at `path` were; the bad part stands in the middle, so that trimming hides nothing. */
function bodyWithText({ operation, path, schema }: TextField, bad: string): unknown {
  const name = String([...path].reverse().find((part) => typeof part === 'string') ?? '');
  const text = String(sampleOf(schema, name));
  const value = `${text.slice(0, 2)}${bad}${text.slice(2)}`.slice(0, schema.maxLength ?? 1000);
  return withValue(withRules(operation, path), path, value);
}

/** What the schema does not say: the rules between fields. */
function withRules({ id, body }: TextField['operation'], path: Path): unknown {
  const sample = sampleOf(body, '', path);
  if (id === 'sendCustomMessage') return withValue(sample, ['template', 'id'], 'welcome');
  if (id !== 'createTemplate' && id !== 'updateTemplate') return sample;
  const channel = /^(\w+)_config$/.exec(String(path[0]))?.[1] ?? 'sms';
  const config = `${channel}_config`;
  const ready = withValue(sample, ['send_channel_strategy'], path[0] === 'pwa_config' ? 'sms' : channel);
  const own = path[1] === 'template_custom_config';
  const built = sampleOf(body.properties?.[config] ?? {}, '', path.slice(1)) as object;
  const code = { verify_code_type: 1, verify_code_len: 6, verify_code_ttl: 5 };
  const given = {
    ...(id === 'createTemplate' && { template_id: `sample_${made++}` }),
    verify_code_config: code,
    [config]: { ...built, ...(channel !== 'email' && { template_type: own ? 2 : 1 }), template_default_config: {} },
    ...(path[0] === 'pwa_config' && { sms_config: { template_type: 1, template_default_config: {} } }),
  };
  return { ...(ready as object), ...given, ...(path[0] === 'pwa_config' && { pwa_config: {} }) };
}
