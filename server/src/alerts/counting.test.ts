/** The ledger counted into minutes: every entry once, in its place, whoever counts and whatever commits late. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendEvents, type EventDraft } from '../events/index.ts';
import type { Db } from '../platform/db.ts';
import { messageIdOf } from '../platform/ids.ts';
import { sql } from '../platform/sql.ts';
import { onEachEngine } from '../testing/database.ts';
import { untilLedgerIsSettled } from '../testing/horizon.ts';
import { countChunk, ensureFollower, keptDays, readRates, readSpend, sweepMinutes } from './minute-store.ts';

onEachEngine('counting the ledger', (get) => {
  let applications = 0;
  let messages = 0;
  const newApplication = (): string => String(1_000 + ++applications);

  function entry(applicationId: string, status: string, more: Partial<EventDraft> = {}): EventDraft {
    const messageId = messageIdOf(get().clock.now(), 1, ++messages % 4096);
    return { applicationId, messageId, cause: 'receipt_positive', status, sequence: 1, attempt: 1, ...more };
  }
  const sent = (applicationId: string, cost?: number): EventDraft =>
    entry(applicationId, 'sent', cost === undefined ? {} : { data: { billing: { cost, currency: 'USD' } } });

  const fromId = (): string => messageIdOf(get().clock.now() - keptDays * 86_400_000, 0, 0);
  const follow = async (id: string, db: Db = get().db): Promise<void> => {
    await untilLedgerIsSettled(get().db);
    await ensureFollower(db, id, fromId());
  };

  const countSettled = async (...asked: Parameters<typeof countChunk>): ReturnType<typeof countChunk> => {
    await untilLedgerIsSettled(get().db);
    return countChunk(...asked);
  };

  /** A rule, so that nothing is swept. */
  const keep = (id: string): Promise<unknown> =>
    get().db.query(sql`insert into alert_rules (application_id, kind, min_samples, quiet_minutes, enabled, tell_callback, email_to)
      values (${id}, 'delivery_rate', 0, 0, true, true, '{}')`);

  test('in chunks of any size each entry counts once, from the first message of the last eight days on', async () => {
    const { db } = get();
    const id = newApplication();
    for (let i = 0; i < 5; i++) {
      const one = sent(id, 0.0412);
      await appendEvents(db, [one, { ...one, status: 'delivered' }, entry(id, 'verified')]);
    }
    await appendEvents(db, [entry(id, 'verified_failed'), entry(id, 'verified_timeout'), entry(id, 'plan')]);
    await follow(id);
    const read: number[] = [];
    for (let i = 0; i < 5; i++) read.push((await countSettled(db, id, 4)).read);
    assert.deepEqual(read, [4, 4, 4, 4, 2]);
    await follow(id);
    assert.deepEqual(await countSettled(db, id, 4), { held: true, read: 0 });
    assert.deepEqual(await readRates(db, id), { verified: 5, ended: 7, delivered: 5, sent: 5 });
    assert.deepEqual(await readSpend(db, id), { micros: 206_000, sent: 5, beforeMicros: 0, hoursBefore: 0 });
  });

  test('two that count at the same time count each entry once', async () => {
    const { db } = get();
    const id = newApplication();
    await appendEvents(
      db,
      Array.from({ length: 30 }, () => entry(id, 'verified')),
    );
    await follow(id);
    const count = async (): Promise<void> => {
      while ((await countSettled(db, id, 3)).read > 0);
    };
    await Promise.all([count(), count(), count()]);
    await count();
    assert.equal((await readRates(db, id)).verified, 30);
  });

  test('a receipt counts with its hand-over: late for one minute, and never for an attempt that was not sent', async () => {
    const { db, clock } = get();
    const id = newApplication();
    const [first, second, third] = [sent(id), sent(id), sent(id)];
    await appendEvents(db, [first, second, third]);
    await follow(id);
    await countSettled(db, id, 100);
    assert.deepEqual(await readRates(db, id), { verified: 0, ended: 0, delivered: 0, sent: 0 }, 'too fresh');
    await appendEvents(db, [
      { ...second, status: 'target_invalid' },
      { ...third, status: 'delivered', attempt: 2 },
    ]);
    await countSettled(db, id, 100);
    assert.deepEqual(await readRates(db, id), { verified: 0, ended: 0, delivered: 0, sent: 1 });
    await clock.travel(58 * 60_000);
    await appendEvents(db, [{ ...first, status: 'delivered' }]);
    await countSettled(db, id, 100);
    assert.deepEqual(await readRates(db, id), { verified: 0, ended: 0, delivered: 1, sent: 3 });
    await clock.travel(3 * 60_000);
    assert.equal((await readRates(db, id)).sent, 0, 'out of the window with its hand-over');
  });

  test('what is eight days old is forgotten, and all of an application that no rule counts any more', async () => {
    const { db, clock } = get();
    const [kept, dropped] = [newApplication(), newApplication()];
    await keep(kept);
    for (const id of [kept, dropped]) {
      await appendEvents(db, [sent(id, 1)]);
      await follow(id);
      await countSettled(db, id, 10);
    }
    const minutes = async (id: string): Promise<number> =>
      (await db.query(sql`select 1 from alert_minutes where application_id = ${id}`)).length;
    await sweepMinutes(db);
    assert.deepEqual([await minutes(kept), await minutes(dropped)], [1, 0]);
    assert.equal((await countSettled(db, dropped, 10)).held, false);
    await clock.travel(2 * 3_600_000);
    const { beforeMicros, hoursBefore } = await readSpend(db, kept);
    assert.equal(beforeMicros, 1_000_000);
    assert.ok(hoursBefore > 0.9 && hoursBefore < 1.1, String(hoursBefore));
    await clock.travel(8 * 86_400_000);
    await sweepMinutes(db);
    assert.equal(await minutes(kept), 0);
  });

  test('an application long silent begins at now, not at its beginning', async () => {
    const { db, clock } = get();
    const id = newApplication();
    await appendEvents(db, [entry(id, 'verified')]);
    await clock.travel(9 * 86_400_000);
    await follow(id);
    assert.equal((await countSettled(db, id, 10)).read, 0);
    await appendEvents(db, [entry(id, 'verified')]);
    assert.equal((await countSettled(db, id, 10)).read, 1);
  });

  test('an entry that commits after one of a later position is not missed', async (t) => {
    const { db, kind } = get();
    if (kind === 'pglite')
      return t.diagnostic('an embedded database has one connection: nothing commits beside another');
    const id = newApplication();
    await follow(id);
    const late = Promise.withResolvers<void>();
    const written = Promise.withResolvers<void>();
    const slow = db.transaction(async (tx) => {
      await appendEvents(tx, [entry(id, 'verified')]);
      written.resolve();
      await late.promise;
    });
    await written.promise;
    await appendEvents(db, [entry(id, 'verified_failed')]);
    assert.equal((await countChunk(db, id, 10)).read, 0, 'an older transaction is under way');
    late.resolve();
    await slow;
    assert.equal((await countSettled(db, id, 10)).read, 2);
    const { verified, ended } = await readRates(db, id);
    assert.deepEqual([verified, ended], [1, 2]);
  });
});
