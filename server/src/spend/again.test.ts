/** The budget of an agent's key: what it sends again counts, whoever sent it first, and no number of resends passes it. */
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

interface Agent {
  id: string;
  credential: string;
}

onEachApp(
  'the budget of a key that sends again',
  (get) => {
    let payer: Payer;
    before(async () => {
      await openCarrier(get());
      payer = await openPayer(get(), null);
    });

    const send = ({ credential }: Agent, box: TestApp = get()) =>
      box.call({ path: '/v1/messages', body: { to: newNumber(), template: { id: 'login' } }, credential });
    const act = ({ credential }: Agent, messageId: string, verb = 'resend', box: TestApp = get()) =>
      box.call({ path: `/v1/messages/${messageId}/${verb}`, body: {}, credential });
    async function agentWith(capMicros: number, { id } = payer): Promise<Agent> {
      const counts = { sends_per_day: 500, per_recipient_per_day: 500 };
      const agent = { mode: 'live', countries: ['SG'], ...counts, spend_per_day_micros: capMicros };
      const path = `/admin/v1/applications/${id}/api-keys`;
      const key = bodyOf(await get().operator({ path, body: { kind: 'agent', description: 'Bot', agent } }));
      const made = { id: key.id, credential: `${key.dev_key}:${key.dev_secret}` };
      await approveFirst(get(), id, async () => (await send(made)).body);
      return made;
    }
    /** Sent by the application's own server, and handed over. */
    async function sent(template = 'login', to = newNumber()): Promise<string> {
      const { message_id: messageId } = bodyOf(await payer.send(to, { template: { id: template } }));
      await get().app.delivery.runUntilIdle();
      return messageId;
    }
    const spentBy = async ({ id }: Agent): Promise<number> => {
      await get().app.delivery.runUntilIdle();
      return countedAt(get().database.db, id);
    };

    test('a key that may spend nothing sends nothing again, and says until when', async () => {
      const agent = await agentWith(0);
      assertRefused(await send(agent), 3003, 'budget_exhausted');
      const messageId = await sent('chain');
      for (const verb of ['resend', 'next-channel']) {
        const refused = await get().expectNothingHappened(() => act(agent, messageId, verb));
        assertRefused(refused, 3003, 'budget_exhausted');
        const left = 86_400 - ((get().database.clock.now() / 1000) % 86_400);
        assert.ok(Math.abs(Number(refused.headers['retry-after']) - left) < 5, `${refused.headers['retry-after']}`);
      }
      bodyOf(await payer.act(messageId, 'resend'));
    });

    test('a cap of two is reached by two, whoever sent first; the next day begins anew', async () => {
      const agent = await agentWith(2 * smsMicros);
      const messageId = await sent();
      bodyOf(await act(agent, messageId));
      assert.equal(await spentBy(agent), smsMicros);
      bodyOf(await send(agent));
      assert.equal(await spentBy(agent), 2 * smsMicros);
      assertRefused(await act(agent, messageId), 3003, 'budget_exhausted');
      assertRefused(await act(agent, await sent()), 3003, 'budget_exhausted');
      assertRefused(await send(agent), 3003, 'budget_exhausted');
      await get().database.clock.travel(86_400_000 - (get().database.clock.now() % 86_400_000) - 60_000);
      const own = await sent();
      assertRefused(await act(agent, own), 3003, 'budget_exhausted');
      await get().database.clock.travel(61_000);
      bodyOf(await act(agent, own));
      assert.equal(await spentBy(agent), smsMicros);
    });

    test('what the key sent itself counts once for each hand-over, also when it is sent again on another day', async () => {
      const agent = await agentWith(3 * smsMicros);
      await get().database.clock.travel(86_400_000 - (get().database.clock.now() % 86_400_000) - 60_000);
      const { message_id: messageId } = bodyOf(await send(agent));
      assert.equal(await spentBy(agent), smsMicros);
      bodyOf(await act(agent, messageId));
      assert.equal(await spentBy(agent), 2 * smsMicros);
      await get().database.clock.travel(61_000);
      for (const times of [1, 2, 3]) {
        bodyOf(await act(agent, messageId));
        assert.equal(await spentBy(agent), times * smsMicros);
      }
      assertRefused(await act(agent, messageId), 3003, 'budget_exhausted');
    });

    test('the next channel costs what it costs, a step after the one asked for is added, what is not handed over is taken out', async () => {
      const poor = await agentWith(smsMicros - 1);
      const messageId = await sent('chain');
      assertRefused(await act(poor, messageId, 'next-channel'), 3003, 'budget_exhausted');
      const rich = await agentWith(2 * smsMicros + whatsappMicros);
      bodyOf(await act(rich, messageId, 'next-channel'));
      assert.equal(await spentBy(rich), smsMicros);
      const unreachable = newNumber();
      const refused = await sent('chain', unreachable);
      carrier.answers.set(`whatsapp ${unreachable}`, refuses);
      carrier.answers.set(`sms ${unreachable}`, refuses);
      bodyOf(await act(rich, refused));
      assert.equal(await spentBy(rich), smsMicros);
      assertRefused(await act(poor, await sent('chain')), 3003, 'budget_exhausted');
      bodyOf(await act(rich, await sent('chain')));
      assert.equal(await spentBy(rich), smsMicros + whatsappMicros + smsMicros, 'the step that may follow is held');
      await get().live(21);
      assert.equal(await spentBy(rich), smsMicros + whatsappMicros + smsMicros);
      assertRefused(await act(rich, await sent('chain')), 3003, 'budget_exhausted');
    });

    test('what is still to be handed over when the key asks is counted until then, and no credit of it afterwards', async () => {
      const counting = await openPayer(get(), null);
      await counting.budget({ scope: 'all', period: 'day', cap_micros: 100 * smsMicros });
      const agent = await agentWith(2 * smsMicros, counting);
      const [to, held] = [newNumber(), Promise.withResolvers<void>()];
      carrier.hold(`sms ${to}`, held.promise);
      const { message_id: messageId } = bodyOf(await counting.send(to));
      bodyOf(await act(agent, messageId));
      assertRefused(await act(agent, messageId), 3003, 'budget_exhausted');
      assertRefused(await send(agent), 3003, 'budget_exhausted');
      held.resolve();
      assert.equal(await spentBy(agent), 2 * smsMicros);
      bodyOf(await counting.act(messageId, 'cancel'));
      assert.equal(await spentBy(agent), 2 * smsMicros);
      assert.equal((await counting.budgets())[0]?.spent_micros, 2 * smsMicros);
    });

    test('twenty at once, on two nodes and of several messages, never pass the cap', async () => {
      const agent = await agentWith(5 * smsMicros);
      const messages = [await sent(), await sent(), await sent(), await sent()];
      const second = await openTestApp(get().database, { adapters: [carrier.adapter()] });
      const replies = await Promise.all(
        Array.from({ length: 20 }, (_, i) => {
          const box = i % 2 === 0 ? get() : second;
          return i % 5 === 4 ? send(agent, box) : act(agent, messages[i % 4] ?? '', 'resend', box);
        }),
      );
      assert.equal(replies.filter(({ status }) => status === 200).length, 5);
      for (const reply of replies.filter(({ status }) => status !== 200))
        assertRefused(reply, 3003, 'budget_exhausted');
      await second.close();
      assert.ok((await spentBy(agent)) <= 5 * smsMicros);
    });
  },
  { adapters: [carrier.adapter()] },
);
