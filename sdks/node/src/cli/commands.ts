// Every command, in the order in which the help lists them.

import type { Command } from './command.ts';
import { doctor } from './doctor/doctor.ts';
import { inbox } from './inbox.ts';
import { createKey, listKeys, revokeKey, rotateKey } from './keys.ts';
import { login, logout, whoami } from './login.ts';
import { send } from './send.ts';
import { createTemplate, getTemplate, listTemplates, previewTemplate } from './templates.ts';
import { verify } from './verify.ts';
import { watch } from './watch.ts';

export const commands: readonly Command[] = [
  ...[login, logout, whoami, doctor],
  ...[send, verify, watch, inbox],
  ...[listTemplates, getTemplate, createTemplate, previewTemplate],
  ...[listKeys, createKey, rotateKey, revokeKey],
];

/** First words that a second one has to follow. */
export const groupNames: readonly string[] = [
  ...new Set(commands.filter(({ name }) => name.includes(' ')).map(({ name }) => name.slice(0, name.indexOf(' ')))),
];

/** By one or two words. */
export function findCommand([first, second]: readonly string[]): Command | undefined {
  return commands.find(({ name }) => name === first || name === `${first} ${second}`);
}
