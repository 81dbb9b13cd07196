/** The statements that end or stop deliveries inside other rooms' writes do what the rules say. */
import assert from 'node:assert/strict';
import { afterEach, before, test } from 'node:test';
import type { SendOutcome } from '../channels/index.ts';
import { onEachEngine } from '../testing/database.ts';
import {
  accept,
  causesOf,
  check,
  createNode,
  draftOf,
  held,
  inTurn,
  type Node,
  overtake,
  received,
  refused,
  rowsOf,
  stopNodes,
} from './fixtures.ts';
import type { Ids } from './index.ts';
import { next } from './next.ts';
import { findDeliveries, type Loaded } from './store.ts';

interface Situation {
  chain: string;
  answers: readonly (SendOutcome | Promise<SendOutcome> | 'accept')[];
  /** Of a negative receipt of the first attempt. */
  code?: 5018;
  delayMs?: number;
}

const situations = (): readonly Situation[] => [
  { chain: 'whatsapp|sms', answers: ['accept'] },
  { chain: 'whatsapp|sms', answers: [refused(5001), refused(5001, true)] },
  { chain: 'whatsapp|sms', answers: ['accept', refused(5001, true)], code: 5018 },
  { chain: 'whatsapp|sms|voice', answers: [held().answer] },
  { chain: 'sms', answers: ['accept'] },
  { chain: 'sms', answers: [refused(5001, true)] },
  { chain: 'sms', answers: [refused(5020)] },
  { chain: 'sms|voice', answers: ['accept'], delayMs: 5_000 },
];

onEachEngine('ends and stops by the statements of a check and a send', (get) => {
  before(() => get().clock.freeze());
  afterEach(stopNodes);

  /** A message in that situation. */
  async function arrive(node: Node, { chain, answers, code, delayMs = 0 }: Situation): Promise<Ids> {
    inTurn(node.upstream, ...answers);
    const draft = draftOf(chain);
    const steps = draft.steps.map((step) => ({ ...step, startDelayMs: delayMs }));
    const ids = await accept(get().db, node, { ...draft, steps });
    if (!(answers[0] instanceof Promise)) await node.delivery.runUntilIdle();
    if (code === undefined) return ids;
    await received(node, ids, 1, code);
    await node.delivery.runUntilIdle();
    return ids;
  }

  async function load(ids: Ids): Promise<Loaded> {
    const [loaded] = await findDeliveries(get().db, [ids]);
    assert.ok(loaded);
    return loaded;
  }

  test('ending by the statement of a check and by a request leave the same delivery', async () => {
    const { db, clock } = get();
    for (const reason of ['cancelled', 'superseded'] as const) {
      for (const situation of situations()) {
        const node = createNode(db, clock);
        const hot = await arrive(node, situation);
        const slow = await arrive(node, situation);
        const [ended] = await check(db, node, hot, reason);
        await db.transaction((tx) => node.delivery.end(tx, { ...slow, reason }));
        const [one, two] = await Promise.all([hot, slow].map((each) => node.delivery.find('7', each.messageId)));
        const about = `${situation.chain} ${reason}`;
        assert.deepEqual({ ...one, deadlineAtMs: 0 }, { ...two, deadlineAtMs: 0 }, about);
        const cancelled = (await causesOf(db, slow)).includes('fallback_cancelled');
        assert.equal((ended?.waiting ?? 0) > 0, cancelled, `${about}: steps that were waiting`);
        assert.equal(ended?.waiting_channel !== null, cancelled);
      }
    }
  });

  test('a message that a newer send overtakes is left as the rule leaves it', async () => {
    const { db, clock } = get();
    for (const situation of situations()) {
      const node = createNode(db, clock);
      const ids = await arrive(node, situation);
      const before = await load(ids);
      const { state, entries } = next(before.state, { kind: 'overtaken' }, clock.now());
      const [stopped] = await overtake(db, node, ids);
      const after = await load(ids);
      assert.deepEqual(after.state, state, situation.chain);
      assert.equal(after.version, before.version + (state === before.state ? 0 : 1));
      const [{ step, channel, data } = {}] = entries;
      const told = stopped && [stopped.waiting_step, stopped.waiting_channel, stopped.waiting];
      assert.deepEqual(told, step === undefined ? undefined : [step, channel, data?.['steps']], situation.chain);
    }
  });

  test('an overtaken message goes on when its user asks, also one that had not been handed over', async () => {
    const { db, clock } = get();
    const node = createNode(db, clock);
    const chain = 'whatsapp|sms';
    const queued = await arrive(node, { chain, answers: ['accept'], delayMs: 5_000 });
    const sent = await arrive(node, { chain, answers: ['accept'] });
    for (const ids of [queued, sent]) await overtake(db, node, ids);
    assert.equal((await node.delivery.find('7', queued.messageId))?.state, 'cancelled');
    await clock.travel(25_000);
    await node.delivery.runUntilIdle();
    assert.deepEqual([await rowsOf(db, queued), await rowsOf(db, sent)], ['', 'sent(wa)']);
    for (const ids of [queued, sent]) {
      await db.transaction((tx) => node.delivery.restart(tx, { ids }));
      await clock.travel(5_000);
      await node.delivery.runUntilIdle();
      await clock.travel(25_000);
      await node.delivery.runUntilIdle();
    }
    assert.equal(await rowsOf(db, queued), 'sent(wa) sent(sms)');
    assert.equal(await rowsOf(db, sent), 'sent(wa) sent(wa) sent(sms)');
    assert.equal((await node.delivery.find('7', queued.messageId))?.state, 'sent');
  });

  test('an attempt under way when its message is overtaken is concluded, and nothing follows by itself', async () => {
    const { db, clock } = get();
    const node = createNode(db, clock);
    const { answer, letGo } = held();
    inTurn(node.upstream, answer);
    const ids = await accept(db, node, draftOf('whatsapp|sms'));
    await overtake(db, node, ids);
    letGo(refused(5018));
    await node.delivery.runUntilIdle();
    assert.equal(await rowsOf(db, ids), 'sent_failed(wa, 5018)');
    assert.equal((await node.delivery.find('7', ids.messageId))?.state, 'failed');
  });
});
