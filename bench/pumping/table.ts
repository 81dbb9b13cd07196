/** The figures of a run as lines of text. */
import type { Plan, Run } from './simulate.ts';
import { reasonsOf, refused, type Tally } from './tally.ts';

const money = (micros: number): string => `${(micros / 1_000_000).toFixed(2)}`;
const percent = (part: number, whole: number): string => `${((100 * part) / Math.max(1, whole)).toFixed(2)} %`;

const howOf = ({ rules, ...tally }: Tally & { rules: Map<string, number> }): string => {
  const ruled = [...rules].toSorted(([, a], [, b]) => b - a).map(([rule, count]) => `${rule} ${count}`);
  return [reasonsOf(tally), ruled.length > 0 && `(${ruled.join(', ')})`].filter(Boolean).join(' ');
};

export function tableOf(plan: Plan, run: Run, bare: Run): string {
  const rows = plan.attacks.flatMap(({ name, country, prefix }) => {
    const tally = run.attacks.get(prefix);
    if (!tally) return [];
    const numbers = [tally.tried, tally.accepted, tally.before ?? '-'].map((n) => String(n).padStart(6));
    return [`${name.padEnd(22)} ${country} ${prefix.padEnd(10)} ${numbers.join(' ')}  ${howOf(tally)}`];
  });
  const { honest, proven, checks, verified, cost } = run;
  return `${[
    `${'attack'.padEnd(22)}    ${'prefix'.padEnd(10)}  tried   sent  first  refused by`,
    ...rows,
    `honest: ${honest.tried} sends, ${refused(honest)} refused (${percent(refused(honest), honest.tried)}) ${reasonsOf(honest)}`,
    `        ${proven.tried} sent again with a proof, ${refused(proven)} refused ${reasonsOf(proven)}`,
    `        ${checks.tried} checks, ${refused(checks)} refused ${reasonsOf(checks)}; ${verified} of ${plan.people.length} verified (${percent(verified, plan.people.length)})`,
    `cost of attacks: ${money(cost.attack)} with protection, ${money(bare.cost.attack)} without`,
    `cost of honest:  ${money(cost.honest)} with protection, ${money(bare.cost.honest)} without`,
    '',
  ].join('\n')}`;
}
