/** Each scenario of contract §7.4: the rows in the ledger, and the same rows in the same order at a receiver of callbacks. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { webhooks } from '../events/index.ts';
import { sql } from '../platform/sql.ts';
import { onEachApp } from '../testing/app.ts';
import { bodyOf, newNumber, openApplication, type TestApplication, wrongFor } from '../testing/application.ts';
import { openReceiver, type Receiver } from '../testing/receiver.ts';

const wa = 'whatsapp';
const opening = (channel: string) => [`plan(${channel})`, `target_valid(${channel})`];
const undelivered = { receipt: 'undelivered', receipt_error_code: 5018, receipt_after_ms: 2000 };
const refuses = { hand_over: 'refuse', error_code: 5012 };
const noReceipt = { receipt: 'none' };

onEachApp(
  'the rows of each scenario (contract §7.4)',
  (get) => {
    let app: TestApplication;
    let receiver: Receiver;
    before(async () => {
      receiver = await openReceiver();
      await get().database.clock.freeze();
      app = await openApplication(get(), {
        policy: { resend_policy: { resend_after: 0 } },
        templates: [{}, { template_id: 'chain', send_channel_strategy: 'whatsapp|sms' }],
      });
      const path = `/admin/v1/applications/${app.id}/callback-endpoints`;
      bodyOf(await get().operator({ path, body: { url: receiver.url, description: 'scenarios' } }));
    });
    after(() => receiver.close());

    const described = webhooks.find(({ id }) => id === 'messageStatus')?.body;

    /** What the customer's server was told of a message, in the order of arrival and as the ledger is written below. */
    async function toldOf(id: string): Promise<string[]> {
      await get().app.posting.runUntilIdle();
      const rows = receiver.rows().filter((row) => row.message_id === id);
      for (const { json } of receiver.received)
        if (json.rows) assert.deepEqual(described?.parse(json), json, 'as described');
      const sequences = rows.map(({ status }) => status.status_data.sequence);
      assert.deepEqual(
        sequences,
        rows.map((_row, i) => i + 1),
      );
      return rows.map(({ channel, status: { message_status, error_code, status_data } }) => {
        const { fallback_pending, late } = status_data;
        const marks = [channel, error_code || undefined, fallback_pending && 'P', late && 'L'].filter(Boolean);
        return `${message_status}(${marks.join(', ')})`;
      });
    }

    const live = (seconds: number) => get().live(seconds);
    const jump = async (seconds: number): Promise<void> => {
      await get().database.clock.travel(seconds * 1000);
      await get().settle();
    };

    /** Sends by `template` to a handset with that script. */
    async function begin(script: Record<string, unknown>, template = 'chain', more = {}) {
      const to = newNumber();
      if (Object.keys(script).length > 0) await app.script(to, script);
      const { message_id: id, send_channel: channel } = bodyOf(
        await app.send(to, { template: { id: template }, ...more }),
      );
      await get().settle();
      return {
        id: String(id),
        to,
        channel,
        verify: async () => assert.equal(bodyOf(await app.verify(id, await app.codeAt(to, id))).verified, true),
        expect: async (rows: string[]) => {
          assert.deepEqual(await app.statuses(id), rows);
          assert.deepEqual(await toldOf(id), rows, 'at the receiver');
        },
        state: async () => (await app.story(id)).state,
      };
    }

    test('happy path', async () => {
      const message = await begin({}, 'login');
      await live(2);
      await message.verify();
      await jump(600);
      await message.expect([...opening('sms'), 'sent(sms)', 'delivered(sms)', 'verified(sms)']);
      assert.equal(await message.state(), 'delivered');
    });

    test('whatsapp undelivered, then sms', async () => {
      const message = await begin({ whatsapp: undelivered });
      await live(4);
      await message.verify();
      const rest = ['sent(sms)', 'delivered(sms)', 'verified(sms)'];
      await message.expect([...opening(wa), `sent(${wa})`, `delivered_failed(${wa}, 5018, P)`, ...rest]);
    });

    test('whatsapp refused at hand-over, then sms', async () => {
      const message = await begin({ whatsapp: refuses });
      await live(2);
      await message.verify();
      await message.expect([
        ...opening(wa),
        `sent_failed(${wa}, 5012, P)`,
        'sent(sms)',
        'delivered(sms)',
        'verified(sms)',
      ]);
    });

    test('no receipt within 20 seconds: no row, the next channel starts', async () => {
      const message = await begin({ whatsapp: noReceipt });
      await live(19.5);
      await message.expect([...opening(wa), `sent(${wa})`]);
      await live(0.5);
      await message.expect([...opening(wa), `sent(${wa})`, 'sent(sms)']);
      await live(1);
      await message.verify();
      await message.expect([...opening(wa), `sent(${wa})`, 'sent(sms)', 'delivered(sms)', 'verified(sms)']);
    });

    test('verified before the receipt: the sms step is cancelled, the receipt is late', async () => {
      const message = await begin({ whatsapp: { receipt_after_ms: 5000 } });
      await live(1);
      await message.verify();
      await jump(600);
      await message.expect([...opening(wa), `sent(${wa})`, `verified(${wa})`, `delivered(${wa}, L)`]);
      const { steps } = await app.story(message.id);
      assert.deepEqual(
        steps.map(({ state }: { state: string }) => state),
        ['delivered', 'cancelled'],
      );
    });

    test('late receipt after the fallback', async () => {
      const message = await begin({ whatsapp: { receipt_after_ms: 21_000 }, sms: { receipt_after_ms: 5000 } });
      await live(26);
      await message.verify();
      const rest = ['sent(sms)', `delivered(${wa}, L)`, 'delivered(sms)', 'verified(sms)'];
      await message.expect([...opening(wa), `sent(${wa})`, ...rest]);
    });

    test('receipt while sms still waits: sms never starts', async () => {
      const message = await begin({ whatsapp: { receipt_after_ms: 19_000 } });
      await live(25);
      await message.verify();
      await jump(600);
      await message.expect([...opening(wa), `sent(${wa})`, `delivered(${wa})`, `verified(${wa})`]);
    });

    test('all undelivered: the lock is lifted, verified_timeout at expiry', async () => {
      const message = await begin({ whatsapp: undelivered, sms: undelivered });
      await live(5);
      const rows = [
        ...opening(wa),
        `sent(${wa})`,
        `delivered_failed(${wa}, 5018, P)`,
        'sent(sms)',
        'delivered_failed(sms, 5018)',
      ];
      await message.expect(rows);
      assert.equal(await message.state(), 'failed');
      await jump(295);
      await message.expect([...rows, 'verified_timeout(sms, 3003)']);
    });

    test('all refused at hand-over: no verified_timeout', async () => {
      const message = await begin({ whatsapp: refuses, sms: refuses });
      await jump(600);
      await message.expect([...opening(wa), `sent_failed(${wa}, 5012, P)`, 'sent_failed(sms, 5012)']);
      assert.equal(await message.state(), 'failed');
    });

    test('never verified', async () => {
      const message = await begin({}, 'login');
      await live(1);
      await jump(299);
      await message.expect([...opening('sms'), 'sent(sms)', 'delivered(sms)', 'verified_timeout(sms, 3003)']);
    });

    test('expired between two steps: verified_timeout keeps the promise, sms never starts', async () => {
      const soon = await openApplication(get(), {
        policy: { allow_overrides: ['ttl_seconds'], resend_policy: { resend_after: 0 } },
      });
      // This recipient's sms step starts two seconds after its whatsapp step was reported undelivered.
      const { message_id: id } = bodyOf(await soon.send('+10000000004', { ttl_seconds: 30 }));
      await get().settle();
      await live(21);
      const before = await soon.statuses(id);
      assert.equal(before.at(-1), 'delivered(sms)');
      bodyOf(await soon.act(id, 'resend'));
      await live(12);
      const timeout = `verified_timeout(${wa}, 3003)`;
      assert.deepEqual((await soon.statuses(id)).slice(before.length), [
        `sent(${wa})`,
        `delivered_failed(${wa}, 5012, P)`,
        timeout,
      ]);
    });

    test('attempts used up: verified_failed and no verified_timeout', async () => {
      const message = await begin({}, 'login');
      await live(2);
      const wrong = wrongFor(await app.codeAt(message.to, message.id));
      for (let i = 0; i < 5; i++) bodyOf(await app.verify(message.id, wrong));
      await jump(600);
      await message.expect([...opening('sms'), 'sent(sms)', 'delivered(sms)', 'verified_failed(sms, 3003)']);
    });

    test('target cannot exist, told by the sms upstream at hand-over or by its receipt', async () => {
      const atHandOver = await begin({ sms: { hand_over: 'refuse', error_code: 5020 } }, 'login');
      const byReceipt = await begin({ sms: { receipt: 'undelivered', receipt_error_code: 5020 } }, 'login');
      await live(2);
      await atHandOver.expect([...opening('sms'), 'target_invalid(sms, 5020)']);
      await byReceipt.expect([...opening('sms'), 'sent(sms)', 'target_invalid(sms, 5020)']);
      for (const message of [atHandOver, byReceipt]) assert.equal(await message.state(), 'invalid');
    });

    test('target cannot exist, found before sending under number_check strict; steps to another address continue', async () => {
      const strict = await openApplication(get(), {
        policy: { number_check: 'strict' },
        templates: [{ send_channel_strategy: 'sms|whatsapp|email' }, { template_id: 'plain' }],
      });
      // Possible by its length, in no range of the plan.
      const to = '+6511234567';
      const alone = bodyOf(await strict.send(to, { template: { id: 'plain' } }));
      await jump(600);
      assert.deepEqual(await strict.statuses(alone.message_id), ['plan(sms)', 'target_invalid(sms, 5020)']);
      assert.deepEqual([alone.send_channel, (await strict.story(alone.message_id)).state], ['sms', 'invalid']);
      assert.equal((await strict.inbox(to)).length, 0);
      const email = 'ana@example.com';
      const both = bodyOf(await strict.send(to, { alternate_to: { email } }));
      assert.equal(both.send_channel, 'email');
      await get().settle();
      await live(2);
      assert.deepEqual(await strict.statuses(both.message_id), [
        'plan(email)',
        'target_invalid(sms, 5020, P)',
        'sent(email)',
        'delivered(email)',
      ]);
      const asked = bodyOf(await strict.send('bo@example.com', { alternate_to: { phone: '+6511234568' } }));
      const [checked] = await get().database.db.query<{ channel: string; data: object }>(
        sql`select channel, data from events where message_id = ${asked.message_id} and cause = 'target_checked'`,
      );
      const about = { current_to: '+6511234568', fallback_pending: true };
      assert.deepEqual(checked, { channel: 'sms', data: about }, 'not the address that is right');
      const { steps } = await strict.story(both.message_id);
      assert.deepEqual(
        steps.map(({ state }: { state: string }) => state),
        ['skipped', 'skipped', 'delivered'],
      );
      assert.equal(bodyOf(await strict.verify(both.message_id, await strict.codeAt(email))).verified, true);
      const lenient = bodyOf(await app.send(to)).message_id;
      await get().settle();
      assert.ok((await app.statuses(lenient)).includes('target_valid(sms)'));
    });

    test('user asks for the next channel', async () => {
      const message = await begin({ whatsapp: noReceipt });
      await live(5);
      assert.deepEqual(bodyOf(await app.act(message.id, 'next-channel')), {
        message_id: message.id,
        send_channel: 'sms',
      });
      await get().settle();
      await live(1);
      await message.verify();
      await message.expect([...opening(wa), `sent(${wa})`, 'sent(sms)', 'delivered(sms)', 'verified(sms)']);
    });

    test('resend: the same message, a second attempt', async () => {
      const message = await begin({ sms: noReceipt }, 'login');
      await live(5);
      await app.script(message.to, { sms: {} });
      assert.equal(bodyOf(await app.act(message.id, 'resend')).attempt, 2);
      await get().settle();
      await live(1);
      await message.verify();
      await message.expect([...opening('sms'), 'sent(sms)', 'sent(sms)', 'delivered(sms)', 'verified(sms)']);
    });

    test('cancelled: what is under way reports late, no verified_timeout', async () => {
      const message = await begin({ sms: { receipt_after_ms: 5000 } }, 'login');
      await live(1);
      bodyOf(await app.act(message.id, 'cancel'));
      await live(5);
      await jump(600);
      await message.expect([...opening('sms'), 'sent(sms)', 'delivered(sms, L)']);
    });

    test('own codes and custom messages', async () => {
      const calls = [
        { path: '/v1/codes', body: { to: newNumber(), code: '0', template: { id: 'login' } } },
        { path: '/v1/custom-messages', body: { to: newNumber(), template: { id: 'login', params: { code: '0' } } } },
      ];
      for (const call of calls) {
        const id = bodyOf(await app.call(call)).message_id;
        await get().settle();
        await live(2);
        await jump(86_400);
        assert.deepEqual(await app.statuses(id), [...opening('sms'), 'sent(sms)', 'delivered(sms)']);
      }
    });

    test('a temporary refusal is tried again and then counts as refused: the next channel follows', async () => {
      const message = await begin({ whatsapp: { hand_over: 'refuse_temporarily' } });
      await live(10);
      await message.expect([...opening(wa), `sent_failed(${wa}, 5016, P)`, 'sent(sms)', 'delivered(sms)']);
    });

    test('duplicate receipts are reported once', async () => {
      const message = await begin({ sms: { receipt_times: 5 } }, 'login');
      await live(3);
      await message.expect([...opening('sms'), 'sent(sms)', 'delivered(sms)']);
    });
  },
  { env: { OUTBOUND_ALLOW: '127.0.0.1' } },
);
