/**
 * Conditions of rules, pure: a small tree of comparisons. Three-valued: what cannot be known is neither true nor false, under
 * `not` as well, so that a rule never fires on what nobody knows.
 */
import { type FactName, type Facts, type FactType, type FactValue, factTypes, isFact } from './facts.ts';

export const ops = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'not_in'] as const;
export type Op = (typeof ops)[number];

export interface Comparison {
  fact: FactName;
  op: Op;
  value: FactValue | readonly FactValue[];
}
export type Condition = Comparison | { all: Condition[] } | { any: Condition[] } | { not: Condition };

const opsOf: Record<FactType, readonly Op[]> = {
  boolean: ['eq', 'ne'],
  text: ['eq', 'ne', 'in', 'not_in'],
  number: ops,
};
const typeNames: Record<FactType, string> = { boolean: 'true or false', text: 'a string', number: 'a number' };
const maxDepth = 8;
const maxComparisons = 100;
const maxListed = 500;

export interface Fault {
  path: (string | number)[];
  problem: string;
}

/** Everything that is wrong with what may be a condition; none if it is one. */
export function faultsOf(node: unknown): Fault[] {
  const faults: Fault[] = [];
  const comparisons = check(node, [], 1, faults);
  if (comparisons > maxComparisons) faults.push({ path: [], problem: `has more than ${maxComparisons} comparisons` });
  return faults;
}

type Path = (string | number)[];

/** How many comparisons there are. */
function check(node: unknown, path: Path, depth: number, faults: Fault[]): number {
  const fault = (problem: string, at: Path = []): number => {
    faults.push({ path: [...path, ...at], problem });
    return 0;
  };
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return fault('must be an object');
  if (depth > maxDepth) return fault(`is deeper than ${maxDepth}`);
  const keys = Object.keys(node);
  const given = node as Record<string, unknown>;
  const [key = ''] = keys;
  if (keys.length !== 1 || !['all', 'any', 'not'].includes(key)) return checkComparison(given, path, faults);
  if (key === 'not') return check(given['not'], [...path, 'not'], depth + 1, faults);
  const parts = given[key];
  if (!Array.isArray(parts) || parts.length === 0) return fault('must be a list of at least one condition', [key]);
  return parts.reduce((sum: number, part, i) => sum + check(part, [...path, key, i], depth + 1, faults), 0);
}

function checkComparison(given: Record<string, unknown>, path: Path, faults: Fault[]): number {
  const fault = (key: string, problem: string) => faults.push({ path: [...path, key], problem });
  const unknown = Object.keys(given).filter((key) => !['fact', 'op', 'value'].includes(key));
  if (unknown.length > 0 || Object.keys(given).length === 0) {
    faults.push({ path, problem: 'must have all, any or not alone, or fact, op and value' });
    return 1;
  }
  const { fact, op, value } = given;
  if (!isFact(fact)) fault('fact', 'must be one of the facts there are');
  const allowed: readonly unknown[] = isFact(fact) ? opsOf[factTypes[fact]] : ops;
  if (!allowed.includes(op)) fault('op', `must be one of ${allowed.join(', ')}`);
  else if (isFact(fact)) {
    const problem = valueProblem(factTypes[fact], op === 'in' || op === 'not_in', value);
    if (problem !== null) fault('value', problem);
  }
  return 1;
}

function valueProblem(type: FactType, isList: boolean, value: unknown): string | null {
  const fits = (one: unknown): boolean =>
    type === 'number' ? Number.isFinite(one) : typeof one === (type === 'text' ? 'string' : type);
  if (!isList) return fits(value) ? null : `must be ${typeNames[type]}`;
  const whole = Array.isArray(value) && value.length > 0 && value.length <= maxListed && value.every(fits);
  return whole ? null : `must be a list of 1 to ${maxListed}, each ${typeNames[type]}`;
}

/** Null: it hangs on something unknown. What was compared and true is added to `because`, with what it was compared with. */
export function evaluate(condition: Condition, facts: Facts, because: string[]): boolean | null {
  if ('fact' in condition) return compare(condition, facts, because);
  if ('not' in condition) {
    const inner = evaluate(condition.not, facts, []);
    return inner === null ? null : !inner && because.push(`not ${textOf(condition.not)}`) > 0;
  }
  const parts = 'all' in condition ? condition.all : condition.any;
  const decisive = 'any' in condition;
  let unknown = false;
  for (const part of parts) {
    const value = evaluate(part, facts, because);
    if (value === decisive) return decisive;
    unknown ||= value === null;
  }
  return unknown ? null : !decisive;
}

const signs: Record<Op, string> = {
  eq: '=',
  ne: '≠',
  gt: '>',
  gte: '≥',
  lt: '<',
  lte: '≤',
  in: 'in',
  not_in: 'not in',
};

function textOf(condition: Condition): string {
  if ('fact' in condition) return `${condition.fact} ${signs[condition.op]} ${condition.value}`;
  if ('not' in condition) return `not ${textOf(condition.not)}`;
  const parts = 'all' in condition ? condition.all : condition.any;
  return `(${parts.map(textOf).join('all' in condition ? ' and ' : ' or ')})`;
}

function compare({ fact, op, value }: Comparison, facts: Facts, because: string[]): boolean | null {
  const actual = facts(fact);
  if (actual === null) return null;
  const isTrue = holds(actual, op, value);
  if (isTrue) {
    const shown = typeof actual === 'number' ? Math.round(actual * 1000) / 1000 : actual;
    because.push(op === 'eq' || op === 'in' ? `${fact} = ${shown}` : `${fact} ${shown} ${signs[op]} ${value}`);
  }
  return isTrue;
}

function holds(actual: FactValue, op: Op, value: Comparison['value']): boolean {
  switch (op) {
    case 'eq':
      return actual === value;
    case 'ne':
      return actual !== value;
    case 'in':
      return (value as readonly FactValue[]).includes(actual);
    case 'not_in':
      return !(value as readonly FactValue[]).includes(actual);
    case 'gt':
      return Number(actual) > Number(value);
    case 'gte':
      return Number(actual) >= Number(value);
    case 'lt':
      return Number(actual) < Number(value);
    case 'lte':
      return Number(actual) <= Number(value);
  }
}
