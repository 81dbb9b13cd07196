/** What a refusal tells a model to do is true, whatever was refused, and in the words of the tool. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Client } from '@modelcontextprotocol/client';
import { reasons } from '../errors.ts';
import { permissionNames } from '../policy.ts';
import { onEachApp } from '../testing/app.ts';
import { type AgentKey, done, makeSandboxKey, newKey, openClient, refused } from './fixture.ts';
import { refusalOf } from './refusal.ts';

const template_id = 'sandbox-otp-tpl';
const sms_config = { template_type: 1, template_default_config: { contain_security: true, contain_expire: true } };
const template = {
  template_id: 'refused',
  send_channel_strategy: 'sms',
  brand_name: 'Acme',
  verify_code_config: { verify_code_type: 1, verify_code_len: 6, verify_code_ttl: 5 },
  sms_config,
};

onEachApp('what to do after a refusal', (get) => {
  let key: AgentKey;
  let client: Client;
  before(async () => {
    get().database.clock.freeze();
    key = await makeSandboxKey(get(), { kind: 'agent', permissions: [...permissionNames] });
    client = await openClient(get(), key.credential);
  });
  after(() => client.close());
  const send = (to: string, more: object = {}) => ({ to, template_id, idempotency_key: newKey(), ...more });
  const after_ = async (name: string, args: object) => (await refused(client, name, args)).next_step;

  test('too many wrong codes: what is told ends with a new code, without a circle', async () => {
    const to = '+6591120001';
    const { message_id } = await done(client, 'send_otp', send(to));
    await get().live(3);
    const [{ code }] = (await done(client, 'get_test_inbox', { to })).messages;
    const wrong = code === '000000' ? '000001' : '000000';
    for (let i = 0; i < 5; i++) await done(client, 'verify_otp', { message_id, code: wrong });
    const closed = await refused(client, 'verify_otp', { message_id, code });
    assert.equal(closed.reason, 'too_many_attempts');
    assert.match(closed.next_step, /neither verify nor resend it\. .*answers 3004, wait its retry_after_s first/);
    assert.equal(await after_('resend_otp', { message_id, idempotency_key: newKey() }), closed.next_step);
    const held = await refused(client, 'send_otp', send(to));
    assert.equal(held.reason, 'code_still_valid');
    assert.match(held.next_step, /If its tries are used up, only waiting helps\./);
    const { explanation } = await done(client, 'explain_message', { message_id });
    const { expires_at } = await done(client, 'get_message', { message_id });
    assert.ok(explanation.next_step.includes(`not before ${expires_at}`), explanation.next_step);
    await get().database.clock.travel((held.retry_after_s ?? 0) * 1000);
    await done(client, 'send_otp', send(to));
  });

  test('a template that cannot be made, a send that does not fit it, a code that is not ours', async () => {
    await done(client, 'create_template', { ...template, dry_run: false });
    const { sms_config: _, ...bare } = template;
    const steps: [string, object, RegExp][] = [
      ['create_template', template, /another template_id/],
      ['create_template', { ...bare, template_id: 'bare' }, /send_channel_strategy its config/],
      ['send_otp', send('someone@example.com', { template_id: 'refused' }), /channel for this kind of address/],
      ['send_otp', send('+10000000099'), /^Wait 60 s before you send; /],
      ['get_doc', { path: '/docs/nowhere' }, /search_docs/],
      ['get_operation', { operation_id: 'send_otp' }, /operationId .* such as sendOtp/],
    ];
    for (const [name, args, step] of steps) assert.match(await after_(name, args), step);
    const { message_id } = await done(client, 'send_custom_code', send('+6591120011', { code: '048213' }));
    assert.match(await after_('verify_otp', { message_id, code: '048213' }), /the program that made it/);
  });

  test('wrong parameters are named as the tool names them', async () => {
    const time = (month: number) => `2026-${month}-01T00:00:00Z`;
    const late = await refused(client, 'get_insights', { from: time(11), to: time(10) });
    assert.deepEqual(
      [late.message, late.fields],
      ['from: must be before to', [{ field: 'from', problem: 'must be before to' }]],
    );
    const long = await refused(client, 'get_insights', { from: '2025-01-01T00:00:00Z', to: time(10) });
    assert.equal(long.message, 'from: must be at most 92 days before to');
    const language = await refused(client, 'send_otp', send('+6591120021', { language: 'klingon' }));
    assert.deepEqual([language.message.split(':')[0], language.fields?.[0]?.field], ['language', 'language']);
    const params = await refused(client, 'send_otp', send('+6591120022', { params: { name: 'a\u0007' } }));
    assert.equal(params.fields?.[0]?.field, 'params.name');
    const code = await refused(client, 'verify_otp', { message_id: '7', code: '1\u00002' });
    assert.equal(code.fields?.[0]?.field, 'code');
    const listed = await refused(client, 'list_messages', { template_id: '\u0007' });
    assert.equal(listed.fields?.[0]?.field, 'template_id');
  });
});

test('every reason has a step of its own, and whether to repeat is told as the clients for REST tell it', () => {
  for (const [reason, [code, message]] of Object.entries(reasons)) {
    const refusal = refusalOf(400, { code, message, reason, details: { retry_after: 7 } });
    assert.doesNotMatch(refusal.next_step, /Read `reason`|details\.|…/, reason);
    assert.equal(refusal.retryable, false, reason);
    assert.doesNotMatch(refusalOf(400, { code, message, reason }).next_step, /…|undefined/, reason);
  }
  assert.equal(
    refusalOf(429, { code: 3004, message: 'too many requests', details: { retry_after: 1 } }).retryable,
    true,
  );
});
