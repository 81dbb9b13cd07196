/**
 * For any request drawn from the description, lawful or broken: no 5xx, a success that fits its declared schema, or an error of
 * the table under a status that the operation declares. A run is repeated with SEED.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { errorTable } from './errors.ts';
import { onEachApp, type TestReply } from './testing/app.ts';
import { type Described, type Description, describedOperations } from './testing/description.ts';
import { schemaFaults } from './testing/json-schema.ts';
import { requestTo } from './testing/requests.ts';

const seed = Number(process.env['SEED'] || Math.floor(Math.random() * 2 ** 31));
const runs = 1_500;

onEachApp('any request', (get) => {
  test('is answered as described', async (t) => {
    t.diagnostic(`seed ${seed}`);
    const { app, call, operator, makeApplication, makeKey, sendCode } = get();
    const document = app.frontDoor.openapi() as Description;
    const operations = describedOperations(document);
    const byId = new Map(operations.map((operation) => [operation.id, operation]));
    const { id, credential } = await makeApplication({ policy: { template_review: 'auto', request_rate: 1_000_000 } });
    const { organization_id } = (await operator({ path: `/admin/v1/applications/${id}` })).body;
    const template = {
      template_id: 'login',
      send_channel_strategy: 'sms',
      verify_code_config: { verify_code_type: 1, verify_code_len: 6, verify_code_ttl: 5 },
      sms_config: { template_type: 1, template_default_config: {} },
    };
    await call({ path: '/v1/template-configs', body: template, credential });
    const spare = await makeApplication();
    const { keyId } = await makeKey(spare.id);
    const { messageId } = await sendCode('+6598120044');
    const ids = [messageId];
    const message = fc.nat().map((n) => ids[n % ids.length] ?? messageId);
    const known = {
      message_id: message,
      after: message,
      cursor: message,
      organization_id: fc.constant(organization_id),
      application_id: fc.constant(spare.id),
      key_id: fc.constant(keyId),
      template_id: fc.constantFrom('login', 'second', 'third', 'sample'),
      id: fc.constantFrom('login', 'second', 'third'),
      to: fc.constantFrom(
        '+6591234567',
        '+6591234568',
        '+6598120044',
        '+10000000004',
        'ana@example.com',
        '+8613800138000',
      ),
      send_channel_strategy: fc.constantFrom('sms', 'whatsapp|sms', 'email', 'voice', 'sms|sms', ''),
      // A silent upstream is waited for ten seconds, a long poll thirty.
      hand_over: fc.constantFrom('accept', 'refuse', 'refuse_temporarily'),
      wait: fc.constantFrom('0', '-1', 'x', '31'),
    };
    const counts = new Map<number, number>();
    const property = fc.asyncProperty(requestTo(operations, known), async ({ id: operationId, ...request }) => {
      const operation = byId.get(operationId);
      assert.ok(operation);
      const ask = operation.auth === 'operator' ? operator : call;
      const reply = await ask({ ...request, ...(operation.auth === 'key' && { credential }) });
      counts.set(reply.status, (counts.get(reply.status) ?? 0) + 1);
      if (reply.status === 200 && operation.path === '/v1/messages' && reply.body.message_id)
        ids.push(reply.body.message_id);
      assert.deepEqual(faultsOf(operation, reply, document), [], JSON.stringify(request));
    });
    await fc.assert(property, { seed, numRuns: runs, endOnFailure: true });
    t.diagnostic([...counts].map(([status, count]) => `${status}: ${count}`).join(', '));
    assert.ok((counts.get(200) ?? 0) > runs / 5, 'too few requests were lawful');
    assert.ok((counts.get(400) ?? 0) > runs / 10, 'too few requests were broken');
    await get().settle();
  });
});

function faultsOf({ id, responses }: Described, reply: TestReply, document: Description): string[] {
  const { status, body, headers } = reply;
  if (status >= 500) return [`${id} answered ${status}`];
  const declared = responses[String(status)]?.content[String(headers['content-type']).split(';')[0] ?? ''];
  if (!declared) return [`${id} does not declare ${status}: ${JSON.stringify(body)}`];
  const faults = schemaFaults(declared.schema, body, document);
  if (status === 200) return faults;
  const entry: { status: number; otherStatuses?: readonly number[] } | undefined =
    errorTable[body.code as keyof typeof errorTable];
  const lawful = entry && [entry.status, ...(entry.otherStatuses ?? [])].includes(status);
  const form = body.code === 3002 && status === 400 && !/^.+: .+/s.test(body.message) ? ['no <field>: <problem>'] : [];
  return [...faults, ...form, ...(lawful ? [] : [`${status} with ${body.code}`])];
}
