/**
 * What a schema found wrong, as short texts that stay the same over releases of the schema library: `to[3]: must be a string`.
 * Order is that of the operation's description; a text that a room gave to its own rule is kept.
 */
import type { z } from 'zod';
import type { FieldFault } from '../errors.ts';

/** More than anybody reads; a body of 64 KiB can hold tens of thousands. */
const maxFaults = 100;
const maxNameLength = 64;

type RawIssue = z.core.$ZodRawIssue;
type Issue = z.core.$ZodIssue;

/** Given to every parse: the schema's own texts win, then these. */
export const faultTexts = { error: (issue: RawIssue): string => problemOf(issue) };

const kinds: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'an array',
  null: 'null',
  nan: 'a number',
};

const formats: Record<string, string> = {
  email: 'an e-mail address',
  url: 'a URL',
  uuid: 'a UUID',
  guid: 'a UUID',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
  datetime: 'an RFC 3339 time in UTC',
  date: 'a date',
};

function problemOf(issue: RawIssue): string {
  if (issue.input === undefined && issue.code !== 'custom') return 'required';
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${kinds[issue.expected] ?? 'of another type'}`;
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return sizeProblem(issue.origin, issue.minimum, issue.inclusive === false ? 'more than' : 'at least');
    case 'too_big':
      return sizeProblem(issue.origin, issue.maximum, issue.inclusive === false ? 'less than' : 'at most');
    case 'invalid_format':
      return formats[issue.format] === undefined
        ? 'has a form that is not allowed'
        : `must be ${formats[issue.format]}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'unrecognized_keys':
      return `has unknown fields: ${issue.keys.join(', ')}`;
    case 'invalid_key':
      return 'has a key that is not allowed';
    case 'invalid_union':
      return 'has none of the allowed forms';
    default:
      return 'not allowed';
  }
}

function sizeProblem(origin: string, limit: number | bigint, relation: string): string {
  if (origin === 'string') return `must be ${relation} ${limit} ${limit === 1 ? 'character' : 'characters'}`;
  if (origin === 'array' || origin === 'set')
    return `must have ${relation} ${limit} ${limit === 1 ? 'entry' : 'entries'}`;
  if (origin === 'object' || origin === 'map') return `must have ${relation} ${limit} ${limit === 1 ? 'key' : 'keys'}`;
  return `must be ${relation} ${limit}`;
}

/** Faults of one failed parse; `root` names the value itself. */
export function faultsOf(issues: readonly Issue[], root: string): FieldFault[] {
  return issues
    .flatMap((issue) => opened(issue, []))
    .slice(0, maxFaults)
    .map(({ path, problem }) => ({ field: fieldName(path, root), problem }));
}

interface Found {
  path: readonly PropertyKey[];
  problem: string;
}

/** A union tells what is wrong with the form that the value plainly has; else which forms there are. */
function opened(issue: Issue, above: readonly PropertyKey[]): Found[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'invalid_key') return [{ path, problem: `${issue.message}${reasonOf(issue.issues)}` }];
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [{ path, problem: issue.message }];
  const branches = issue.errors;
  const meant = branches.find((branch) => !branch.some(isOtherKind));
  if (meant) return meant.flatMap((inner) => opened(inner, path));
  const wanted = new Set(branches.flatMap((branch) => branch.filter(isOtherKind).map(({ message }) => message)));
  if (wanted.has('required')) return [{ path, problem: 'required' }];
  return [{ path, problem: [...wanted].join(' or ').replaceAll(' or must be', ' or') }];
}

const isOtherKind = (issue: Issue): boolean =>
  issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');

const reasonOf = (issues: readonly Issue[]): string => (issues[0] ? `: ${issues[0].message}` : '');

/** `template.params.name`, `to[3]`; names a caller made up are cut. */
function fieldName(path: readonly PropertyKey[], root: string): string {
  let name = '';
  for (const part of path) {
    if (typeof part === 'number') name += `[${part}]`;
    else name += `${name === '' ? '' : '.'}${shorten(String(part))}`;
  }
  return name === '' ? root : name;
}

const shorten = (name: string): string => (name.length > maxNameLength ? `${name.slice(0, maxNameLength)}…` : name);
