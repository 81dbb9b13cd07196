/** Starting, waking, stopping, and the database going away, with the loop running. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { DatabaseUnavailable, type Db, type Queryable } from '../platform/db.ts';
import { openPostgres } from '../platform/postgres.ts';
import { raw } from '../platform/sql.ts';
import { onEachEngine, openTestDatabase } from '../testing/database.ts';
import { until } from '../testing/until.ts';
import {
  accept,
  accepted,
  createNode,
  draftOf,
  held,
  inTurn,
  nextHanded,
  refused,
  rowsOf,
  silentLog,
  stopNodes,
  unknown,
} from './fixtures.ts';
import type { Ids } from './index.ts';

/** A database whose connection can be lost: while it is away every statement fails as the platform reports it. */
function losable(db: Db): { db: Db; lose(): void; comeBack(): void; missed: Promise<void> } {
  let away = false;
  const { promise: missed, resolve } = Promise.withResolvers<void>();
  const reach = async <T>(work: () => Promise<T>): Promise<T> => {
    if (!away) return work();
    resolve();
    throw new DatabaseUnavailable(new Error('away'));
  };
  const lost: Db = {
    ...db,
    query: (statement) => reach(() => db.query(statement)),
    transaction: (work) => reach(() => db.transaction(work)),
    batch: (spec) => db.batch({ ...spec, run: (inner: Queryable, items) => reach(() => spec.run(inner, items)) }),
  };
  return { db: lost, lose: () => (away = true), comeBack: () => (away = false), missed };
}

onEachEngine('the life of an engine', (get) => {
  afterEach(stopNodes);

  test('a message accepted by a process without the worker role is taken up by a worker that was told', async () => {
    const { db, clock } = get();
    const [front, worker] = [createNode(db, clock, { worker: false }), createNode(db, clock)];
    await worker.delivery.start();
    const handed = nextHanded(worker.upstream);
    const ids = await accept(db, front, draftOf('sms'));
    assert.equal((await handed).messageId, ids.messageId);
    await until('sent', async () => (await rowsOf(db, ids)) === 'sent(sms)');
  });

  test('a fallback and a request start at once, and a short delay is kept, without anybody asking', async () => {
    const { db, clock } = get();
    const worker = createNode(db, clock);
    await worker.delivery.start();
    const draft = draftOf('whatsapp|sms|voice');
    const steps = draft.steps.map((step) => ({ ...step, startDelayMs: step.channel === 'sms' ? 30 : 0 }));
    inTurn(worker.upstream, refused(5001), 'accept');
    const ids = await accept(db, worker, { ...draft, steps });
    await until('the fallback', async () => (await rowsOf(db, ids)) === 'sent_failed(wa, 5001, P) sent(sms)');
    await db.transaction((tx) => worker.delivery.nextChannel(tx, ids));
    worker.delivery.wake(ids);
    await until('the request', async () => (await rowsOf(db, ids)).endsWith('sent(voice)'));
  });

  test('what an upstream accepted while the database was away is written when it is back, and the loop goes on', async () => {
    const { db, clock } = get();
    const connection = losable(db);
    const worker = createNode(connection.db, clock);
    await worker.delivery.start();
    const { answer, letGo } = held();
    inTurn(worker.upstream, answer, 'accept');
    const ids = await accept(db, worker, draftOf('sms'));
    connection.lose();
    letGo({ kind: 'accepted', upstreamId: `u-${ids.messageId}` });
    await connection.missed;
    const meanwhile = await accept(db, createNode(db, clock, { worker: false }), draftOf('sms'));
    connection.comeBack();
    await until('sent', async () => (await rowsOf(db, ids)) === 'sent(sms)');
    await until('sent meanwhile', async () => (await rowsOf(db, meanwhile)) === 'sent(sms)');
    assert.equal(worker.upstream.handed.length, 2);
  });

  test('stopping waits for the attempts under way, so that their outcome is not lost', async () => {
    const { db, clock } = get();
    const worker = createNode(db, clock);
    await worker.delivery.start();
    const { answer, letGo } = held();
    inTurn(worker.upstream, answer);
    const ids = await accept(db, worker, draftOf('sms'));
    const stopped = worker.delivery.stop();
    letGo({ kind: 'accepted', upstreamId: `u-${ids.messageId}` });
    await stopped;
    assert.equal(await rowsOf(db, ids), 'sent(sms)');
  });

  test('an attempt that outlasts the stopping is unknown, and another node repeats it at once', async () => {
    const { db, clock } = get();
    const [leaving, staying] = [createNode(db, clock), createNode(db, clock)];
    inTurn(leaving.upstream, held().answer);
    const ids = await accept(db, leaving, draftOf('sms'));
    await leaving.delivery.stop(1);
    await staying.delivery.runUntilIdle();
    assert.deepEqual(staying.upstream.handed[0]?.reference, leaving.upstream.handed[0]?.reference);
    assert.equal(await rowsOf(db, ids), 'sent(sms)');
  });

  test('what still waits for a lane when a process stops is given back unsent', async () => {
    const { db, clock } = get();
    const [leaving, staying] = [createNode(db, clock, { concurrency: 1 }), createNode(db, clock)];
    const { answer, letGo } = held();
    leaving.upstream.answer = () => answer;
    const all: Ids[] = [];
    for (let i = 0; i < 3; i++) all.push(await accept(db, leaving, draftOf('sms')));
    const stopped = leaving.delivery.stop();
    letGo(unknown);
    await stopped;
    assert.equal(leaving.upstream.handed.length, 1);
    await staying.delivery.runUntilIdle();
    for (const ids of all) assert.equal(await rowsOf(db, ids), 'sent(sms)');
    assert.equal(staying.upstream.handed.length, 3);
  });

  test('a process with a long backlog leaves further messages to the loops', async () => {
    const { db, clock } = get();
    const busy = createNode(db, clock, { concurrency: 1 });
    const { answer, letGo } = held();
    busy.upstream.answer = async (message) => {
      await answer;
      return accepted(message);
    };
    const all: Ids[] = [];
    for (let i = 0; i < 8; i++) all.push(await accept(db, busy, draftOf('sms')));
    const other = createNode(db, clock);
    await other.delivery.runUntilIdle();
    assert.equal(other.upstream.handed.length, 2, 'one runs, five wait, two are for anybody');
    letGo(unknown);
    await busy.delivery.runUntilIdle();
    for (const ids of all) assert.equal(await rowsOf(db, ids), 'sent(sms)');
  });
});

test('connections cut again and again: every message is handed over once and its outcome written (postgres)', async () => {
  const own = await openTestDatabase('postgres');
  const url = own.url ?? '';
  const db = openPostgres({ url, log: silentLog });
  const front = createNode(own.db, own.clock, { worker: false });
  const worker = createNode(db, own.clock);
  try {
    const all = await Promise.all(Array.from({ length: 300 }, () => accept(own.db, front, draftOf('sms'))));
    const cutting = (async () => {
      for (let cuts = 0; cuts < 20 && worker.upstream.handed.length < 300; cuts++)
        await own.db.query(
          raw(`select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and application_name = 'otp-platform' and pid <> pg_backend_pid()
              and state = 'active' and query like '%saved as (%'`),
        );
    })();
    await worker.delivery.start();
    await until('all handed over', () => worker.upstream.handed.length >= 300);
    await cutting;
    await worker.delivery.stop();
    for (const ids of all) assert.equal(await rowsOf(own.db, ids), 'sent(sms)');
    assert.equal(worker.upstream.handed.length, 300);
  } finally {
    await stopNodes();
    await db.close();
    await own.close();
  }
});
