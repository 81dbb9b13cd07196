/** What holds when nodes die, race, stop or lose the database. A second engine over the same database is a second node. */
import assert from 'node:assert/strict';
import { afterEach, before, test } from 'node:test';
import type { Db } from '../platform/db.ts';
import { onEachEngine } from '../testing/database.ts';
import {
  accept,
  accepted,
  causesOf,
  check,
  createNode,
  draftOf,
  held,
  inTurn,
  nextHanded,
  phone,
  received,
  refused,
  rowsOf,
  type ScriptedUpstream,
  stopNodes,
  unknown,
} from './fixtures.ts';

const references = (upstream: ScriptedUpstream): string[] => upstream.handed.map((message) => message.reference);

onEachEngine('unknown and refused attempts', (get) => {
  before(() => get().clock.freeze());
  afterEach(stopNodes);

  test('an attempt of a dead node is repeated once by another, under the same reference', async () => {
    const { db, clock } = get();
    const [first, second] = [createNode(db, clock), createNode(db, clock)];
    const { answer, letGo } = held();
    inTurn(first.upstream, answer);
    const ids = await accept(db, first, draftOf('sms'));
    await clock.travel(14_000);
    await second.delivery.runUntilIdle();
    assert.equal(second.upstream.handed.length, 0, 'the lease still stands');
    await clock.travel(1_500);
    await second.delivery.runUntilIdle();
    assert.deepEqual(references(second.upstream), references(first.upstream));
    assert.equal(await rowsOf(db, ids), 'sent(sms)');
    // The node was only slow: its save comes too late and changes nothing but what is known about its call.
    letGo({ kind: 'accepted', upstreamId: `slow-${ids.messageId}` });
    await first.delivery.runUntilIdle();
    assert.equal(await rowsOf(db, ids), 'sent(sms)');
    const outcome = { kind: 'delivered' } as const;
    assert.equal(await first.delivery.receive('scripted', { upstreamId: `slow-${ids.messageId}`, outcome }), true);
    assert.equal(await received(second, ids, 1), true);
    assert.equal(await rowsOf(db, ids), 'sent(sms) delivered(sms)');
  });

  test('a second unknown counts as refused with 5016 and the next channel starts', async () => {
    const { db, clock } = get();
    const node = createNode(db, clock);
    inTurn(node.upstream, unknown, unknown, 'accept');
    const ids = await accept(db, node, draftOf('whatsapp|sms'));
    await node.delivery.runUntilIdle();
    assert.equal(await rowsOf(db, ids), 'sent_failed(wa, 5016, P) sent(sms)');
    assert.deepEqual(
      node.upstream.handed.map((message) => message.attempt),
      [1, 1, 2],
    );
    assert.deepEqual(await causesOf(db, ids), [
      'attempt_unknown',
      'attempt_unknown',
      'upstream_rejected',
      'step_started',
      'upstream_accepted',
    ]);
  });

  test('a temporary refusal is tried again after 1, 2 and 4 s under new references, then the step is rejected', async () => {
    const { db, clock } = get();
    const node = createNode(db, clock);
    inTurn(node.upstream, refused(5001, true));
    const ids = await accept(db, node, draftOf('sms'));
    await node.delivery.runUntilIdle();
    const counts: number[] = [];
    for (const seconds of [0.999, 0.001, 1.999, 0.001, 3.999, 0.001]) {
      await clock.travel(seconds * 1_000);
      await node.delivery.runUntilIdle();
      counts.push(node.upstream.handed.length);
    }
    assert.deepEqual(counts, [1, 2, 2, 3, 3, 4]);
    assert.equal(new Set(references(node.upstream)).size, 4);
    assert.equal(await rowsOf(db, ids), 'sent_failed(sms, 5001)');
  });

  test('an upstream that asks for patience gets it, unless another channel could start sooner', async () => {
    const { db, clock } = get();
    const patient = createNode(db, clock);
    inTurn(patient.upstream, refused(5001, true, 90_000), 'accept');
    await accept(db, patient, draftOf('sms'));
    await patient.delivery.runUntilIdle();
    await clock.travel(89_000);
    await patient.delivery.runUntilIdle();
    assert.equal(patient.upstream.handed.length, 1);
    await clock.travel(1_100);
    await patient.delivery.runUntilIdle();
    assert.equal(patient.upstream.handed.length, 2);
    const moving = createNode(db, clock);
    inTurn(moving.upstream, refused(5001, true, 90_000), 'accept');
    const ids = await accept(db, moving, draftOf('sms|email'));
    await moving.delivery.runUntilIdle();
    assert.equal(await rowsOf(db, ids), 'sent_failed(sms, 5001, P) sent(email)');
  });

  test('no answer in time is unknown, and an acceptance that comes afterwards is not lost', async () => {
    const { db, clock } = get();
    const node = createNode(db, clock, { attemptTimeoutMs: 5 });
    const { answer, letGo } = held();
    let aborted = false;
    node.upstream.answer = (_, signal) => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      return answer;
    };
    const ids = await accept(db, node, draftOf('sms'));
    await node.delivery.runUntilIdle();
    assert.ok(aborted);
    assert.equal(node.upstream.handed.length, 2);
    assert.equal(await rowsOf(db, ids), 'sent_failed(sms, 5016)');
    letGo({ kind: 'accepted', upstreamId: `late-${ids.messageId}` });
    const outcome = { kind: 'delivered' } as const;
    const report = () => node.delivery.receive('scripted', { upstreamId: `late-${ids.messageId}`, outcome });
    while (!(await report()));
    assert.equal(await rowsOf(db, ids), 'sent_failed(sms, 5016) delivered(sms, L)');
    assert.equal((await node.delivery.find('7', ids.messageId))?.state, 'delivered');
  });

  test('an adapter that throws and a channel without a provider harm their own step alone', async () => {
    const { db, clock } = get();
    const node = createNode(db, clock);
    node.upstream.answer = (message) => {
      if (message.channel === 'whatsapp') throw new Error('a fault of the adapter');
      return accepted(message);
    };
    const ids = await accept(db, node, draftOf('whatsapp|sms'));
    await node.delivery.runUntilIdle();
    assert.equal(await rowsOf(db, ids), 'sent_failed(wa, 5016, P) sent(sms)');
    const nowhere = createNode(db, clock, { lineOf: () => null });
    const lost = await accept(db, nowhere, draftOf('whatsapp|sms'));
    await nowhere.delivery.runUntilIdle();
    assert.equal(await rowsOf(db, lost), 'sent_failed(sms, 5016)');
    assert.equal((await nowhere.delivery.find('7', lost.messageId))?.state, 'failed');
    assert.equal(nowhere.released.length, 1);
  });
});

