// What `--help` prints, made from the commands themselves.

import type { Command, OptionSpec } from './command.ts';
import { globalOptions } from './command-line.ts';
import { commands } from './commands.ts';
import { table } from './terminal.ts';

const footer = `Credentials come from \`engagelab-otp login\` or the environment, never from arguments:
  ENGAGELAB_BASE_URL                          the server; default http://127.0.0.1:8080
  ENGAGELAB_DEV_KEY, ENGAGELAB_DEV_SECRET     the key pair of an application, or
  ENGAGELAB_AGENT_KEY                         dev_key:dev_secret in one
  ENGAGELAB_OPERATOR_TOKEN                    for keys, and for what doctor sees of providers, routes and callbacks
  ENGAGELAB_CREDENTIALS_FILE                  what login writes; default ~/.config/engagelab-otp/credentials.json

Exit codes: 0 done; 1 refused, not verified, not delivered, or a check of doctor failed; 2 wrong command line or no credential.`;

/** Of the commands that begin with one word, such as `keys`. */
export function groupHelp(group: string): string {
  return [
    `Usage: engagelab-otp ${group} COMMAND [options]\n       engagelab-otp ${group} COMMAND --help`,
    `Commands:\n${listOf(commands.filter(({ name }) => name.startsWith(`${group} `)))}`,
    `Options of every command:\n${optionTable(globalOptions)}\n`,
  ].join('\n\n');
}

const listOf = (some: readonly Command[]): string =>
  table(some.map((command) => [`  ${nameOf(command)}`, command.summary]));

export function mainHelp(): string {
  return [
    'Send and check one-time passwords from the command line.',
    'Usage: engagelab-otp COMMAND [options]\n       engagelab-otp COMMAND --help',
    `Commands:\n${listOf(commands)}`,
    `Options of every command:\n${optionTable(globalOptions)}`,
    `${footer}\n`,
  ].join('\n\n');
}

export function commandHelp(command: Command): string {
  const own = Object.keys(command.options).length > 0 ? '' : ' ';
  const parts = [
    command.summary,
    `Usage: engagelab-otp ${nameOf(command)} [options]`,
    command.words.length > 0 ? table(command.words.map(({ name, sentence }) => [`  ${name}`, sentence])) : '',
    own === '' ? `Options:\n${optionTable(command.options)}` : '',
    `Options of every command:\n${optionTable(globalOptions)}`,
    (command.notes ?? []).join('\n'),
    `Examples:\n${command.examples.map((example) => `  ${example}`).join('\n')}`,
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function nameOf({ name, words }: Command): string {
  return [name, ...words.map((word) => (word.optional ? `[${word.name}]` : word.name))].join(' ');
}

function optionTable(options: { readonly [name: string]: OptionSpec }): string {
  return table(
    Object.entries(options).map(([name, { short, value, sentence, multiple }]) => [
      `  ${short ? `-${short}, ` : '    '}--${name}${value ? ` ${value}` : ''}`,
      multiple ? `${sentence} May be repeated.` : sentence,
    ]),
  );
}
