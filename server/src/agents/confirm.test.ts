/** A person's word for each live send of an agent, with the protocol's own client; and everything a client may try instead of asking. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { CallToolResult, Client, ElicitResult, InputRequiredResult } from '@modelcontextprotocol/client';
import { sql } from '../platform/sql.ts';
import { openTestApp, type TestApp } from '../testing/app.ts';
import { bodyOf, newNumber } from '../testing/application.ts';
import { approvalsOf, approveFirst } from '../testing/approvals.ts';
import { openTestDatabase, type TestDatabase } from '../testing/database.ts';
import { openCarrier, openPayer, type Payer, PricedCarrier, smsMicros } from '../testing/payers.ts';
import { type ClientOptions, done, newKey, openClient, type Refused, refused } from './fixture.ts';

const yes: ElicitResult = { action: 'accept', content: { send: true } };

describe('a live send over MCP', () => {
  const carrier = new PricedCarrier();
  let database: TestDatabase;
  let box: TestApp;
  let address: string;
  let payer: Payer;
  let agent: { id: string; credential: string };
  const clients: Client[] = [];

  before(async () => {
    database = await openTestDatabase('postgres');
    box = await openTestApp(database, { adapters: [carrier.adapter()] });
    address = await box.app.frontDoor.listen('127.0.0.1', 0);
    await openCarrier(box);
    payer = await openPayer(box, null);
    agent = await makeAgent();
    await approve(agent);
  });
  after(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await box.close();
    await database.close();
  });

  async function makeAgent(terms: object = {}) {
    const path = `/admin/v1/applications/${payer.id}/api-keys`;
    const limits = { sends_per_day: 100, spend_per_day_micros: 100 * smsMicros };
    const body = { kind: 'agent', agent: { mode: 'live', countries: ['SG'], ...limits, ...terms } };
    const { id, dev_key, dev_secret } = bodyOf(await box.operator({ path, body }));
    return { id, credential: `${dev_key}:${dev_secret}` };
  }
  /** Through REST, where the agent's own program answers for what it sends. */
  const approve = ({ credential }: { credential: string }): Promise<void> => {
    const body = { to: newNumber(), template: { id: 'login' } };
    return approveFirst(box, payer.id, async () => (await box.call({ path: '/v1/messages', body, credential })).body);
  };
  async function open(options: ClientOptions = {}, { credential } = agent): Promise<Client> {
    const client = await openClient(box, credential, options);
    clients.push(client);
    return client;
  }
  const send = (more: object = {}) => ({ to: newNumber(), template_id: 'login', idempotency_key: newKey(), ...more });
  const sentCount = async (): Promise<number> => {
    const [row] = await database.db.query<{ count: number }>(sql`select count(*)::integer as count from messages`);
    return row?.count ?? 0;
  };

  type Answer = { inputResponses: Record<string, unknown>; requestState: string };
  const call = async (client: Client, name: string, args: object, answer?: Answer) =>
    (await client.callTool({ name, arguments: { ...args }, ...answer }, { allowInputRequired: true })) as unknown as
      | CallToolResult
      | InputRequiredResult;
  async function question(client: Client, args: object, name = 'send_otp'): Promise<string> {
    const asked = (await box.expectNothingHappened(() => call(client, name, args))) as InputRequiredResult;
    assert.equal(asked.resultType, 'input_required', JSON.stringify(asked));
    assert.ok(asked.requestState && asked.inputRequests?.['confirm']);
    return asked.requestState;
  }
  const withAnswer = (requestState: string, confirm: unknown = yes): Answer => ({
    requestState,
    inputResponses: { confirm },
  });
  async function isRefused(work: () => Promise<unknown>, message: RegExp): Promise<Refused> {
    const { isError, content } = (await box.expectNothingHappened(work)) as CallToolResult;
    assert.equal(isError, true);
    const [block] = content;
    const refusal = JSON.parse(block?.type === 'text' ? block.text : '') as Refused;
    assert.deepEqual([refusal.code, refusal.retryable], [2004, false]);
    assert.match(refusal.message, message);
    assert.ok(refusal.next_step.length > 10);
    return refusal;
  }

  test('is confirmed in a form that tells recipient, channels and price, and then done once', async () => {
    const questions: { message: string; requestedSchema: unknown }[] = [];
    const client = await open({
      address,
      person(asked) {
        questions.push(asked);
        return yes;
      },
    });
    const args = send({ to: '+6591234567', template_id: 'chain' });
    const before = await sentCount();
    const { message_id } = await done(client, 'send_otp', args);
    assert.equal(await sentCount(), before + 1);
    assert.deepEqual(
      questions.map(({ message }) => message),
      [
        'Send to a real person: +65••••••67, template chain, by whatsapp (about 0.03 USD), then if needed sms (about 0.1 USD)?',
      ],
    );
    await box.app.delivery.runUntilIdle();
    await database.clock.travel(1_000);
    const again = (channel: string) => ({ message_id, channel, idempotency_key: newKey() });
    assert.equal((await done(client, 'resend_otp', again('next'))).send_channel, 'sms');
    assert.match(questions.pop()?.message ?? '', /template chain, by sms \(about 0\.1 USD\)\?$/);
    await box.app.delivery.runUntilIdle();
    await database.clock.travel(1_000);
    assert.equal((await refused(client, 'resend_otp', again('next'))).reason, 'no_further_channel');
    assert.match(questions.pop()?.message ?? '', /template chain, by no channel that is left\?$/);
    await done(client, 'resend_otp', again('sms'));
    assert.match(
      questions[1]?.message ?? '',
      /^Send to a real person: \+65••••••67, template chain, by sms \(about 0\.1/,
    );
    await done(client, 'send_custom_code', send({ code: '048213' }));
    assert.equal(questions.length, 3);
    await done(client, 'send_custom_message', send({ params: { code: '048213' } }));
    assert.equal(questions.length, 4);
    await done(client, 'get_message', { message_id });
    assert.equal(questions.length, 4, 'nobody is asked about what reaches nobody');
  });

  test('is confirmed over the bridge as over a socket', async () => {
    const answers: ElicitResult[] = [yes, { action: 'decline' }];
    const questions: string[] = [];
    const client = await open({
      address,
      bridge: true,
      person({ message }) {
        questions.push(message);
        return answers.shift() ?? yes;
      },
    });
    const before = await sentCount();
    await done(client, 'send_otp', send());
    assert.equal(await sentCount(), before + 1);
    const refusal = await box.expectNothingHappened(() => refused(client, 'send_otp', send()));
    assert.match(refusal.message, /did not confirm/);
    assert.equal(questions.length, 2);
  });

  test('is not done where the person says no, in any way', async () => {
    const args = send();
    for (const answer of [
      { action: 'decline' },
      { action: 'cancel' },
      { action: 'accept', content: { send: false } },
      { action: 'accept', content: {} },
    ] as ElicitResult[]) {
      const client = await open({ person: () => answer });
      const refusal = await box.expectNothingHappened(() => refused(client, 'send_otp', args));
      assert.match(refusal.message, /did not confirm/);
      assert.match(refusal.next_step, /Do not send this again/);
    }
    const client = await open({ byHand: true });
    const state = await question(client, args);
    await isRefused(() => call(client, 'send_otp', args, withAnswer(state, { action: 'decline' })), /did not confirm/);
    await isRefused(() => call(client, 'send_otp', args, withAnswer(state)), /used already/);
  });

  test('of 20 answers with one state sends once', async () => {
    const client = await open({ byHand: true });
    const args = send();
    const state = await question(client, args);
    const before = await sentCount();
    const results = (await Promise.all(
      Array.from({ length: 20 }, () => call(client, 'send_otp', args, withAnswer(state))),
    )) as CallToolResult[];
    assert.equal(results.filter(({ isError }) => !isError).length, 1);
    assert.equal(await sentCount(), before + 1);
    await isRefused(() => call(client, 'send_otp', args, withAnswer(state)), /used already/);
  });

  test('takes no answer that was given for something else, to somebody else, too late, or by nobody', async () => {
    const client = await open({ byHand: true });
    const args = send();
    const state = await question(client, args);
    const wrong = /not given for this call of this key/;
    for (const changed of [
      { to: newNumber() },
      { template_id: 'chain' },
      { idempotency_key: newKey() },
      { language: 'en' },
    ])
      await isRefused(() => call(client, 'send_otp', { ...args, ...changed }, withAnswer(state)), wrong);
    await isRefused(
      () => call(client, 'send_custom_message', { ...args, params: { code: '048213' } }, withAnswer(state)),
      wrong,
    );
    const other = await makeAgent();
    await approve(other);
    const thief = await open({ byHand: true }, other);
    await isRefused(() => call(thief, 'send_otp', args, withAnswer(state)), wrong);
    for (const forged of [state.slice(0, -2), `${state}x`, `B${state.slice(1)}`, 'x', '', '{"keyId":"1"}'])
      await isRefused(() => call(client, 'send_otp', args, withAnswer(forged)), wrong);
    for (const odd of [{ action: 'accept' }, { action: 'accept', content: { send: 'true' } }, { action: 'yes' }]) {
      const mine = await question(client, args);
      const outcome = await box.expectNothingHappened(() => call(client, 'send_otp', args, withAnswer(mine, odd)));
      assert.ok('isError' in outcome ? outcome.isError : outcome.resultType === 'input_required', JSON.stringify(odd));
    }
    const unanswered = await box.expectNothingHappened(() =>
      call(client, 'send_otp', args, { requestState: state, inputResponses: {} }),
    );
    assert.equal((unanswered as InputRequiredResult).resultType, 'input_required', 'it is asked again');
    await database.clock.travel(5 * 60_000 + 1_000);
    await isRefused(() => call(client, 'send_otp', args, withAnswer(state)), /older than five minutes/);
  });

  test('is not another send than the one that was shown', async () => {
    const client = await open({ byHand: true });
    const changes: [string, object, () => Promise<() => Promise<unknown>>][] = [
      [
        'send_otp',
        send({ template_id: 'brand' }),
        async () => {
          bodyOf(await payer.call({ method: 'DELETE', path: '/v1/template-configs/brand' }));
          await payer.addTemplate({ template_id: 'brand', brand_name: 'Umbra' });
          return async () => undefined;
        },
      ],
      [
        'resend_otp',
        { message_id: bodyOf(await payer.send(newNumber())).message_id, idempotency_key: newKey() },
        async () => {
          const entries = [{ provider: 'priced', priority: 1, price_micros: 5_000_000 }];
          const body = { channel: 'sms', application_id: payer.id, entries };
          const { id } = bodyOf(await box.operator({ path: '/admin/v1/routes', body }));
          return () => box.operator({ method: 'DELETE', path: `/admin/v1/routes/${id}` });
        },
      ],
    ];
    await payer.addTemplate({ template_id: 'brand', brand_name: 'Acme' });
    await box.app.delivery.runUntilIdle();
    await database.clock.travel(1_000);
    for (const [name, args, change] of changes) {
      const state = await question(client, args, name);
      const undo = await change();
      await isRefused(() => call(client, name, args, withAnswer(state)), /or the send has changed since/);
      const anew = await question(client, args, name);
      const sent = (await call(client, name, args, withAnswer(anew))) as CallToolResult;
      assert.notEqual(sent.isError, true, JSON.stringify(sent.content));
      await undo();
    }
  });

  test('of a client that cannot ask is refused readably, older ones among them', async () => {
    const links = { elicitation: { url: {} } };
    for (const options of [
      {},
      { capabilities: links },
      { mode: 'legacy' },
      { mode: 'legacy', person: () => yes },
    ] as const) {
      const client = await open(options);
      const refusal = await box.expectNothingHappened(() => refused(client, 'send_otp', send()));
      assert.match(refusal.message, /this client cannot ask/);
      assert.match(refusal.next_step, /test credential, or ask the operator to allow unattended sends/);
    }
  });

  test('asks nobody where the send would be refused, where the key may send unattended, or on the virtual network', async () => {
    const client = await open({ person: () => assert.fail('nobody is asked') });
    const abroad = await box.expectNothingHappened(() => refused(client, 'send_otp', send({ to: '+4915112345678' })));
    assert.equal(abroad.reason, 'destination_not_allowed');
    await box.app.refusals.flush();
    const { refusals } = bodyOf(await payer.call({ path: '/v1/refusals?to=%2B4915112345678' }));
    assert.deepEqual([refusals[0].key_id, refusals[0].reason], [agent.id, 'destination_not_allowed']);
    assert.equal((await refused(client, 'send_otp', send({ template_id: 'none' }))).code, 4001);
    assert.equal((await refused(client, 'resend_otp', { message_id: '1', idempotency_key: newKey() })).code, 4001);
    const fresh = await makeAgent();
    const waiting = await open({ person: () => assert.fail('nobody is asked') }, fresh);
    const unapproved = await box.expectNothingHappened(() => refused(waiting, 'send_otp', send()));
    assert.deepEqual([unapproved.code, unapproved.reason], [2004, 'approval_required']);
    assert.match(unapproved.next_step, /Ask the operator to approve this key/);
    const [{ key_id, operation, client: named }] = await approvalsOf(box, payer.id);
    assert.deepEqual([key_id, operation, named], [fresh.id, 'sendOtp', 'send_otp over MCP (test 1)']);
    const unattended = await makeAgent({ unattended: true });
    await approve(unattended);
    await done(await open({ mode: 'legacy' }, unattended), 'send_otp', send());
    const virtual = await box.makeApplication({ key: { kind: 'agent', agent: { mode: 'live' } } });
    const { body } = await box.operator({ path: `/admin/v1/applications/${virtual.id}/api-keys`, body: {} });
    const template = {
      template_id: 'login',
      send_channel_strategy: 'sms',
      sms_config: { template_type: 1, template_default_config: {} },
    };
    const verify_code_config = { verify_code_type: 1, verify_code_len: 6, verify_code_ttl: 5 };
    const credential = `${body.dev_key}:${body.dev_secret}`;
    await box.operator({
      path: `/admin/v1/applications/${virtual.id}/policy`,
      method: 'PATCH',
      body: { template_review: 'auto' },
    });
    bodyOf(await box.call({ path: '/v1/template-configs', body: { ...template, verify_code_config }, credential }));
    await done(await open({}, { id: '', credential: virtual.credential }), 'send_otp', send());
  });
});
