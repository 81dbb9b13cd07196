/** Agent keys before an operator has approved them: nothing of theirs reaches real people, by any door; and what takes it back. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { onEachApp, openTestApp, type TestApp, type TestReply } from './testing/app.ts';
import { bodyOf, newNumber } from './testing/application.ts';
import { approvalsOf, approveFirst, decide } from './testing/approvals.ts';
import { openCarrier, openPayer, type Payer, PricedCarrier, smsMicros, whatsappMicros } from './testing/payers.ts';
import { until } from './testing/until.ts';

const carrier = new PricedCarrier();
const terms = {
  mode: 'live',
  countries: ['SG', 'MY'],
  recipients: ['+4915112345678'],
  sends_per_day: 500,
  spend_per_day_micros: 100 * smsMicros,
};

onEachApp(
  'the approval of an agent key',
  (get) => {
    let payer: Payer;
    before(async () => {
      await openCarrier(get());
      payer = await openPayer(get(), null);
    });

    interface Agent {
      id: string;
      credential: string;
    }
    async function makeAgent(agent: object = terms, description = 'Bot'): Promise<Agent> {
      const path = `/admin/v1/applications/${payer.id}/api-keys`;
      const key = bodyOf(await get().operator({ path, body: { kind: 'agent', description, agent } }));
      assert.equal(key.approval, 'none');
      return { id: key.id, credential: `${key.dev_key}:${key.dev_secret}` };
    }
    const change = (id: string, agent: object): Promise<TestReply> =>
      get().operator({ method: 'PATCH', path: `/admin/v1/api-keys/${id}`, body: { agent } });
    const approvalOf = async ({ id }: Agent): Promise<string> =>
      bodyOf(await get().operator({ path: `/admin/v1/api-keys/${id}` })).approval;
    const send = ({ credential }: Agent, more: object = {}, box: TestApp = get()): Promise<TestReply> =>
      box.call({ path: '/v1/messages', body: { to: newNumber(), template: { id: 'login' }, ...more }, credential });
    const pending = async ({ id }: Agent) =>
      (await approvalsOf(get(), payer.id)).filter(({ key_id }: { key_id: string }) => key_id === id);
    const isRefused = ({ status, body }: TestReply, reason = 'approval_required'): void =>
      assert.deepEqual([status, body.code, body.reason], [403, 2004, reason], JSON.stringify(body));
    const approved = async (agent = terms): Promise<Agent> => {
      const key = await makeAgent(agent);
      await approveFirst(get(), payer.id, async () => (await send(key)).body);
      return key;
    };

    test('the first send is refused and shown to the operator, who approves; then it sends', async () => {
      const agent = await makeAgent();
      const to = newNumber();
      const headers = { 'user-agent': 'bot/1.0 \u202ex', 'idempotency-key': `"first-${to}"` };
      const body = { to, template: { id: 'chain' } };
      const ask = () => get().call({ path: '/v1/messages', body, credential: agent.credential, headers });
      const first = await get().expectNothingHappened(ask);
      isRefused(first);
      const [waiting, ...others] = await pending(agent);
      assert.deepEqual(others, []);
      const { id, asked_at, terms: shown, ...rest } = waiting;
      assert.deepEqual(rest, {
        key_id: agent.id,
        key_description: 'Bot',
        application_id: payer.id,
        state: 'pending',
        operation: 'sendOtp',
        to: `${to.slice(0, 3)}${'•'.repeat(to.length - 5)}${to.slice(-2)}`,
        recipients: 1,
        template_id: 'chain',
        channels: [
          { channel: 'whatsapp', estimate_micros: whatsappMicros },
          { channel: 'sms', estimate_micros: smsMicros },
        ],
        currency: 'USD',
        client: 'bot/1.0 x',
        request_id: first.body.request_id,
        note: null,
        decided_at: null,
      });
      assert.deepEqual([shown.mode, shown.countries], ['live', ['MY', 'SG']]);
      assert.ok(Math.abs(Date.parse(asked_at) - get().database.clock.now()) < 10_000);
      assert.equal(await approvalOf(agent), 'pending');
      isRefused(await get().expectNothingHappened(ask));
      assert.equal((await pending(agent)).length, 1, 'it is asked once');
      const decided = bodyOf(await decide(get(), id, 'approve', { note: 'known to us' }));
      assert.deepEqual([decided.state, decided.note], ['approved', 'known to us']);
      assert.equal(await approvalOf(agent), 'approved');
      assert.equal((await ask()).status, 200, 'also under the Idempotency-Key that was refused');
      for (const verb of ['approve', 'refuse'] as const) {
        const again = await get().expectNothingHappened(() => decide(get(), id, verb));
        assert.deepEqual([again.status, again.body.message], [409, 'approval: it is approved']);
      }
      const { events } = bodyOf(await payer.call({ path: '/v1/events?type=key_manage' }));
      const { action, api_key } = events.at(-1).row.system_event.data.key_manage;
      assert.deepEqual([action, api_key], ['update api_key', agent.credential.split(':')[0]]);
    });

    test('no other door is open either, and many sends at once are one question', async () => {
      const agent = await makeAgent();
      const { credential } = agent;
      const sent = await payer.send(newNumber(), { template: { id: 'chain' } });
      const messageId = bodyOf(sent).message_id;
      const to = newNumber();
      const code = { template: { id: 'login', params: { code: '048213' } } };
      const calls = [
        { path: '/v1/messages', body: { to, template: { id: 'login' } } },
        { path: '/v1/codes', body: { to, code: '048213', template: { id: 'login' } } },
        { path: '/v1/custom-messages', body: { to, ...code } },
        { path: '/v1/custom-messages', body: { to: [to, 'no number', newNumber()], ...code } },
        { path: `/v1/messages/${messageId}/resend`, body: {} },
        { path: `/v1/messages/${messageId}/next-channel`, body: {} },
      ];
      await get().app.delivery.runUntilIdle();
      await get().expectNothingHappened(async () => {
        const asked = calls.flatMap((call) => Array.from({ length: 5 }, () => call));
        for (const reply of await Promise.all(asked.map((call) => get().call({ ...call, credential }))))
          isRefused(reply);
      });
      assert.equal((await pending(agent)).length, 1);
      const list = await makeAgent();
      isRefused(await get().call({ ...calls[3], path: '/v1/custom-messages', credential: list.credential }));
      assert.equal((await pending(list))[0].recipients, 3);
      const again = await makeAgent();
      isRefused(await get().call({ path: `/v1/messages/${messageId}/resend`, body: {}, credential: again.credential }));
      const [{ operation, channels }] = await pending(again);
      assert.deepEqual(
        [operation, channels[0]],
        ['resendOtp', { channel: 'whatsapp', estimate_micros: whatsappMicros }],
      );
    });

    test('what its terms do not allow is refused for that, and asks nobody', async () => {
      const agent = await makeAgent({ ...terms, countries: ['MY'] });
      assert.equal((await send(agent)).body.reason, 'destination_not_allowed');
      const { message_id } = bodyOf(await payer.send(newNumber()));
      const body = {};
      const path = `/v1/messages/${message_id}/resend`;
      const resent = await get().call({ path, body, credential: agent.credential });
      assert.equal(resent.body.reason, 'destination_not_allowed');
      const testing = await makeAgent({ ...terms, mode: 'test' });
      const sent = await get().expectNothingHappened(() => send(testing));
      assert.deepEqual([sent.status, sent.body.code], [403, 2004]);
      assert.match(sent.body.message, /test mode/);
      const tried = await get().call({ path, body, credential: testing.credential });
      assert.match(tried.body.message, /test mode/);
      assert.deepEqual(
        [await pending(agent), await approvalOf(agent), await approvalOf(testing)],
        [[], 'none', 'none'],
      );
    });

    test('a refusal stands until the terms are changed', async () => {
      const agent = await makeAgent();
      isRefused(await send(agent));
      const [{ id }] = await pending(agent);
      assert.equal(bodyOf(await decide(get(), id, 'refuse', { note: 'who is that?' })).state, 'refused');
      isRefused(await get().expectNothingHappened(() => send(agent)), 'approval_refused');
      assert.deepEqual([await approvalOf(agent), await pending(agent)], ['refused', []]);
      bodyOf(await change(agent.id, { sends_per_day: 5 }));
      isRefused(await send(agent));
      assert.equal((await pending(agent)).length, 1);
      const refused = await approvalsOf(get(), payer.id, 'refused');
      assert.deepEqual([refused[0].note, refused[0].terms.sends_per_day], ['who is that?', 500]);
    });

    test('narrower terms stay approved, wider ones do not', async () => {
      const agent = await approved();
      for (const narrow of [
        { countries: ['SG'] },
        { recipients: [] },
        { sends_per_day: 400, per_recipient_per_day: 2, spend_per_day_micros: 50 * smsMicros },
        { unattended: false },
        {},
      ]) {
        bodyOf(await change(agent.id, narrow));
        assert.equal(await approvalOf(agent), 'approved', JSON.stringify(narrow));
      }
      assert.equal((await send(agent)).status, 200);
      bodyOf(await change(agent.id, { mode: 'test' }));
      assert.equal(await approvalOf(agent), 'approved');
      for (const wide of [
        { mode: 'live' },
        { countries: ['SG', 'MY'] },
        { recipients: ['+4915112345678'] },
        { per_recipient_per_day: 3 },
        { sends_per_day: 401 },
        { spend_per_day_micros: 50 * smsMicros + 1 },
        { unattended: true },
      ]) {
        bodyOf(await change(agent.id, wide));
        assert.equal(await approvalOf(agent), 'none', JSON.stringify(wide));
        await approveFirst(get(), payer.id, async () => (await send(agent)).body).catch(async (error: unknown) => {
          throw new Error(JSON.stringify(wide), { cause: error });
        });
      }
    });

    test('what was asked about narrower terms cannot be approved any more', async () => {
      const agent = await makeAgent();
      isRefused(await send(agent));
      const [{ id }] = await pending(agent);
      bodyOf(await change(agent.id, { sends_per_day: 400 }));
      assert.equal((await pending(agent))[0].terms.sends_per_day, 400, 'narrower: shown as they are');
      bodyOf(await change(agent.id, { countries: ['SG', 'ID'] }));
      const late = await get().expectNothingHappened(() => decide(get(), id, 'approve'));
      assert.deepEqual([late.status, late.body.message], [409, 'approval: it is outdated']);
      isRefused(await send(agent));
      const racing = await Promise.all([
        decide(get(), (await pending(agent))[0].id, 'approve'),
        change(agent.id, { countries: ['SG', 'ID', 'TH'] }),
      ]);
      assert.ok([200, 409].includes(racing[0].status), JSON.stringify(racing[0].body));
      assert.equal(await approvalOf(agent), 'none', 'whoever was first, nobody approved the terms as they are');
      isRefused(await send(agent));
    });

    test('holds on every node: what another one has not heard of is looked up, what is taken back is told', async () => {
      const other = await openTestApp(get().database, { adapters: [carrier.adapter()] });
      try {
        const agent = await makeAgent();
        isRefused(await send(agent, {}, other));
        isRefused(await send(agent));
        const [{ id }] = await pending(agent);
        bodyOf(await decide(get(), id, 'approve'));
        assert.equal((await send(agent, {}, other)).status, 200);
        assert.equal((await send(agent)).status, 200);
        bodyOf(await change(agent.id, { sends_per_day: 501 }));
        isRefused(await send(agent));
        await until('the other node has heard', async () => (await send(agent, {}, other)).status === 403);
      } finally {
        await other.close();
      }
    });

    test('the list is paged, and what is not there is 404', async () => {
      const agents = [await makeAgent(), await makeAgent()];
      for (const agent of agents) isRefused(await send(agent));
      const page = async (query: string) =>
        bodyOf(await get().operator({ path: `/admin/v1/approvals?application_id=${payer.id}&limit=1${query}` }));
      const first = await page('');
      const second = await page(`&cursor=${first.next_cursor}`);
      const keys = [first, second].map(({ approvals: [{ key_id }] }) => key_id);
      assert.deepEqual(keys, agents.map(({ id }) => id).reverse());
      const [{ id }] = first.approvals;
      await get().operator({ method: 'DELETE', path: `/admin/v1/api-keys/${keys[0]}` });
      for (const gone of [id, '1', 'x']) assert.equal((await decide(get(), gone, 'approve')).status, 404);
      assert.equal((await page('')).approvals[0].key_id, keys[1]);
    });
  },
  { adapters: [carrier.adapter()] },
);
