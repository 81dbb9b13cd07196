/**
 * Pumping on PostgreSQL: attacks on dear prefixes among honest traffic, over a simulated day, with everything an application has by
 * default and again with nothing. `npm run bench -- pumping [PEOPLE] [HOURS] [SEED]`.
 */
import { globalSetup, globalTeardown } from '../server/src/testing/global-setup.ts';
import { atMost, conclude } from './product.ts';
import { plan, type Run, simulate } from './pumping/simulate.ts';
import { tableOf } from './pumping/table.ts';
import { refused } from './pumping/tally.ts';

const [people = 3_000, hours = 24, seed = 20_261_121] = process.argv.slice(2).map(Number);

async function timed(title: string, isProtected: boolean): Promise<Run> {
  const startedAt = performance.now();
  const run = await simulate(planned, isProtected);
  process.stdout.write(`${title}: ${((performance.now() - startedAt) / 1000).toFixed(0)} s\n`);
  return run;
}

const planned = plan(seed, people, hours);
await globalSetup();
process.stdout.write(`seed ${seed}, ${people} people, ${hours} simulated hours\n`);
const run = await timed('with protection', true);
const bare = await timed('without', false);
await globalTeardown();
process.stdout.write(tableOf(planned, run, bare));
conclude('pumping', {
  most_accepted_per_prefix: atMost(Math.max(...[...run.attacks.values()].map(({ accepted }) => accepted)), 25),
  honest_refused_percent: atMost((100 * refused(run.honest)) / run.honest.tried, 0.5),
  attack_cost_share_percent: atMost((100 * run.cost.attack) / bare.cost.attack, 10),
});