onEachEngine('requests and receipts at the wrong moment', (get) => {
  afterEach(stopNodes);

  test('a user request during an attempt waits for its outcome and never makes two go out at once', async () => {
    const { db, clock } = get();
    const node = createNode(db, clock);
    const { answer, letGo } = held();
    inTurn(node.upstream, answer, 'accept');
    const ids = await accept(db, node, draftOf('whatsapp|sms'));
    assert.deepEqual(await db.transaction((tx) => node.delivery.nextChannel(tx, ids)), { channel: 'sms' });
    assert.equal(node.upstream.handed.length, 1);
    letGo(refused(5001, true));
    await node.delivery.runUntilIdle();
    assert.equal(await rowsOf(db, ids), 'sent_failed(wa, 5001, P) sent(sms)');
  });

  test('verified while an attempt is in flight: its acceptance is recorded, nothing follows', async () => {
    const { db, clock } = get();
    const node = createNode(db, clock);
    const { answer, letGo } = held();
    inTurn(node.upstream, answer);
    const ids = await accept(db, node, draftOf('whatsapp|sms'));
    await check(db, node, ids);
    letGo({ kind: 'accepted', upstreamId: 'u-verified' });
    await node.delivery.runUntilIdle();
    await clock.travel(60_000);
    await node.delivery.runUntilIdle();
    assert.equal(await rowsOf(db, ids), 'verified(wa) sent(wa)');
    assert.equal(node.upstream.handed.length, 1);
  });

  test('a verified message whose node died is not handed over again', async () => {
    const { db, clock } = get();
    const [dead, other] = [createNode(db, clock), createNode(db, clock)];
    inTurn(dead.upstream, held().answer);
    const ids = await accept(db, dead, draftOf('whatsapp|sms'));
    await check(db, dead, ids);
    await clock.travel(15_100);
    await other.delivery.runUntilIdle();
    assert.equal(other.upstream.handed.length, 0);
    assert.equal(await rowsOf(db, ids), 'verified(wa) sent_failed(wa, 5016)');
  });

  test('a code that expired before anybody looked is not handed over', async () => {
    const { db, clock } = get();
    const [front, worker] = [createNode(db, clock, { worker: false }), createNode(db, clock)];
    const ids = await accept(db, front, draftOf('sms'));
    await clock.travel(300_100);
    await worker.delivery.runUntilIdle();
    await db.transaction((tx) =>
      worker.delivery.expire(tx, [{ applicationId: ids.applicationId, messageIds: [ids.messageId] }]),
    );
    await worker.delivery.runUntilIdle();
    assert.equal(worker.upstream.handed.length, 0);
    assert.equal(await rowsOf(db, ids), 'sent_failed(sms, 5016)');
    assert.equal((await worker.delivery.find('7', ids.messageId))?.state, 'failed');
  });

  test('a receipt of an unknown attempt is to be reported again', async () => {
    const { db, clock } = get();
    const node = createNode(db, clock);
    const outcome = { kind: 'delivered' } as const;
    assert.equal(await node.delivery.receive('scripted', { upstreamId: 'nobody', outcome }), false);
    const ids = await accept(db, node, draftOf('sms'));
    await node.delivery.runUntilIdle();
    assert.equal(await node.delivery.receive('other', { upstreamId: `${ids.messageId}-1`, outcome }), false);
    assert.equal(await rowsOf(db, ids), 'sent(sms)');
  });

  test('a target found invalid before sending is never handed over', async () => {
    const { db, clock } = get();
    const node = createNode(db, clock);
    const draft = draftOf('sms|voice');
    const steps = draft.steps.map((step) => ({ ...step, skip: 'target_invalid' as const, content: null }));
    const ids = await accept(db, node, { ...draft, steps });
    await node.delivery.runUntilIdle();
    assert.equal((await node.delivery.find('7', ids.messageId))?.state, 'invalid');
    assert.equal(node.upstream.handed.length, 0);
  });
});

