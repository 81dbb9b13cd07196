/** Rules over facts: order, shadow, what is unknown, what a rule set may not be. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Condition, evaluate, faultsOf } from './condition.ts';
import { decide } from './decide.ts';
import { defaultRuleSet } from './default-rules.ts';
import { type FactName, type Facts, type FactValue, factNames, factTypes } from './facts.ts';
import { type Rule, readRuleSet, ruleSetSchema } from './rule.ts';

type Known = Partial<Record<FactName, FactValue | null | undefined>>;
const factsOf =
  (known: Known): Facts =>
  (name) =>
    known[name] ?? null;

const value = (name: FactName): fc.Arbitrary<FactValue> =>
  factTypes[name] === 'number'
    ? fc.integer({ min: 0, max: 5 })
    : factTypes[name] === 'boolean'
      ? fc.boolean()
      : fc.constantFrom('A', 'B', 'C');

const knowns: fc.Arbitrary<Known> = fc.record(
  Object.fromEntries(factNames.map((name) => [name, fc.option(value(name), { freq: 4 })])),
);
const comparisons: fc.Arbitrary<Condition> = fc.constantFrom(...factNames).chain((fact) =>
  fc.record({
    fact: fc.constant(fact),
    op: fc.constantFrom(...(factTypes[fact] === 'number' ? (['gte', 'lt', 'eq'] as const) : (['eq', 'ne'] as const))),
    value: value(fact),
  }),
);
const conditions = fc.letrec<{ tree: Condition }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    comparisons,
    fc.record({ all: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie('tree') }),
  ),
})).tree;

const ruleSets: fc.Arbitrary<Rule[]> = fc
  .array(
    fc.record({
      when: conditions,
      mode: fc.constantFrom('shadow' as const, 'enforce' as const),
      verdict: fc.constantFrom('allow' as const, 'challenge' as const, 'block' as const),
      closes: fc.boolean(),
    }),
    { maxLength: 8 },
  )
  .map((rules) =>
    rules.map(({ closes, ...rule }, i) => ({
      ...rule,
      id: `rule_${i}`,
      title: 'A rule',
      ...(closes && rule.verdict !== 'allow' && { channels: ['sms' as const] }),
    })),
  );

describe('rules', () => {
  const effect = (rules: readonly Rule[], known: Known, captchaPassed = false) => {
    const { verdict, closed } = decide(rules, factsOf(known), { captchaPassed });
    return { verdict, closed };
  };

  test('a shadow rule changes no verdict and is reported', () => {
    fc.assert(
      fc.property(ruleSets, knowns, (rules, known) => {
        const enforced = rules.filter(({ mode }) => mode === 'enforce');
        assert.deepEqual(effect(rules, known), effect(enforced, known));
        const shadows = rules.filter((rule) => rule.mode === 'shadow' && evaluate(rule.when, factsOf(known), []));
        const { fired } = decide(rules, factsOf(known));
        assert.deepEqual(
          fired.filter(({ mode }) => mode === 'shadow').map(({ rule }) => rule),
          shadows.map(({ id }) => id),
        );
      }),
    );
  });

  test('the first enforced rule that matches decides, whatever stands behind it', () => {
    fc.assert(
      fc.property(ruleSets, knowns, (rules, known) => {
        const first = rules.find((rule) => rule.mode === 'enforce' && evaluate(rule.when, factsOf(known), []) === true);
        const expected =
          !first || first.verdict === 'allow' || first.channels
            ? { verdict: 'allow', closed: first?.channels ?? [] }
            : { verdict: first.verdict, closed: [] };
        assert.deepEqual(effect(rules, known), expected);
        const { fired } = decide(rules, factsOf(known));
        assert.deepEqual(
          fired.filter(({ mode }) => mode === 'enforce').map(({ rule }) => rule),
          first ? [first.id] : [],
        );
      }),
    );
  });

  test('a rule set wholly in shadow allows everything', () => {
    fc.assert(
      fc.property(ruleSets, knowns, (rules, known) => {
        const { verdict, closed, fired } = decide(rules, factsOf(known), { allShadow: true });
        assert.deepEqual([verdict, closed], ['allow', []]);
        assert.ok(fired.every(({ mode }) => mode === 'shadow'));
      }),
    );
  });

  test('knowing more never turns a match into none: what is unknown only keeps rules from firing', () => {
    fc.assert(
      fc.property(conditions, knowns, fc.constantFrom(...factNames), (condition, known, hidden) => {
        const before = evaluate(condition, factsOf(known), []);
        const after = evaluate(condition, factsOf({ ...known, [hidden]: null }), []);
        assert.ok(after === before || after === null);
      }),
    );
  });

  test('a passed challenge decides nothing, and a block behind it still does', () => {
    const always: Condition = { fact: 'has_ip', op: 'eq', value: true };
    const rule = (id: string, verdict: 'challenge' | 'block'): Rule => ({
      ...{ id, title: id, mode: 'enforce', when: always, verdict },
    });
    const rules = [rule('first', 'challenge'), rule('second', 'block')];
    assert.equal(effect(rules, { has_ip: true }).verdict, 'challenge');
    assert.equal(effect(rules, { has_ip: true }, true).verdict, 'block');
    assert.equal(effect(rules.slice(0, 1), { has_ip: true }, true).verdict, 'allow');
  });

  test('because names what was compared', () => {
    const when: Condition = {
      all: [
        { fact: 'sends_to_prefix_30m', op: 'gte', value: 10 },
        { fact: 'verified_share_of_prefix_30m', op: 'lt', value: 0.2 },
      ],
    };
    const rule: Rule = { id: 'pumped', title: 'Pumped', mode: 'enforce', when, verdict: 'block' };
    const known = { sends_to_prefix_30m: 34, verified_share_of_prefix_30m: 0.0588 };
    assert.deepEqual(decide([rule], factsOf(known)).fired, [
      {
        rule: 'pumped',
        mode: 'enforce',
        verdict: 'block',
        because: 'sends_to_prefix_30m 34 ≥ 10; verified_share_of_prefix_30m 0.059 < 0.2',
      },
    ]);
  });
});

describe('a rule set', () => {
  const base = {
    id: 'a',
    title: 'A',
    mode: 'enforce',
    verdict: 'block',
    when: { fact: 'has_ip', op: 'eq', value: true },
  };
  const faults = (...rules: object[]): string[] => {
    const { error } = ruleSetSchema.safeParse({ rules: rules.map((rule) => ({ ...base, ...rule })) });
    return (error?.issues ?? []).map(({ path }) => path.join('.'));
  };

  test('names the place of every fault', () => {
    const when = {
      all: [
        { fact: 'planet', op: 'eq', value: 'Mars' },
        { any: [{ fact: 'country', op: 'gt', value: 'SG' }, { not: { fact: 'has_ip', op: 'eq', value: 'yes' } }] },
        { fact: 'sends_to_prefix_30m', op: 'in', value: [] },
      ],
    };
    assert.deepEqual(faults({ when }), [
      'rules.0.when.all.0.fact',
      'rules.0.when.all.1.any.0.op',
      'rules.0.when.all.1.any.1.not.value',
      'rules.0.when.all.2.value',
    ]);
    assert.deepEqual(faults({}, {}), ['rules.1.id']);
    assert.deepEqual(faults({ verdict: 'block_for' }), ['rules.0.seconds']);
    assert.deepEqual(faults({ seconds: 60 }), ['rules.0.seconds']);
    assert.deepEqual(faults({ verdict: 'allow', channels: ['sms'] }), ['rules.0.channels']);
    assert.deepEqual(faults({ when: { all: [] } }), ['rules.0.when.all']);
    assert.deepEqual(faults({ when: {} }), ['rules.0.when']);
    assert.deepEqual(faults({ titel: 'x' }), ['rules.0']);
  });

  test('may not be deeper than anybody reads', () => {
    let when: object = base.when;
    for (let i = 0; i < 8; i++) when = { not: when };
    assert.equal(faultsOf(when).length, 1);
    assert.deepEqual(
      faultsOf(JSON.parse('{"all":[5,null,[]]}')).map(({ path }) => path.join('.')),
      ['all.0', 'all.1', 'all.2'],
    );
  });

  test('as shipped is a rule set, names its sources, and is in shadow for a week', () => {
    const { shadow_until: until, rules } = defaultRuleSet(0);
    assert.equal(until, '1970-01-08T00:00:00.000Z');
    assert.ok(rules.every(({ source }) => source));
    assert.doesNotThrow(() => readRuleSet({ rules }));
  });
});
