// What a command of the command line is, and how one says no. The commands themselves stand in files of their own.

import type { Terminal } from './terminal.ts';

export interface OptionSpec {
  type: 'string' | 'boolean';
  short?: string;
  /** May be given several times. */
  multiple?: boolean;
  /** What its value is called in the help. */
  value?: string;
  sentence: string;
}

export interface WordSpec {
  name: string;
  sentence: string;
  optional?: boolean;
}

export interface Outcome {
  /** What `--json` prints, one document; undefined prints nothing. */
  json: unknown;
  /** What a person reads; empty prints nothing. */
  text: string;
  /** Default 0. */
  exit?: number;
}

export type OptionValues = { readonly [name: string]: string | boolean | readonly (string | boolean)[] | undefined };

/** One use of a command: its arguments, checked against the command's own list. */
export interface Call {
  words: readonly string[];
  options: OptionValues;
  terminal: Terminal;
}

export interface Command {
  /** One or two words: `send`, `templates list`. */
  name: string;
  summary: string;
  words: readonly WordSpec[];
  options: { readonly [name: string]: OptionSpec };
  /** Sentences below the options of its help. */
  notes?: readonly string[];
  examples: readonly string[];
  run(call: Call): Promise<Outcome>;
}

export const exitCodes = { done: 0, refused: 1, misused: 2 } as const;

/** The command cannot go on, with the sentence that says what to do. Never holds a secret, nor an argument that may be one. */
export class Halt extends Error {
  readonly nextStep: string | undefined;

  constructor(message: string, nextStep?: string) {
    super(message);
    this.nextStep = nextStep;
  }
}

/** The value of an option that is given once. */
export function oneOf(options: OptionValues, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/** All values of an option that may be repeated. */
export function manyOf(options: OptionValues, name: string): string[] {
  const value = options[name];
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

/** `k=v` pairs of a repeated option. */
export function pairsOf(options: OptionValues, name: string): Record<string, string> {
  const pairs = manyOf(options, name).map((pair) => {
    const at = pair.indexOf('=');
    if (at < 1) throw new Halt(`--${name} wants NAME=VALUE`, `Write it as --${name} NAME=VALUE.`);
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });
  return Object.fromEntries(pairs);
}

/** A whole number of an option, within its bounds. */
export function numberOf(options: OptionValues, name: string, least: number, most: number): number | undefined {
  const text = oneOf(options, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new Halt(`--${name} must be a whole number from ${least} to ${most}`);
}
