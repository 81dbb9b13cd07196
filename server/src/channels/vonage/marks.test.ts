import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decideOnce, isLastPart, takeTurn } from './marks.ts';

function openMarks() {
  const seen = new Set<string>();
  return async (key: string): Promise<boolean> => {
    // As over a network: others get their turn in between.
    await Promise.resolve();
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  };
}

test('whatever the order and however often parts are reported, exactly one part completes the message, and always that one', () =>
  fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }).chain((total) =>
        fc.record({
          total: fc.constant(total),
          reports: fc.array(fc.integer({ min: 1, max: total }), { maxLength: 25 }),
        }),
      ),
      async ({ total, reports }) => {
        const once = openMarks();
        const completing = new Set<number>();
        const arrived = new Set<number>();
        for (const part of reports) {
          arrived.add(part);
          const last = await isLastPart(once, 'm', String(part), total);
          if (last) completing.add(part);
          assert.equal(last, completing.has(part));
          assert.equal(completing.size, arrived.size === total ? 1 : 0);
        }
      },
    ),
  ));

test('parts that arrive at the same moment on different nodes are all counted', () =>
  fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 8 }), fc.scheduler(), async (total, scheduler) => {
      const once = scheduler.scheduleFunction(openMarks());
      const answers = Promise.all(
        Array.from({ length: total }, (_, part) => isLastPart(once, 'm', String(part), total)),
      );
      await scheduler.waitFor(answers);
      assert.equal((await answers).filter(Boolean).length, 1);
    }),
  ));

test('a decision is made once, and repeated for ever', async () => {
  for (const decision of [true, false]) {
    const once = openMarks();
    let asked = 0;
    const decide = async (): Promise<boolean> => {
      asked++;
      return decision;
    };
    for (let arrival = 0; arrival < 12; arrival++) assert.equal(await decideOnce(once, 'k', decide), decision);
    assert.equal(asked, 1);
  }
});

test('a decision cut off in the middle is no afterwards', async () => {
  const once = openMarks();
  const torn = async (): Promise<boolean> => assert.fail('the node died');
  await assert.rejects(decideOnce(once, 'k', torn));
  assert.equal(await decideOnce(once, 'k', async () => true), false);
});

test('a yes goes to one arrival at a time, and to the next only when it is handed on', async () => {
  const once = openMarks();
  const turn = () => takeTurn(once, 'k', async () => true);
  const [first, second] = [await turn(), await turn()];
  assert.deepEqual([first.yes, second.yes], [true, false]);
  const marks = openMarks();
  for (const handsOn of [true, true, false]) {
    const one = await takeTurn(marks, 'k', async () => true);
    assert.equal(one.yes, true);
    if (handsOn) await one.handOn();
  }
  const refused = await takeTurn(marks, 'k', async () => true);
  await refused.handOn();
  assert.deepEqual([refused.yes, (await takeTurn(marks, 'k', async () => true)).yes], [false, false]);
});