onEachEngine('many at once', (get, kind) => {
  afterEach(stopNodes);

  test('500 messages through two engines: each is handed over exactly once', async () => {
    const { db, clock } = get();
    const [front, ...workers] = [
      createNode(db, clock, { worker: false }),
      createNode(db, clock),
      createNode(db, clock),
    ];
    const all = await Promise.all(Array.from({ length: 500 }, () => accept(db, front, draftOf('sms'))));
    await Promise.all(workers.map((worker) => worker.delivery.runUntilIdle()));
    const handed = workers.flatMap((worker) => worker.upstream.handed.map((message) => message.messageId));
    assert.equal(handed.length, 500);
    assert.deepEqual(new Set(handed), new Set(all.map((ids) => ids.messageId)));
    if (kind === 'postgres') assert.ok(workers.every((worker) => worker.upstream.handed.length > 0));
  });

  test('receipts, requests and a check on one message at the same moment: each counts once and the rows have no gap', async () => {
    const { db, clock } = get();
    const nodes = [createNode(db, clock), createNode(db, clock)] as const;
    const ids = await accept(db, nodes[0], draftOf('whatsapp|sms|voice'));
    await nodes[0].delivery.runUntilIdle();
    const ask = () => db.transaction((tx) => nodes[1].delivery.nextChannel(tx, ids)).catch(() => undefined);
    await Promise.all([
      ...Array.from({ length: 20 }, (_, i) => received(nodes[i % 2 === 0 ? 0 : 1], ids, 1, i < 10 ? 5018 : undefined)),
      ask(),
      ask(),
      check(db, nodes[0], ids),
      nodes[0].delivery.runUntilIdle(),
      nodes[1].delivery.runUntilIdle(),
    ]);
    for (const node of nodes) await node.delivery.runUntilIdle();
    const rows = (await rowsOf(db, ids)).split(' ').map((row) => row.replace(/\(.*/, ''));
    for (const once of ['delivered', 'verified'])
      assert.equal(rows.filter((row) => row === once).length, 1, rows.join(' '));
    assert.ok(rows.filter((row) => row === 'delivered_failed').length <= 1);
  });

  test('messages that fail together lift each its own lock once', async () => {
    const { db, clock } = get();
    const node = createNode(db, clock);
    inTurn(node.upstream, refused(5012));
    const all = await Promise.all(Array.from({ length: 50 }, () => accept(db, node, draftOf('sms'))));
    await node.delivery.runUntilIdle();
    assert.deepEqual(new Set(node.released.map((row) => row.messageId)), new Set(all.map((ids) => ids.messageId)));
    assert.equal(node.released.length, 50);
    assert.ok(node.released.every((row) => row.target === phone));
  });

  test('the happy path after acceptance costs one save, then one read and one save for the receipt', async () => {
    const { db, clock } = get();
    let statements = 0;
    const counting: Db = {
      ...db,
      query: (statement) => {
        statements++;
        return db.query(statement);
      },
      batch: (spec) =>
        db.batch({
          ...spec,
          run: (inner, items) => {
            statements++;
            return spec.run(inner, items);
          },
        }),
    };
    const node = createNode(counting, clock);
    const handed = nextHanded(node.upstream);
    const ids = await accept(db, node, draftOf('sms'));
    await handed;
    while ((await rowsOf(db, ids)) === '');
    assert.equal(statements, 1);
    await received(node, ids, 1);
    assert.equal(statements, 3);
  });
});
