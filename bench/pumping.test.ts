/** The simulator of `npm run bench -- pumping`, small: the aims hold with few people and in a few hours too. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plan, simulate } from './pumping/simulate.ts';
import { tableOf } from './pumping/table.ts';
import { refused } from './pumping/tally.ts';

test('a simulated attack gets no more than 25 messages per prefix, and honest people get theirs', async (t) => {
  const planned = plan(20_261_122, 220, 3);
  const run = await simulate(planned, true);
  const bare = await simulate(planned, false);
  for (const line of tableOf(planned, run, bare).trimEnd().split('\n')) t.diagnostic(line);
  for (const [prefix, { tried, accepted }] of run.attacks)
    assert.ok(accepted <= 25, `${accepted} of ${tried} under ${prefix}`);
  assert.ok(refused(run.honest) / run.honest.tried < 0.005, `${refused(run.honest)} of ${run.honest.tried} refused`);
  assert.ok(run.verified > planned.people.length / 2, 'most people enter their codes');
  assert.ok([...bare.attacks.values()].every((tally) => refused(tally) === 0 && tally.accepted === tally.tried));
  assert.ok(run.cost.attack < bare.cost.attack / 2, `${run.cost.attack} of ${bare.cost.attack}`);
});
