/** Who judges a send before it is counted, through the whole app: what is refused and how, what is used instead, and what is told of it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from './platform/sql.ts';
import { onEachApp, type TestReply } from './testing/app.ts';
import { bodyOf, newNumber } from './testing/application.ts';
import { approveFirst } from './testing/approvals.ts';
import { openCarrier, openPayer, type Payer, PricedCarrier, smsMicros, whatsappMicros } from './testing/payers.ts';
import { openReceiver } from './testing/receiver.ts';

const carrier = new PricedCarrier();
const ip = '198.51.100.20';
const fromIp = { fact: 'has_ip', op: 'eq', value: true };
const fromDevice = { fact: 'has_device', op: 'eq', value: true };
const rule = (id: string, more: object = {}) => ({
  ...{ id, title: id, mode: 'enforce', verdict: 'block', when: fromIp },
  ...more,
});

onEachApp(
  'the gate before a send',
  (get) => {
    before(() => openCarrier(get()));

    async function open(rules: readonly object[] = []): Promise<Payer> {
      const payer = await openPayer(get(), null);
      await get().app.fraud.round();
      const path = `/admin/v1/applications/${payer.id}/fraud-rules`;
      bodyOf(await get().operator({ method: 'PUT', path, body: { rules } }));
      await get().app.fraud.round();
      return payer;
    }

    /** Its credential. */
    async function makeAgent({ id }: Payer, agent: object): Promise<string> {
      const path = `/admin/v1/applications/${id}/api-keys`;
      const key = bodyOf(await get().operator({ path, body: { kind: 'agent', agent } }));
      return `${key.dev_key}:${key.dev_secret}`;
    }

    const decisionOf = async (payer: Payer, reply: TestReply) =>
      (await payer.story(String(bodyOf(reply).message_id))).decision;

    async function refusalsOf(payer: Payer) {
      await get().app.refusals.flush();
      return bodyOf(await payer.call({ path: '/v1/refusals' })).refusals;
    }

    function assertRejected({ status, body }: TestReply, reason?: string): void {
      assert.deepEqual([status, body.code, body.message, body.reason], [400, 5015, 'rejected', reason]);
    }

    test('a rule that blocks answers 5015 without its name; the refusal tells it; a trusted user is not asked', async () => {
      const payer = await open([rule('no_addresses')]);
      const to = newNumber();
      const refused = await payer.send(to, { signals: { ip } });
      assertRejected(refused);
      assert.doesNotMatch(JSON.stringify(refused.body), /no_addresses/);
      const [kept] = await refusalsOf(payer);
      assert.deepEqual([kept.to, kept.code, kept.decision.rules.length], [to, 5015, 1]);
      assert.deepEqual([kept.decision.rules[0].rule, kept.decision.rules[0].mode], ['no_addresses', 'enforce']);
      assert.equal((await payer.send(to)).status, 200, 'the rule is about addresses');
      const trusted = await payer.send(newNumber(), { signals: { ip, is_trusted_user: true } });
      assert.deepEqual((await decisionOf(payer, trusted)).rules, []);
    });

    test('a challenge is passed by a proof', async () => {
      const payer = await open([rule('prove', { verdict: 'challenge' })]);
      assertRejected(await payer.send(newNumber(), { signals: { ip } }), 'challenge_required');
      const proven = await payer.send(newNumber(), { signals: { ip, captcha_passed: true } });
      assert.equal(proven.status, 200);
    });

    test('an agent vouches for nobody: what it says of trust and proofs counts for nothing', async () => {
      const payer = await open([rule('no_addresses'), rule('prove', { verdict: 'challenge', when: fromDevice })]);
      const terms = { mode: 'live', countries: ['SG'], spend_per_day_micros: 9 * smsMicros };
      const credential = await makeAgent(payer, terms);
      const send = (signals: object): Promise<TestReply> =>
        get().call({ path: '/v1/messages', body: { to: newNumber(), template: { id: 'login' }, signals }, credential });
      await approveFirst(get(), payer.id, async () => (await send({})).body);
      const flags = { is_trusted_user: true, captcha_passed: true };
      assertRejected(await get().expectNothingHappened(() => send({ ip, ...flags })));
      assertRejected(await send({ device_id: 'd-1', ...flags }), 'challenge_required');
      const { message_id: messageId } = bodyOf(await send({ session_id: 's-1', ...flags }));
      const [kept] = await get().database.db.query<{ signals: unknown }>(
        sql`select signals from messages where application_id = ${payer.id} and id = ${messageId}`,
      );
      assert.deepEqual(kept?.signals, { session_id: 's-1' }, 'rules and back-tests read them later');
    });

    test('a rule in shadow changes nothing and is told with the message', async () => {
      const payer = await open([rule('watch', { mode: 'shadow' })]);
      const { rules } = await decisionOf(payer, await payer.send(newNumber(), { signals: { ip } }));
      assert.deepEqual(
        rules.map((one: { rule: string; mode: string }) => [one.rule, one.mode]),
        [['watch', 'shadow']],
      );
    });

    test('a rule that closes a channel leaves the others; where it was the only one the send is rejected', async () => {
      const payer = await open([rule('no_sms', { channels: ['sms'] })]);
      assertRejected(await payer.send(newNumber(), { signals: { ip } }));
      const other = bodyOf(await payer.send(newNumber(), { signals: { ip }, template: { id: 'chain' } }));
      assert.equal(other.send_channel, 'whatsapp');
      const { steps } = await payer.story(other.message_id);
      assert.deepEqual(
        steps.map(({ channel, state }: { channel: string; state: string }) => [channel, state === 'skipped']),
        [
          ['whatsapp', false],
          ['sms', true],
        ],
      );
    });

    test('a budget leads to the cheaper channel, then wants a proof, then blocks, before its cap does', async () => {
      const payer = await open();
      const ladder = [
        { at_percent: 10, action: 'cheaper_channel' },
        { at_percent: 20, action: 'challenge' },
        { at_percent: 30, action: 'block' },
      ];
      await payer.budget({ scope: 'all', period: 'day', cap_micros: 10 * smsMicros, ladder });
      await payer.addTemplate({ template_id: 'sms_first', send_channel_strategy: 'sms|whatsapp' });
      const send = async (more: object = {}): Promise<TestReply> => {
        await get().app.spend.look();
        return payer.send(newNumber(), { template: { id: 'sms_first' }, ...more });
      };
      assert.equal(bodyOf(await send()).send_channel, 'sms');
      const cheaper = await send();
      assert.equal(bodyOf(cheaper).send_channel, 'whatsapp');
      const { budgets } = await decisionOf(payer, cheaper);
      assert.deepEqual(
        budgets.map((one: { spent_micros: number; action: string }) => [one.spent_micros, one.action]),
        [[smsMicros, 'cheaper_channel']],
      );
      while ((await send()).status === 200);
      assertRejected(await send(), 'challenge_required');
      const proof = { signals: { captcha_passed: true } };
      assert.equal((await send(proof)).status, 200);
      for (let spent = 2 * smsMicros + whatsappMicros; spent < 3 * smsMicros; spent += whatsappMicros)
        await send(proof);
      assertRejected(await send(proof));
    });

    test('the customer’s own server is asked about what is left, and its word is told', async () => {
      const receiver = await openReceiver();
      after(() => receiver.close());
      const payer = await open([rule('no_addresses')]);
      const path = `/admin/v1/applications/${payer.id}/pre-send-hook`;
      bodyOf(await get().operator({ method: 'PUT', path, body: { url: receiver.url } }));
      receiver.answerWith({ status: 200, body: JSON.stringify({ decision: 'deny', reason: 'left us' }) });
      const to = newNumber();
      assertRejected(await payer.send(to));
      assert.equal(receiver.received.at(-1)?.json.data.to, to);
      const [kept] = await refusalsOf(payer);
      assert.equal(kept.decision.hook.answer, 'deny');
      assert.equal(kept.decision.hook.reason, undefined, 'for operators alone');
      const asked = receiver.received.length;
      assertRejected(await payer.send(newNumber(), { signals: { ip } }));
      assert.equal(receiver.received.length, asked, 'a rule had refused it before');
      receiver.answerWith({ status: 200, body: JSON.stringify({ decision: 'challenge' }) });
      assertRejected(await payer.send(newNumber()), 'challenge_required');
      receiver.answerWith({ status: 200, body: JSON.stringify({ decision: 'allow' }) });
      const { hook } = await decisionOf(payer, await payer.send(newNumber()));
      assert.equal(hook.answer, 'allow');
      const questionOf = async (path: string, body: object, headers = {}) => {
        bodyOf(await payer.call({ path, body, headers }));
        return receiver.received.at(-1)?.json.data;
      };
      const sends: [path: string, more: object][] = [
        ['/v1/messages', {}],
        ['/v1/codes', { code: '1234' }],
        ['/v1/custom-messages', { template: { id: 'login', params: { code: '1234' } } }],
      ];
      for (const [path, more] of sends) {
        const body = { to: newNumber(), template: { id: 'login' }, ...more };
        const key = `order ${path}`;
        const keyed = await questionOf(path, body, { 'idempotency-key': key });
        assert.deepEqual([keyed.to, keyed.idempotency], [body.to, key]);
        assert.ok(!('idempotency' in (await questionOf(path, { ...body, to: newNumber() }))), 'absent without a key');
      }
    });

    test('the customer’s own server is asked before anything is held, also for a request under an Idempotency-Key, and not by a repeated one', async () => {
      const receiver = await openReceiver();
      after(() => receiver.close());
      const payer = await open();
      const path = `/admin/v1/applications/${payer.id}/pre-send-hook`;
      bodyOf(await get().operator({ method: 'PUT', path, body: { url: receiver.url, timeout_ms: 3_000 } }));
      const to = [newNumber(), newNumber(), newNumber()];
      const besides: TestReply[] = [];
      receiver.answerWith(async ({ json }) => {
        // The keyed request waits for this answer, which waits for a send to its first number.
        if (json.data.idempotency !== undefined) besides.push(await payer.send(String(to[0])));
        return { status: 200, body: JSON.stringify({ decision: json.data.to === to[1] ? 'deny' : 'allow' }) };
      });
      const request = {
        path: '/v1/custom-messages',
        body: { to, template: { id: 'login', params: { code: '1234' } } },
        headers: { 'idempotency-key': 'order-1' },
      };
      const { messages } = bodyOf(await payer.call(request));
      assert.deepEqual(
        besides.map(({ status }) => status),
        [200, 200, 200],
      );
      assert.deepEqual(
        messages.map(({ code }: { code?: number }) => code),
        [undefined, 5015, undefined],
      );
      for (const { message_id } of [messages[0], messages[2]]) {
        const { hook } = (await payer.story(message_id)).decision;
        assert.deepEqual([hook.answer, hook.failed], ['allow', undefined], 'it had all of its time');
      }
      const keyed = receiver.received.filter(({ json }) => 'idempotency' in json.data);
      assert.deepEqual(
        keyed.map(({ json }) => [json.data.to, json.data.idempotency]).sort(),
        to.map((one) => [one, 'order-1']),
      );
      const asked = receiver.received.length;
      assert.deepEqual(bodyOf(await payer.call(request)).messages, messages);
      assert.equal(receiver.received.length, asked, 'a replay asks nobody');
    });

    test('monitored countries pass and are marked', async () => {
      const payer = await open();
      await payer.changePolicy({ countries: { mode: 'all', list: [], monitor: ['SG'] } });
      assert.equal((await decisionOf(payer, await payer.send('+6591230001'))).monitored, true);
      assert.equal((await decisionOf(payer, await payer.send('+491701234567'))).monitored, false);
    });

    test('an agent sends where, as often and for as much as its terms say', async () => {
      const payer = await open();
      const makeKey = (agent: object): Promise<string> => makeAgent(payer, agent);
      const send = (credential: string, to = newNumber(), more: object = {}): Promise<TestReply> =>
        get().call({ path: '/v1/messages', body: { to, template: { id: 'login' }, ...more }, credential });
      const testing = await send(await makeKey({ countries: ['SG'] }));
      assert.deepEqual([testing.status, testing.body.code], [403, 2004]);
      const terms = { mode: 'live', countries: ['SG'], spend_per_day_micros: 3 * smsMicros };
      const live = await makeKey({ ...terms, sends_per_day: 50, per_recipient_per_day: 2 });
      const abroad = await send(live, '+491701234567');
      assert.deepEqual([abroad.status, abroad.body.reason], [400, 'destination_not_allowed']);
      const elsewhere = await send(live, newNumber(), { alternate_to: { email: 'a@example.com' } });
      assert.equal(elsewhere.body.reason, 'destination_not_allowed');
      const one = newNumber();
      await approveFirst(get(), payer.id, async () => (await send(live, one)).body);
      assert.equal((await send(live, one)).status, 200);
      assert.equal((await send(live, one)).status, 200);
      const often = await send(live, one);
      assert.deepEqual([often.status, often.body.details.policy], [429, 'agent_recipient_1d']);
      assert.equal((await send(live)).status, 200);
      const spent = await send(live);
      assert.deepEqual([spent.status, spent.body.reason], [400, 'budget_exhausted']);
      const few = await makeKey({ ...terms, sends_per_day: 1, spend_per_day_micros: 9 * smsMicros });
      await approveFirst(get(), payer.id, async () => (await send(few)).body);
      assert.equal((await send(few)).status, 200);
      assert.equal((await send(few)).body.details.policy, 'agent_sends_1d');
      assert.equal((await payer.send(newNumber())).status, 200, 'other keys are not bound by it');
    });

    test('an agent reaches one address as often as its terms say, whichever address it puts first', async () => {
      const payer = await open();
      const [number, other, twice] = [newNumber(), newNumber(), newNumber()];
      const recipients = ['a', 'b', 'c', 'd'].map((name) => `${name}@example.com`);
      const counts = { per_recipient_per_day: 1, spend_per_day_micros: 9 * smsMicros };
      const terms = { mode: 'live', countries: ['SG'], recipients, ...counts };
      const credential = await makeAgent(payer, terms);
      const send = (to?: string, phone?: string): Promise<TestReply> => {
        const body = { to, template: { id: 'login' }, ...(phone && { alternate_to: { phone } }) };
        return get().call({ path: '/v1/messages', body, credential });
      };
      const assertOften = ({ status, body }: TestReply): void =>
        assert.deepEqual([status, body.details?.policy], [429, 'agent_recipient_1d']);
      await approveFirst(get(), payer.id, async () => (await send(number)).body);
      assert.equal((await send(number)).status, 200);
      assertOften(await get().expectNothingHappened(() => send(recipients[0], number)));
      const { message_id: messageId } = bodyOf(await send(recipients[0], other));
      assertOften(await send(recipients[1], other));
      assertOften(await send(other));
      assertOften(await get().call({ path: `/v1/messages/${messageId}/resend`, body: {}, credential }));
      const own = bodyOf(await payer.send(String(recipients[2]), { alternate_to: { phone: twice } })).message_id;
      assert.equal((await send(twice)).status, 200);
      assertOften(await get().call({ path: `/v1/messages/${own}/resend`, body: {}, credential }));
      assert.equal((await send(recipients[3], newNumber())).status, 200);
    });
  },
  { adapters: [carrier.adapter()] },
);
