/**
 * A rule set over the facts of one send, pure. The first enforced rule that matches decides, and rules behind it are not asked;
 * a challenge that was passed decides nothing. Shadow rules are all asked and reported, and change nothing.
 */
import { evaluate } from './condition.ts';
import type { Facts } from './facts.ts';
import type { Rule, RuleVerdict } from './rule.ts';

export interface Fired {
  rule: string;
  mode: 'shadow' | 'enforce';
  verdict: RuleVerdict;
  because: string;
}

export interface Decision {
  verdict: 'allow' | 'challenge' | 'block';
  /** Channels that are closed although the send is allowed. */
  closed: readonly string[];
  fired: Fired[];
  /** The block_for rule that decided. */
  holding: Rule | null;
}

export interface DecideOptions {
  /** All rules are in shadow. */
  allShadow?: boolean;
  captchaPassed?: boolean;
  /** Told of each rule that was asked: null where it hung on something unknown. */
  onAsked?(rule: Rule, matched: boolean | null): void;
}

export function decide(rules: readonly Rule[], facts: Facts, options: DecideOptions = {}): Decision {
  const { allShadow = false, captchaPassed = false, onAsked } = options;
  const fired: Fired[] = [];
  let decider: Rule | null = null;
  for (const rule of rules) {
    const isShadow = allShadow || rule.mode === 'shadow';
    if (!isShadow && decider) continue;
    const because: string[] = [];
    const matched = evaluate(rule.when, facts, because);
    onAsked?.(rule, matched);
    if (matched !== true) continue;
    fired.push({
      rule: rule.id,
      mode: isShadow ? 'shadow' : 'enforce',
      verdict: rule.verdict,
      because: because.join('; '),
    });
    if (!isShadow && !(captchaPassed && rule.verdict === 'challenge')) decider = rule;
  }
  return { ...effectOf(decider), fired };
}

function effectOf(rule: Rule | null): Omit<Decision, 'fired'> {
  const holding = rule?.verdict === 'block_for' ? rule : null;
  if (!rule || rule.verdict === 'allow') return { verdict: 'allow', closed: [], holding };
  if (rule.channels) return { verdict: 'allow', closed: rule.channels, holding };
  return { verdict: rule.verdict === 'challenge' ? 'challenge' : 'block', closed: [], holding };
}
