/** Several providers in one channel: who is called next, who never again, what a circuit, a rate and a crash do to it. */
import assert from 'node:assert/strict';
import { afterEach, before, test } from 'node:test';
import { type Receipt, refusedForGood, refusedForNow, undelivered } from '../channels/index.ts';
import { listEvents } from '../events/index.ts';
import type { Db } from '../platform/db.ts';
import type { TestClock } from '../testing/database.ts';
import { onEachEngine } from '../testing/database.ts';
import {
  accept,
  causesOf,
  createNode,
  draftOf,
  held,
  inTurn,
  lineOn,
  type Node,
  nextHanded,
  phone,
  rowsOf,
  ScriptedUpstream,
  stopNodes,
  unknown,
} from './fixtures.ts';
import type { Draft, Ids, Line } from './index.ts';

type Changes = Record<string, Partial<Line> | null>;

interface Carriers {
  node: Node;
  a: ScriptedUpstream;
  b: ScriptedUpstream;
}

/** A node whose SMS go by a, then b. Neither drops repetitions. */
function twoCarriers(db: Db, clock: TestClock, changes: Changes = {}): Carriers {
  const upstreams: Record<string, ScriptedUpstream> = { a: new ScriptedUpstream(), b: new ScriptedUpstream() };
  const lineOf = (id: string | null): Line | null => {
    const upstream = upstreams[id ?? ''];
    const change = changes[id ?? ''];
    if (!upstream || change === null) return null;
    return lineOn(upstream, { provider: id ?? '', idempotent: false, why: `line ${id}`, ...change });
  };
  const node = createNode(db, clock, { lineOf, linesFor: () => ['a', 'b'] });
  return { node, a: upstreams['a'] as ScriptedUpstream, b: upstreams['b'] as ScriptedUpstream };
}

const by = (chain: string, lines = ['a', 'b'], changes: Partial<Draft> = {}): Draft => {
  const draft = draftOf(chain, changes);
  return { ...draft, steps: draft.steps.map((step) => ({ ...step, lines })) };
};

const arrived = { kind: 'delivered' } as const;
const away = undelivered('unreachable', 'switched off');

/** The node that called a is slow: its answer comes while b is called by another. */
async function bothAccept(db: Db, clock: TestClock, changes: Changes): Promise<{ ids: Ids; node: Node }> {
  const [first, second] = [twoCarriers(db, clock, changes), twoCarriers(db, clock, changes)];
  const [slow, quick] = [held(), held()];
  inTurn(first.a, slow.answer);
  inTurn(second.b, quick.answer);
  const ids = await accept(db, first.node, by('sms'));
  await clock.travel(15_500);
  const calledB = nextHanded(second.b);
  const done = second.node.delivery.runUntilIdle();
  await calledB;
  slow.letGo({ kind: 'accepted', upstreamId: 'a has it' });
  await first.node.delivery.runUntilIdle();
  quick.letGo({ kind: 'accepted', upstreamId: 'b has it' });
  await done;
  return { ids, node: second.node };
}

