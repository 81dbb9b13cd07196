/** A hook that is slow, dead or changed while sends go on: at most so many questions at once, none to a dead one, every node alike. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createOutbound } from '../platform/outbound.ts';
import { onEachApp } from '../testing/app.ts';
import { openReceiver, type Receiver } from '../testing/receiver.ts';
import { until } from '../testing/until.ts';
import { decided, question, useHook } from './fixture.ts';
import { createPresend, type HookAnswer } from './index.ts';

const many = <T>(count: number, work: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, work));
const answersOf = (answers: (HookAnswer | null)[]): Set<string | undefined> => new Set(answers.map((a) => a?.answer));

onEachApp('a busy pre-send hook', (get) => {
  let receiver: Receiver;
  let hook: ReturnType<typeof useHook>;
  before(async () => {
    receiver = await openReceiver();
    hook = useHook(get(), (await get().makeApplication()).id);
  });
  after(() => receiver.close());

  async function failTimes(count: number): Promise<void> {
    for (let i = 0; i < count; i++) assert.equal((await hook.ask())?.failed, 'answered 500');
  }

  test('that failed five times in a row is left alone, and asked again once after five seconds', async () => {
    await get().database.clock.freeze();
    for (const [on_failure, expected] of [
      ['open', 'allow'],
      ['closed', 'deny'],
    ]) {
      await hook.set({ url: receiver.url, on_failure });
      receiver.answerWith(500);
      await failTimes(4);
      receiver.answerWith(decided('allow'));
      assert.equal((await hook.ask())?.failed, undefined, 'a good answer begins the row anew');
      receiver.answerWith(500);
      await failTimes(5);
      const asked = receiver.received.length;
      const skipped = await many(20, () => hook.ask());
      assert.deepEqual(answersOf(skipped), new Set([expected]));
      assert.match(skipped[0]?.failed ?? '', /^not asked after 5 failures in a row$/);
      assert.equal(receiver.received.length, asked);
      await get().database.clock.travel(5_000);
      await many(20, () => hook.ask());
      assert.equal(receiver.received.length, asked + 1, 'one question, the others are answered at once');
      await get().database.clock.travel(9_900);
      await hook.ask();
      assert.equal(receiver.received.length, asked + 1, 'the time doubles');
      receiver.answerWith(decided('challenge'));
      await get().database.clock.travel(200);
      assert.equal((await hook.ask())?.answer, 'challenge');
      assert.deepEqual(answersOf(await many(20, () => hook.ask())), new Set(['challenge']));
    }
    assert.ok((await hook.get()).counts.skipped >= 40);
  });

  test('that was saved again is asked again at once', async () => {
    receiver.answerWith(500);
    await hook.set({ url: receiver.url });
    await failTimes(5);
    receiver.answerWith(decided('deny'));
    assert.match((await hook.ask())?.failed ?? '', /^not asked/);
    await hook.set({ url: receiver.url });
    assert.equal((await hook.ask())?.answer, 'deny');
  });

  test('has at most 64 questions under way; the others wait for their turn', async () => {
    let held: (() => void)[] = [];
    let most = 0;
    receiver.answerWith(async () => {
      await new Promise<void>((resolve) => {
        held.push(resolve);
        most = Math.max(most, held.length);
      });
      return decided('allow');
    });
    await hook.set({ url: receiver.url, on_failure: 'closed', timeout_ms: 3_000 });
    const asked = receiver.received.length;
    const asking = many(100, () => hook.ask());
    await until('64 are there', () => held.length === 64);
    const first = held;
    held = [];
    for (const go of first) go();
    await until('the rest is there', () => held.length === 36);
    for (const go of held) go();
    assert.deepEqual(answersOf(await asking), new Set(['allow']));
    assert.deepEqual([most, receiver.received.length - asked], [64, 100]);
  });

  test('that answers nobody holds no send longer than its time limit, however many there are', async () => {
    receiver.answerWith('hang');
    await hook.set({ url: receiver.url, timeout_ms: 200 });
    const asked = receiver.received.length;
    assert.deepEqual(answersOf(await many(300, () => hook.ask())), new Set(['allow']));
    const under = receiver.received.length - asked;
    assert.ok(
      under >= 64 && under < 150,
      `${under} were asked: who waited for a turn waited for the time limit beside it`,
    );
  });

  test('is the same on every node soon after a change, its circuit is each node’s own', async () => {
    const { app, database } = get();
    const { id } = await get().makeApplication();
    const mine = useHook(get(), id);
    const { keyring, log } = app.common;
    const outbound = createOutbound({ allow: ['127.0.0.1'] });
    const { db, clock } = database;
    const other = createPresend({ db, clock, keyring, log, outbound, application: app.accounts.application });
    await other.start();
    receiver.answerWith(decided('deny'));
    const seen = (expected: string | undefined) =>
      until(`the other node says ${expected}`, async () => (await other.ask(id, question))?.answer === expected);
    assert.equal(await other.ask(id, question), null);
    await mine.set({ url: receiver.url });
    await seen('deny');
    receiver.answerWith(500);
    for (let i = 0; i < 5; i++) await mine.ask();
    receiver.answerWith(decided('challenge'));
    assert.match((await mine.ask())?.failed ?? '', /^not asked/);
    await seen('challenge');
    await mine.set({ url: receiver.url, enabled: false });
    await seen(undefined);
    await mine.set({ url: receiver.url });
    await seen('challenge');
    await mine.remove();
    await seen(undefined);
    await other.stop();
    await outbound.close();
  });
});
