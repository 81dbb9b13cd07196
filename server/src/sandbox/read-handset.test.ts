import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ApiError } from '../errors.ts';
import type { Db } from '../platform/db.ts';
import { openPostgres } from '../platform/postgres.ts';
import { raw } from '../platform/sql.ts';
import { onEachEngine, type TestDatabase } from '../testing/database.ts';
import { type Fixture, never, newApplication, onSms, openSandbox, outgoing, silentLog } from './fixture.ts';
import type { SandboxOptions } from './sandbox.ts';

const to = '+6591234567';
const query = { to, waitMs: 0, after: '0', limit: 100 };
const patient = { ...query, waitMs: 30_000 };

onEachEngine('reading a handset', (get, kind) => {
  async function within(
    work: (fixture: Fixture, database: TestDatabase) => Promise<void>,
    options: Partial<SandboxOptions> = {},
  ): Promise<void> {
    const fixture = await openSandbox(get(), options);
    try {
      await work(fixture, get());
    } finally {
      await fixture.close();
    }
  }
  /** Gives a reader every chance to look and go to sleep. */
  async function stillWaiting(reading: Promise<unknown>, turns = 300): Promise<void> {
    let done = false;
    void reading.finally(() => {
      done = true;
    });
    for (let turn = 0; turn < turns; turn++) await nextTurn();
    assert.equal(done, false, 'the reader should wait');
  }

  test('answers newest first, no more than asked for, and only what is newer than a given message', () =>
    within(async ({ sandbox, upstream }, { clock }) => {
      const applicationId = newApplication();
      const messages = [1, 2, 3, 4].map(() => outgoing({ applicationId }));
      for (const message of messages) {
        await upstream.send(message, never());
        await clock.travel(10);
      }
      const ids = messages.map((message) => message.messageId);
      const read = async (more: Partial<typeof query>) =>
        (await sandbox.messages(applicationId, { ...query, ...more }, never())).map((message) => message.message_id);
      assert.deepEqual(await read({}), ids.toReversed());
      assert.deepEqual(await read({ limit: 2 }), [ids[3], ids[2]]);
      assert.deepEqual(await read({ after: ids[1] ?? '' }), [ids[3], ids[2]]);
      assert.deepEqual(await read({ after: ids[3] ?? '' }), []);
      assert.deepEqual(await sandbox.messages(newApplication(), query, never()), []);
      assert.deepEqual(await read({ to: '+6591234568' }), []);
    }));

  test('fifty readers wait without a connection and all wake with the message', () =>
    within(async ({ sandbox, upstream }, { db }) => {
      const applicationId = newApplication();
      const readings = Promise.all(Array.from({ length: 50 }, () => sandbox.messages(applicationId, patient, never())));
      await stillWaiting(readings);
      // The embedded engine has one connection: this would hang if a reader held it.
      await db.transaction((tx) => tx.query(raw('select 1')));
      const message = outgoing({ applicationId });
      await upstream.send(message, never());
      for (const answer of await readings)
        assert.deepEqual(
          answer.map((one) => one.message_id),
          [message.messageId],
        );
    }));

  test('a message that arrives between the first look and the start of the wait is not missed', {
    timeout: 10_000,
  }, () => {
    const { db } = get();
    const gate = Promise.withResolvers<void>();
    const looked = Promise.withResolvers<void>();
    let held = false;
    /** Hands over the answer to the first look only when the gate opens. */
    const query: Db['query'] = async (statement) => {
      const rows = await db.query(statement);
      if (!held) {
        held = true;
        looked.resolve();
        await gate.promise;
      }
      return rows as never;
    };
    return within(
      async ({ sandbox, upstream }) => {
        const applicationId = newApplication();
        const reading = sandbox.messages(applicationId, patient, never());
        await looked.promise;
        await upstream.send(outgoing({ applicationId }), never());
        gate.resolve();
        assert.equal((await reading).length, 1);
      },
      { db: { ...db, query } },
    );
  });

  test('a message that arrives at any moment of the reader going to sleep wakes it', () =>
    within(async ({ sandbox, upstream }) => {
      for (let delay = 0; delay < 30; delay++) {
        const applicationId = newApplication();
        const reading = sandbox.messages(applicationId, patient, never());
        for (let turn = 0; turn < delay; turn++) await nextTurn();
        await upstream.send(outgoing({ applicationId }), never());
        assert.equal((await reading).length, 1, `sent after ${delay} turns`);
      }
    }));

  test('a message for another handset, or one not newer than asked for, wakes nobody', () =>
    within(async ({ sandbox, upstream }) => {
      const applicationId = newApplication();
      const old = outgoing({ applicationId });
      const reading = sandbox.messages(applicationId, { ...patient, after: old.messageId }, never());
      await upstream.send(old, never());
      await upstream.send(outgoing({ applicationId, to: '+6591234568' }), never());
      await stillWaiting(reading);
      const newer = outgoing({ applicationId });
      await upstream.send(newer, never());
      assert.deepEqual(
        (await reading).map((one) => one.message_id),
        [newer.messageId],
      );
    }));

  test('a delayed message ends the wait when it arrives', () =>
    within(async ({ sandbox, upstream }) => {
      const applicationId = newApplication();
      await sandbox.scriptRecipient(applicationId, to, onSms({ arriveAfterMs: 80 }));
      const reading = sandbox.messages(applicationId, patient, never());
      await upstream.send(outgoing({ applicationId }), never());
      assert.equal((await reading).length, 1);
    }));

  test('the wait ends empty when its time is over, the client goes away or the server stops', () =>
    within(async ({ sandbox }) => {
      const applicationId = newApplication();
      assert.deepEqual(await sandbox.messages(applicationId, { ...query, waitMs: 30 }, never()), []);
      const controller = new AbortController();
      const leaving = sandbox.messages(applicationId, patient, controller.signal);
      await stillWaiting(leaving);
      controller.abort();
      assert.deepEqual(await leaving, []);
      const stopped = sandbox.messages(applicationId, patient, never());
      await stillWaiting(stopped);
      await sandbox.stop();
      assert.deepEqual(await stopped, []);
      assert.deepEqual(await sandbox.messages(applicationId, patient, never()), []);
    }));

  test('readers beyond the limit are refused with 429/3004, and a place is free again when one leaves', () =>
    within(
      async ({ sandbox }) => {
        const applicationId = newApplication();
        const controller = new AbortController();
        const readings = [1, 2, 3].map(() => sandbox.messages(applicationId, patient, controller.signal));
        const refusal = await Promise.race(readings).catch((error: unknown) => error);
        assert.ok(refusal instanceof ApiError);
        assert.deepEqual([refusal.code, refusal.status, refusal.retryAfter], [3004, 429, 1]);
        assert.deepEqual(await sandbox.messages(applicationId, query, never()), []);
        controller.abort();
        const settled = await Promise.allSettled(readings);
        assert.equal(settled.filter(({ status }) => status === 'fulfilled').length, 2);
        assert.deepEqual(await sandbox.messages(applicationId, { ...query, waitMs: 10 }, never()), []);
      },
      { maxWaiting: 2 },
    ));

  test('after 24 hours the handset is empty, and the sweep removes messages and scripts from the database', () =>
    within(async ({ sandbox, upstream }, { clock }) => {
      const applicationId = newApplication();
      await clock.travel(86_400_000);
      await sandbox.sweep();
      await upstream.send(outgoing({ applicationId }), never());
      await sandbox.scriptRecipient(applicationId, to, onSms({ lost: true }));
      await clock.travel(86_390_000);
      assert.equal((await sandbox.messages(applicationId, query, never())).length, 1);
      assert.equal(await sandbox.sweep(), 0);
      await clock.travel(10_000);
      assert.equal((await sandbox.messages(applicationId, query, never())).length, 0);
      assert.deepEqual(await sandbox.findScript(applicationId, to), {});
      assert.equal(await sandbox.sweep(), 2);
    }));

  if (kind === 'postgres') {
    test('a reader on one node wakes for a message handed over on another', () =>
      within(async ({ upstream }, { clock, url }) => {
        const elsewhere = openPostgres({ url: url ?? '', log: silentLog });
        const other = await openSandbox({ db: elsewhere, clock });
        const applicationId = newApplication();
        const reading = other.sandbox.messages(applicationId, patient, never());
        await stillWaiting(reading, 2_000);
        await upstream.send(outgoing({ applicationId }), never());
        assert.equal((await reading).length, 1);
        await other.close();
        await elsewhere.close();
      }));
  }
});
