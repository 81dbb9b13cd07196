// From the words that were typed to a command with checked arguments. What is not known is refused with the nearest that is;
// values are never repeated, because one of them may be a secret that somebody put there by mistake.

import { parseArgs } from 'util';
import { type Command, Halt, type OptionSpec, type OptionValues } from './command.ts';
import { commands, findCommand, groupNames } from './commands.ts';
import { nearest } from './nearest.ts';

type Options = { readonly [name: string]: OptionSpec };

export const globalOptions: Options = {
  'base-url': {
    type: 'string',
    value: 'URL',
    sentence: 'The server; default ENGAGELAB_BASE_URL, then what login stored.',
  },
  json: { type: 'boolean', sentence: 'One JSON document on standard output, errors as JSON on standard error.' },
  help: { type: 'boolean', short: 'h', sentence: 'Show this.' },
  version: { type: 'boolean', sentence: 'Show the version.' },
};

export type Asked =
  | { kind: 'help'; command?: Command | undefined; group?: string }
  | { kind: 'version' }
  | { kind: 'run'; command: Command; words: string[]; options: OptionValues };

const secretNames = /secret|token|password|dev-?key|credential|api-?key|agent-?key/i;

export function readCommandLine(words: readonly string[]): Asked {
  const first = parse(words, globalOptions);
  if (first.values['version'] === true) return { kind: 'version' };
  const asksHelp = first.positionals[0] === 'help';
  const names = asksHelp ? first.positionals.slice(1) : first.positionals;
  if (names.length === 0) {
    refuseUnknown(first.values, globalOptions, '');
    return { kind: 'help' };
  }
  const wantsHelp = asksHelp || first.values['help'] === true;
  const [group = ''] = names;
  if (wantsHelp && names.length === 1 && groupNames.includes(group)) return { kind: 'help', group };
  const command = findCommand(names) ?? refuseCommand(names);
  if (wantsHelp) return { kind: 'help', command };
  const options = { ...globalOptions, ...command.options };
  const { values, positionals } = parse(words, options);
  refuseUnknown(values, options, command.name);
  const rest = positionals.slice(command.name.split(' ').length);
  countWords(rest, command);
  return { kind: 'run', command, words: rest, options: values };
}

function parse(words: readonly string[], options: Options): { values: OptionValues; positionals: string[] } {
  // Not strict: its own errors repeat what was typed.
  const shapes = Object.entries(options).map(([name, { type, short, multiple }]) => [
    name,
    { type, ...(short ? { short } : {}), ...(multiple ? { multiple } : {}) },
  ]);
  return parseArgs({
    args: [...words],
    options: Object.fromEntries(shapes),
    strict: false,
    allowPositionals: true,
  }) as { values: OptionValues; positionals: string[] };
}

function refuseCommand(names: readonly string[]): never {
  const [name = '', second = ''] = names;
  const own = commands
    .filter((command) => command.name.startsWith(`${name} `))
    .map((command) => command.name.slice(name.length + 1));
  if (own.length > 0) {
    const near = nearest(second, own);
    throw new Halt(
      `"${name}" is followed by one of: ${own.join(', ')}`,
      near ? `Did you mean: engagelab-otp ${name} ${near}` : seeHelp(name),
    );
  }
  const near = nearest(name, [
    ...commands.filter((command) => !command.name.includes(' ')).map((command) => command.name),
    ...groupNames,
  ]);
  const shown = /^[a-z-]{1,20}$/.test(name) ? ` "${name}"` : '';
  throw new Halt(`there is no command${shown}`, near ? `Did you mean: engagelab-otp ${near}` : seeHelp());
}

function refuseUnknown(values: OptionValues, options: Options, command: string): void {
  for (const [name, value] of Object.entries(values)) {
    const spec = options[name];
    const dashed = name.length === 1 ? `-${name}` : `--${name}`;
    if (!spec) {
      const near = nearest(name, Object.keys(options));
      throw new Halt(`there is no option ${dashed}`, adviceFor(name, near, command));
    }
    for (const one of Array.isArray(value) ? value : [value]) {
      if (spec.type === 'string' && typeof one !== 'string')
        throw new Halt(`${dashed} wants a value`, `Write it as ${dashed} ${spec.value ?? 'VALUE'}.`);
      if (spec.type === 'boolean' && typeof one !== 'boolean') throw new Halt(`${dashed} takes no value`);
    }
  }
}

function adviceFor(name: string, near: string | undefined, command: string): string {
  if (secretNames.test(name))
    return 'Secrets are never arguments: run engagelab-otp login, or set ENGAGELAB_DEV_KEY and ENGAGELAB_DEV_SECRET.';
  return near ? `Did you mean --${near}?` : seeHelp(command);
}

function countWords(given: readonly string[], { name, words }: Command): void {
  const least = words.filter(({ optional }) => !optional).length;
  const missing = words[given.length];
  if (given.length < least && missing) throw new Halt(`${missing.name} is missing`, seeHelp(name));
  if (given.length > words.length) {
    const advice =
      name === 'login' ? 'Secrets are never arguments: they are asked for, or read from standard input. ' : '';
    throw new Halt(
      `${name} takes ${words.length === 0 ? 'no arguments' : words.map((word) => word.name).join(' ')}`,
      advice + seeHelp(name),
    );
  }
}

const seeHelp = (command = ''): string => `See: engagelab-otp ${command === '' ? '' : `${command} `}--help`;
