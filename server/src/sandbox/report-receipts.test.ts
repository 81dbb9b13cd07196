import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { DatabaseUnavailable, type Db } from '../platform/db.ts';
import { onEachEngine, type TestDatabase } from '../testing/database.ts';
import { type Fixture, never, newApplication, onSms, openSandbox, outgoing, upstreamIdOf } from './fixture.ts';

const to = '+6591234567';
const dayMs = 86_400_000;

onEachEngine('receipts of the virtual network', (get, kind) => {
  before(() => get().clock.freeze());

  async function within(work: (fixture: Fixture, database: TestDatabase) => Promise<void>): Promise<void> {
    const fixture = await openSandbox(get());
    try {
      await work(fixture, get());
    } finally {
      fixture.answer = async () => true;
      await get().clock.travel(2 * dayMs);
      await fixture.sandbox.runUntilIdle();
      await fixture.close();
    }
  }
  const send = async (fixture: Fixture, applicationId: string, recipient = to): Promise<string> =>
    upstreamIdOf(await fixture.upstream.send(outgoing({ applicationId, to: recipient }), never()));
  const kinds = (fixture: Fixture) => fixture.receipts.map((receipt) => receipt.outcome.kind);

  test('an ordinary recipient is receipted as delivered after one second, once', () =>
    within(async (fixture, { clock }) => {
      const upstreamId = await send(fixture, newApplication());
      assert.equal(await fixture.sandbox.runUntilIdle(), 0);
      await clock.travel(1_000);
      assert.equal(await fixture.sandbox.runUntilIdle(), 1);
      await clock.travel(dayMs);
      assert.equal(await fixture.sandbox.runUntilIdle(), 0);
      assert.deepEqual(fixture.receipts, [{ upstreamId, outcome: { kind: 'delivered' } }]);
    }));

  test('…004 is undelivered by WhatsApp seven seconds after its hand-over and delivered by SMS five seconds after its own', () =>
    within(async (fixture, { clock }) => {
      const message = outgoing({ applicationId: newApplication(), to: '+10000000004', channel: 'whatsapp' });
      const first = upstreamIdOf(await fixture.upstream.send(message, never()));
      await clock.travel(6_000);
      assert.equal(await fixture.sandbox.runUntilIdle(), 0);
      await clock.travel(1_000);
      assert.equal(await fixture.sandbox.runUntilIdle(), 1);
      const second = upstreamIdOf(await fixture.upstream.send({ ...message, channel: 'sms' }, never()));
      await clock.travel(5_000);
      await fixture.sandbox.runUntilIdle();
      assert.deepEqual(fixture.receipts, [
        {
          upstreamId: first,
          outcome: { kind: 'undelivered', reason: 'unreachable', errorCode: 5012, detail: 'destination unreachable' },
        },
        { upstreamId: second, outcome: { kind: 'delivered' } },
      ]);
    }));

  test('…003 and a script without receipt get none, a day later still', () =>
    within(async (fixture, { clock }) => {
      const applicationId = newApplication();
      await send(fixture, applicationId, '+10000000003');
      await fixture.sandbox.scriptRecipient(applicationId, to, onSms({ receipt: 'none' }));
      await send(fixture, applicationId);
      await clock.travel(dayMs);
      assert.equal(await fixture.sandbox.runUntilIdle(), 0);
    }));

  test('by script come late, negative and more than once', () =>
    within(async (fixture, { clock }) => {
      const applicationId = newApplication();
      const reaction = {
        receipt: 'undelivered',
        receiptErrorCode: 5018,
        receiptAfterMs: 90_000,
        receiptTimes: 3,
      } as const;
      await fixture.sandbox.scriptRecipient(applicationId, to, onSms(reaction));
      const upstreamId = await send(fixture, applicationId);
      await clock.travel(89_000);
      assert.equal(await fixture.sandbox.runUntilIdle(), 0);
      await clock.travel(1_000);
      await fixture.sandbox.runUntilIdle();
      const negative = {
        kind: 'undelivered',
        reason: 'upstream_error',
        errorCode: 5018,
        detail: 'handset off or suspended',
      } as const;
      assert.deepEqual(fixture.receipts, Array(3).fill({ upstreamId, outcome: negative }));
    }));

  test('by script come before the hand-over is answered, and as planned afterwards', () =>
    within(async (fixture, { clock }) => {
      const applicationId = newApplication();
      await fixture.sandbox.scriptRecipient(applicationId, to, onSms({ receiptBeforeAnswer: true }));
      let answered = false;
      fixture.answer = async () => {
        assert.equal(answered, false);
        return false;
      };
      const upstreamId = await send(fixture, applicationId);
      answered = true;
      assert.equal(fixture.receipts.length, 1);
      fixture.answer = async () => true;
      await clock.travel(1_000);
      await fixture.sandbox.runUntilIdle();
      assert.deepEqual(fixture.receipts, Array(2).fill({ upstreamId, outcome: { kind: 'delivered' } }));
    }));

  test('a lost message can still be receipted: an upstream that lies', () =>
    within(async (fixture, { clock }) => {
      const applicationId = newApplication();
      await fixture.sandbox.scriptRecipient(applicationId, to, onSms({ lost: true, receipt: 'delivered' }));
      await send(fixture, applicationId);
      await clock.travel(1_000);
      assert.equal(await fixture.sandbox.runUntilIdle(), 1);
    }));

  test('not taken, or refused by a database that is away, come again with growing gaps until taken', () =>
    within(async (fixture, { clock }) => {
      const answers = [false, new DatabaseUnavailable('away'), false, true];
      fixture.answer = async () => {
        const answer = answers.shift() ?? true;
        if (typeof answer === 'boolean') return answer;
        throw answer;
      };
      await send(fixture, newApplication());
      await clock.travel(1_000);
      const waits: number[] = [];
      for (let waited = 0; answers.length > 0; waited += 50) {
        if ((await fixture.sandbox.runUntilIdle()) > 0) {
          waits.push(waited);
          waited = 0;
        }
        await clock.travel(50);
      }
      assert.deepEqual(kinds(fixture), Array(4).fill('delivered'));
      assert.deepEqual(waits, [0, 100, 200, 400]);
      await clock.travel(dayMs);
      assert.equal(await fixture.sandbox.runUntilIdle(), 0);
    }));

  test('nobody ever takes are given up after a day', () =>
    within(async (fixture, { clock }) => {
      fixture.answer = async () => false;
      await send(fixture, newApplication());
      await clock.travel(1_000);
      for (let hour = 0; hour < 24; hour++) {
        assert.equal(await fixture.sandbox.runUntilIdle(), 1, `hour ${hour}`);
        await clock.travel(3_600_000);
      }
      assert.equal(await fixture.sandbox.runUntilIdle(), 1);
      await clock.travel(3_600_000);
      assert.equal(await fixture.sandbox.runUntilIdle(), 0);
    }));

  test('survive the process that planned them, and the one that died while reporting them', () =>
    within(async (fixture, { clock }) => {
      await send(fixture, newApplication());
      await fixture.upstream.close();
      await clock.travel(1_000);
      assert.equal(await fixture.sandbox.runDue(), 0, 'a node without an open network claims nothing');
      const dying = await openSandbox(get());
      const reported = Promise.withResolvers<void>();
      const death = Promise.withResolvers<boolean>();
      dying.answer = () => {
        reported.resolve();
        return death.promise;
      };
      const round = dying.sandbox.runDue();
      await reported.promise;
      const heir = await openSandbox(get());
      assert.equal(await heir.sandbox.runUntilIdle(), 0, 'claimed by another node');
      await clock.travel(31_000);
      assert.equal(await heir.sandbox.runUntilIdle(), 1);
      death.resolve(true);
      await round;
      assert.equal(await heir.sandbox.runUntilIdle(), 0);
      await dying.close();
      await heir.close();
    }));

  test('are reported by the loop without being asked, and not after stop', () =>
    within(async (fixture) => {
      const applicationId = newApplication();
      await fixture.sandbox.scriptRecipient(applicationId, to, onSms({ receiptAfterMs: 0 }));
      const heard = Promise.withResolvers<void>();
      fixture.answer = async () => {
        heard.resolve();
        return true;
      };
      await fixture.sandbox.start();
      await send(fixture, applicationId);
      await heard.promise;
      await fixture.sandbox.stop();
      await send(fixture, applicationId);
      assert.equal(fixture.receipts.length, 1);
    }));

  test('are reported by the loop also after the database was away', { timeout: 10_000 }, async () => {
    const { db, clock } = get();
    const failed = Promise.withResolvers<void>();
    let away = true;
    const query: Db['query'] = (statement) => {
      if (!away) return db.query(statement);
      failed.resolve();
      return Promise.reject(new DatabaseUnavailable(new Error('away')));
    };
    const fixture = await openSandbox({ db: { ...db, query }, clock });
    const heard = Promise.withResolvers<void>();
    fixture.answer = async () => {
      heard.resolve();
      return true;
    };
    await fixture.sandbox.start();
    await failed.promise;
    away = false;
    await send(fixture, newApplication(), '+10000000010');
    await heard.promise;
    await fixture.close();
  });

  if (kind === 'postgres') {
    test('are shared out between nodes that report at the same time', () =>
      within(async (fixture, { clock }) => {
        const other = await openSandbox(get());
        const applicationId = newApplication();
        const sends = Array.from({ length: 1_200 }, () => fixture.upstream.send(outgoing({ applicationId }), never()));
        const sent = new Set((await Promise.all(sends)).map(upstreamIdOf));
        await clock.travel(1_000);
        const nodes = [fixture, other, fixture, other];
        await Promise.all(nodes.map((node) => node.sandbox.runUntilIdle()));
        await fixture.sandbox.runUntilIdle();
        const reported = [...fixture.receipts, ...other.receipts].map((receipt) => receipt.upstreamId);
        assert.equal(reported.length, 1_200);
        assert.deepEqual(new Set(reported), sent);
        await other.close();
      }));
  }
});
