/**
 * Fraud rules, pure: what a rule set is, what it may know of a send, and what it says. A rule is readable JSON; the first enforced one
 * that matches decides, shadow rules only report, and what nobody knows fires nothing. The fact book counts what it is told and reads
 * neither clock nor database, so that every node and every back-test comes to the same answer.
 */
export { type DecideOptions, type Decision, decide, type Fired } from './decide.ts';
export { defaultRuleSet } from './default-rules.ts';
export { type Accepted, type Asked, FactBook, type PumpedBounds, type PumpedPrefix, prefixOf } from './fact-book.ts';
export { type FactName, type Facts, factNames, factTexts, factTypes } from './facts.ts';
export {
  type AutomaticBlocks,
  type Rule,
  type RuleSet,
  readRuleSet,
  ruleSetSchema,
  type SubjectKind,
  subjectKinds,
} from './rule.ts';