onEachEngine('providers of one channel', (get) => {
  before(() => get().clock.freeze());
  afterEach(stopNodes);

  test('a refusal for the moment or of the route goes to the next provider at once, one of the recipient does not', async () => {
    const { db, clock } = get();
    for (const refusal of [refusedForNow('throttled', 'slow down'), refusedForGood('funds', 'top up')]) {
      const { node, a, b } = twoCarriers(db, clock);
      inTurn(a, refusal);
      const ids = await accept(db, node, by('sms|voice'));
      await node.delivery.runUntilIdle();
      assert.deepEqual([a.handed.length, b.handed.length], [1, 1]);
      assert.equal(await rowsOf(db, ids), 'sent(sms)');
      const [first, second] = await node.delivery.attempts(ids);
      assert.deepEqual([first?.provider, first?.outcome, first?.costMicros], ['a', 'refused', 0]);
      assert.deepEqual([second?.provider, second?.outcome, second?.why], ['b', 'accepted', 'line b']);
      assert.notEqual(a.handed[0]?.reference, b.handed[0]?.reference);
    }
    const { node, a, b } = twoCarriers(db, clock);
    inTurn(a, refusedForGood('opted_out', 'opted out'), 'accept');
    const ids = await accept(db, node, by('sms|voice'));
    await node.delivery.runUntilIdle();
    assert.deepEqual([a.handed.length, b.handed.length], [2, 0]);
    assert.equal(await rowsOf(db, ids), 'sent_failed(sms, 5019, P) sent(voice)');
  });

  test('when all refused for the moment they are asked again after a pause; one that refused for good is left out', async () => {
    const { db, clock } = get();
    const { node, a, b } = twoCarriers(db, clock);
    inTurn(a, refusedForNow('upstream_error', 'no'), 'accept');
    inTurn(b, refusedForGood('credentials', 'wrong key'));
    const ids = await accept(db, node, by('sms'));
    await node.delivery.runUntilIdle();
    assert.deepEqual([a.handed.length, b.handed.length], [1, 1]);
    await clock.travel(1_000);
    await node.delivery.runUntilIdle();
    assert.deepEqual([a.handed.length, b.handed.length], [2, 1]);
    assert.equal(await rowsOf(db, ids), 'sent(sms)');
  });

  test('what may have gone out is repeated by another provider, never by the same one', async () => {
    const { db, clock } = get();
    const { node, a, b } = twoCarriers(db, clock);
    inTurn(a, unknown);
    const ids = await accept(db, node, by('sms'));
    await node.delivery.runUntilIdle();
    assert.deepEqual([a.handed.length, b.handed.length], [1, 1]);
    assert.equal(await rowsOf(db, ids), 'sent(sms)');
    const alone = twoCarriers(db, clock);
    inTurn(alone.a, unknown);
    const lost = await accept(db, alone.node, by('sms|voice', ['a']));
    await alone.node.delivery.runUntilIdle();
    assert.equal(await rowsOf(db, lost), 'sent_failed(sms, 5016, P) sent_failed(voice, 5016)');
    assert.equal(alone.a.handed.length, 2, 'once by each channel');
  });

  test('a provider with an open circuit, or that is gone, is passed over without a call; with none left the step is skipped', async () => {
    const { db, clock } = get();
    const closed = { admit: () => Number.POSITIVE_INFINITY };
    const one = twoCarriers(db, clock, { a: closed });
    const ids = await accept(db, one.node, by('sms'));
    await one.node.delivery.runUntilIdle();
    assert.deepEqual([one.a.handed.length, one.b.handed.length], [0, 1]);
    assert.equal(await rowsOf(db, ids), 'sent(sms)');
    const none = twoCarriers(db, clock, { a: closed, b: null });
    const lost = await accept(db, none.node, by('sms'));
    await none.node.delivery.runUntilIdle();
    assert.equal(await rowsOf(db, lost), 'sent_failed(sms, 5016)');
    assert.ok((await causesOf(db, lost)).includes('circuit_open'));
  });

  test('what a rate does not admit waits for it without a call, and every admitted call is counted off', async () => {
    const { db, clock } = get();
    let tokens = 0;
    const done: string[] = [];
    const rate = { admit: () => (tokens-- > 0 ? 0 : 200), done: ({ kind }: { kind: string }) => void done.push(kind) };
    const { node, a } = twoCarriers(db, clock, { a: rate });
    const ids = await accept(db, node, by('sms', ['a']));
    await node.delivery.runUntilIdle();
    assert.equal(a.handed.length, 0);
    tokens = 1;
    await clock.travel(250);
    await node.delivery.runUntilIdle();
    assert.equal(await rowsOf(db, ids), 'sent(sms)');
    assert.deepEqual(done, ['accepted']);
  });

  test('a node lost at a provider that repeats leaves the attempt to the next provider, and its receipt is still found by our reference', async () => {
    const { db, clock } = get();
    const first = twoCarriers(db, clock);
    const { answer } = held();
    inTurn(first.a, answer);
    const ids = await accept(db, first.node, by('sms'));
    await clock.travel(15_500);
    const second = twoCarriers(db, clock);
    await second.node.delivery.runUntilIdle();
    assert.deepEqual([second.a.handed.length, second.b.handed.length], [0, 1]);
    const reference = first.a.handed[0]?.reference ?? '';
    const outcome = { kind: 'delivered' } as const;
    assert.equal(
      await second.node.delivery.receive('c', { upstreamId: 'x', reference, outcome }),
      false,
      'not its attempt',
    );
    assert.equal(await second.node.delivery.receive('a', { upstreamId: 'never seen', reference, outcome }), true);
    assert.equal(await rowsOf(db, ids), 'sent(sms) delivered(sms)');
    assert.equal(
      await second.node.delivery.receive('a', { upstreamId: 'not seen either', reference: 'x-y', outcome }),
      false,
    );
  });

  test('what one provider reports ends nothing that another accepted: no row, no next channel, nothing given back', async () => {
    const { db, clock } = get();
    for (const answer of [unknown, refusedForNow('throttled', 'slow down')]) {
      const { node, a, b } = twoCarriers(db, clock, { b: { refundable: true } });
      inTurn(a, answer);
      const ids = await accept(db, node, by('sms|voice'));
      await node.delivery.runUntilIdle();
      const [first, second] = [a.handed[0]?.reference ?? '', b.handed[0]?.reference ?? ''];
      const report = (provider: string, upstreamId: string, reference: string, outcome: Receipt['outcome']) =>
        node.delivery.receive(provider, { upstreamId, reference, outcome });
      for (let i = 0; i < 2; i++) assert.equal(await report('a', 'of a', first, away), true);
      await node.delivery.runUntilIdle();
      assert.equal(await rowsOf(db, ids), 'sent(sms)');
      const calls = [...a.handed, ...b.handed].filter(({ messageId }) => messageId === ids.messageId);
      assert.deepEqual(
        calls.map(({ channel }) => channel),
        ['sms', 'sms'],
      );
      const view = await node.delivery.find('7', ids.messageId);
      assert.deepEqual([view?.state, view?.costMicros], ['sent', 41_200]);
      const said = (await causesOf(db, ids)).filter((cause) => cause === 'receipt_negative');
      assert.equal(said.length, answer === unknown ? 1 : 0, 'once, and nothing of what was refused');
      assert.equal(await report('b', `${ids.messageId}-1`, second, away), true);
      assert.equal(await rowsOf(db, ids), 'sent(sms) delivered_failed(sms, 5012, P)');
      assert.equal((await node.delivery.find('7', ids.messageId))?.costMicros, 0);
    }
  });

  test('of two providers that both accepted, the second negative receipt is the one that counts, and each gives back its own', async () => {
    const { db, clock } = get();
    const costs = { a: { costMicros: 70_000, refundable: true }, b: { costMicros: 80_000, refundable: true } };
    const { ids, node } = await bothAccept(db, clock, costs);
    const costOf = async () => (await node.delivery.find('7', ids.messageId))?.costMicros;
    const report = (provider: string, outcome: Receipt['outcome']) =>
      node.delivery.receive(provider, { upstreamId: `${provider} has it`, outcome });
    assert.equal(await costOf(), 150_000);
    for (let i = 0; i < 2; i++) assert.equal(await report('a', away), true);
    assert.deepEqual([await rowsOf(db, ids), await costOf()], ['sent(sms)', 80_000]);
    for (let i = 0; i < 2; i++) assert.equal(await report('b', away), true);
    assert.deepEqual([await rowsOf(db, ids), await costOf()], ['sent(sms) delivered_failed(sms, 5012)', 0]);
    for (let i = 0; i < 2; i++) assert.equal(await report('a', arrived), true);
    const rows = 'sent(sms) delivered_failed(sms, 5012) delivered(sms, L)';
    assert.deepEqual([await rowsOf(db, ids), await costOf()], [rows, 70_000], 'what did not arrive costs nothing');
    assert.equal(await report('a', away), true);
    for (let i = 0; i < 2; i++) assert.equal(await report('b', arrived), true);
    assert.deepEqual([await rowsOf(db, ids), await costOf()], [rows, 150_000]);
  });

  test('a provider that did not deliver what another did gives back its own cost', async () => {
    const { db, clock } = get();
    const { node, a, b } = twoCarriers(db, clock, { b: { refundable: true } });
    inTurn(a, unknown);
    const ids = await accept(db, node, by('sms|voice'));
    await node.delivery.runUntilIdle();
    const reference = a.handed[0]?.reference ?? '';
    assert.equal(await node.delivery.receive('a', { upstreamId: 'of a', reference, outcome: arrived }), true);
    const atB = { upstreamId: `${ids.messageId}-1`, reference: b.handed[0]?.reference ?? '', outcome: away };
    for (let i = 0; i < 2; i++) assert.equal(await node.delivery.receive('b', atB), true);
    assert.equal(await rowsOf(db, ids), 'sent(sms) delivered(sms)');
    assert.equal((await node.delivery.attempts(ids))[1]?.costMicros, 41_200);
    const told = (await listEvents(db, ids.applicationId, ids.messageId)).flatMap(
      ({ data }) => data?.['refunded_micros'] ?? [],
    );
    assert.deepEqual(told, [41_200]);
  });

  test('what arrived although nobody answered was accepted: it costs what that call did, once', async () => {
    const { db, clock } = get();
    const { node, a, b } = twoCarriers(db, clock, { a: { costMicros: 70_000, refundable: true } });
    inTurn(a, unknown);
    inTurn(b, unknown);
    const ids = await accept(db, node, by('sms'));
    await node.delivery.runUntilIdle();
    const reference = a.handed[0]?.reference ?? '';
    const report = (outcome: Receipt['outcome']) =>
      node.delivery.receive('a', { upstreamId: `a took ${ids.messageId}`, reference, outcome });
    for (const outcome of [arrived, arrived, away]) assert.equal(await report(outcome), true);
    assert.equal(await rowsOf(db, ids), 'sent_failed(sms, 5016) delivered(sms, L)');
    const view = await node.delivery.find('7', ids.messageId);
    assert.deepEqual([view?.state, view?.costMicros], ['delivered', 70_000]);
    const calls = (await node.delivery.attempts(ids)).map(({ provider, outcome, upstreamId, costMicros }) => [
      provider,
      outcome,
      upstreamId,
      costMicros,
    ]);
    assert.deepEqual(calls, [
      ['a', 'accepted', `a took ${ids.messageId}`, 70_000],
      ['b', 'unknown', null, 0],
    ]);
  });

  test('a receipt that comes before its attempt is known is kept and taken later', async () => {
    const { db, clock } = get();
    const { node, a } = twoCarriers(db, clock);
    const { answer, letGo } = held();
    inTurn(a, answer);
    const ids = await accept(db, node, by('sms'));
    const receipt = { upstreamId: 'early', outcome: { kind: 'delivered' } as const };
    assert.equal(await node.delivery.receive('a', receipt), false);
    await node.delivery.park('a', receipt);
    letGo({ kind: 'accepted', upstreamId: 'early' });
    await clock.travel(1_000);
    await node.delivery.runUntilIdle();
    assert.equal(await rowsOf(db, ids), 'sent(sms) delivered(sms)');
  });

  test('a hand-over can be opened again while its delivery lives, and not after it has ended', async () => {
    const { db, clock } = get();
    const { node, a } = twoCarriers(db, clock);
    const ids = await accept(db, node, by('voice'));
    await node.delivery.runUntilIdle();
    const again = await node.delivery.reopen({ ...ids, attempt: 1 });
    assert.deepEqual([again?.to, again?.code, again?.channel], [phone, '482913', 'voice']);
    assert.equal(again?.reference, a.handed[0]?.reference);
    assert.equal(await node.delivery.reopen({ ...ids, attempt: 2 }), null);
    await db.transaction((tx) => node.delivery.end(tx, { ...ids, reason: 'cancelled' }));
    assert.equal(await node.delivery.reopen({ ...ids, attempt: 1 }), null);
  });
});
