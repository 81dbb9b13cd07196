/** An agent's key that may send to real people: it does what its terms say, and is stopped at their end. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { onEachApp } from '../testing/app.ts';
import { bodyOf, newNumber } from '../testing/application.ts';
import { approveFirst } from '../testing/approvals.ts';
import { openCarrier, openPayer, PricedCarrier, smsMicros } from '../testing/payers.ts';
import { done, newKey, openClient, refused } from './fixture.ts';

const carrier = new PricedCarrier();

onEachApp(
  'an agent that sends live',
  (get) => {
    before(() => openCarrier(get()));

    async function open(terms: object) {
      const payer = await openPayer(get(), null);
      const path = `/admin/v1/applications/${payer.id}/api-keys`;
      const limits = { spend_per_day_micros: 100 * smsMicros, ...terms };
      const agent = { mode: 'live', countries: ['SG'], unattended: true, ...limits };
      const { dev_key, dev_secret } = bodyOf(await get().operator({ path, body: { kind: 'agent', agent } }));
      const client = await openClient(get(), `${dev_key}:${dev_secret}`);
      await approveFirst(get(), payer.id, () => refused(client, 'send_otp', to(newNumber())));
      return client;
    }
    const to = (recipient: string) => ({ to: recipient, template_id: 'login', idempotency_key: newKey() });

    test('of 1,000 codes sends three, as its key may in a day', async () => {
      const client = await open({ sends_per_day: 3 });
      let sent = 0;
      for (let round = 0; round < 10; round++) {
        const results = await Promise.all(
          Array.from({ length: 100 }, () => client.callTool({ name: 'send_otp', arguments: to(newNumber()) })),
        );
        sent += results.filter(({ isError }) => !isError).length;
      }
      assert.equal(sent, 3);
      const refusal = await refused(client, 'send_otp', to(newNumber()));
      assert.deepEqual([refusal.code, refusal.reason, refusal.retryable], [3004, 'rate_limited', true]);
      assert.match(refusal.next_step, /^Wait \d+ s, then go on more slowly\.$/);
      assert.equal((await done(client, 'list_messages', { limit: 50 })).messages.length, 3);
      await client.close();
    });

    test('sends nothing abroad, and no more than its money', async () => {
      const client = await open({ spend_per_day_micros: smsMicros });
      const abroad = await get().expectNothingHappened(() => refused(client, 'send_otp', to('+4915112345678')));
      assert.deepEqual([abroad.code, abroad.reason], [3003, 'destination_not_allowed']);
      assert.match(abroad.next_step, /ask the operator/);
      await done(client, 'send_otp', to(newNumber()));
      const spent = await refused(client, 'send_otp', to(newNumber()));
      assert.equal(spent.reason, 'budget_exhausted');
      assert.match(spent.next_step, /Stop sending/);
      await client.close();
    });
  },
  { adapters: [carrier.adapter()] },
);
