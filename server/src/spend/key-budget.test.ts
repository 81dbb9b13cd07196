/** The budget of an agent's key holds over every step that its sends may come to, and counts in the end what they did cost. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { onEachApp, openTestApp, type TestApp } from '../testing/app.ts';
import { assertRefused, bodyOf, newNumber } from '../testing/application.ts';
import { approveFirst } from '../testing/approvals.ts';
import {
  openCarrier,
  openPayer,
  type Payer,
  PricedCarrier,
  refuses,
  smsMicros,
  whatsappMicros,
} from '../testing/payers.ts';
import { countedAt } from '../testing/sums.ts';

const carrier = new PricedCarrier();
const chainMicros = whatsappMicros + smsMicros;

interface Agent {
  id: string;
  credential: string;
}

onEachApp(
  'the budget of a key over the steps of a chain',
  (get) => {
    before(() => openCarrier(get()));

    const send = ({ credential }: Agent, to = newNumber(), box: TestApp = get()) =>
      box.call({ path: '/v1/messages', body: { to, template: { id: 'chain' } }, credential });
    const act = ({ credential }: Agent, messageId: string, verb: string) =>
      get().call({ path: `/v1/messages/${messageId}/${verb}`, body: {}, credential });
    async function agentOf({ id }: Payer, capMicros: number): Promise<Agent> {
      const counts = { sends_per_day: 500, per_recipient_per_day: 500 };
      const agent = { mode: 'live', countries: ['SG'], ...counts, spend_per_day_micros: capMicros };
      const path = `/admin/v1/applications/${id}/api-keys`;
      const key = bodyOf(await get().operator({ path, body: { kind: 'agent', description: 'Bot', agent } }));
      const made = { id: key.id, credential: `${key.dev_key}:${key.dev_secret}` };
      await approveFirst(get(), id, async () => (await send(made)).body);
      return made;
    }
    const spentBy = async ({ id }: Agent): Promise<number> => {
      await get().app.delivery.runUntilIdle();
      return countedAt(get().database.db, id);
    };

    test('no number of fallbacks passes the cap, on two nodes; balance and other budgets count the first step', async () => {
      const payer = await openPayer(get(), 50 * smsMicros);
      await payer.budget({ scope: 'all', period: 'day', cap_micros: 90 * smsMicros });
      const agent = await agentOf(payer, 3 * chainMicros + smsMicros);
      const second = await openTestApp(get().database, { adapters: [carrier.adapter()] });
      const replies = await Promise.all(
        Array.from({ length: 12 }, (_, i) => send(agent, newNumber(), i % 2 === 0 ? get() : second)),
      );
      await second.close();
      assert.equal(replies.filter(({ status }) => status === 200).length, 3);
      for (const reply of replies.filter(({ status }) => status !== 200))
        assertRefused(reply, 3003, 'budget_exhausted');
      assert.equal(await spentBy(agent), 3 * chainMicros);
      assert.equal((await payer.budgets())[0]?.spent_micros, 3 * whatsappMicros);
      await get().live(21);
      assert.equal(await spentBy(agent), 3 * chainMicros);
      assertRefused(await send(agent), 3003, 'budget_exhausted');
      assert.equal((await payer.budgets())[0]?.spent_micros, 3 * chainMicros);
      assert.equal((await payer.balance()).balance, (50 * smsMicros - 3 * chainMicros) / 1_000_000);
    });

    test('what is not used is given back when nothing more goes out by itself', async () => {
      const payer = await openPayer(get(), null);
      const agent = await agentOf(payer, 2 * chainMicros);
      const { message_id: delivered } = bodyOf(await send(agent));
      const { message_id: cancelled } = bodyOf(await send(agent));
      assertRefused(await send(agent), 3003, 'budget_exhausted');
      assert.equal(await spentBy(agent), 2 * chainMicros);
      await carrier.delivered(delivered, 1);
      assert.equal(await spentBy(agent), whatsappMicros + chainMicros);
      bodyOf(await payer.act(cancelled, 'cancel'));
      assert.equal(await spentBy(agent), 2 * whatsappMicros);
      const unreachable = newNumber();
      for (const channel of ['whatsapp', 'sms']) carrier.answers.set(`${channel} ${unreachable}`, refuses);
      bodyOf(await send(agent, unreachable));
      assert.equal(await spentBy(agent), 2 * whatsappMicros);
      const half = newNumber();
      carrier.answers.set(`whatsapp ${half}`, refuses);
      bodyOf(await send(agent, half));
      assert.equal(await spentBy(agent), 2 * whatsappMicros + smsMicros, 'nothing follows the last step');
    });

    test('what expires is given back, also on the next day, which begins anew', async () => {
      const agent = await agentOf(await openPayer(get(), null), chainMicros);
      await get().database.clock.travel(86_400_000 - (get().database.clock.now() % 86_400_000) - 10_000);
      bodyOf(await send(agent));
      assertRefused(await send(agent), 3003, 'budget_exhausted');
      await get().app.delivery.runUntilIdle();
      await get().database.clock.travel(11_000);
      const { message_id: today } = bodyOf(await send(agent));
      assert.equal(await spentBy(agent), chainMicros);
      await carrier.delivered(today, 1);
      await get().live(30);
      assert.equal(await spentBy(agent), whatsappMicros);
    });

    test('asking for the channel that would follow anyway costs nothing more, sending again counts the chain anew', async () => {
      const agent = await agentOf(await openPayer(get(), null), 2 * chainMicros);
      const { message_id: first } = bodyOf(await send(agent));
      assert.equal(await spentBy(agent), chainMicros);
      bodyOf(await act(agent, first, 'next-channel'));
      assert.equal(await spentBy(agent), chainMicros);
      bodyOf(await act(agent, first, 'resend'));
      assert.equal(await spentBy(agent), 2 * chainMicros);
      assertRefused(await act(agent, first, 'resend'), 3003, 'budget_exhausted');
      await get().live(21);
      assert.equal(await spentBy(agent), 2 * chainMicros);
    });
  },
  { adapters: [carrier.adapter()] },
);
