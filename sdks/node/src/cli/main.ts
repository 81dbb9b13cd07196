// The command line `engagelab-otp`: reads what was asked, runs it, prints its outcome, and leaves with a code that scripts can branch on.

import { VERSION } from '../version.ts';
import { type Call, exitCodes, type Outcome } from './command.ts';
import { type Asked, readCommandLine } from './command-line.ts';
import { addressOf } from './connection.ts';
import { describeFailure, failureText } from './failures.ts';
import { commandHelp, groupHelp, mainHelp } from './help.ts';
import { jsonText, openTerminal, plainLines, type Terminal } from './terminal.ts';

/** Runs what the process was asked for; the exit code is set, and the process ends by itself. */
export async function main(): Promise<void> {
  const words = process.argv.slice(2);
  const end = words.indexOf('--');
  const terminal = openTerminal(words.slice(0, end === -1 ? words.length : end).includes('--json'));
  process.exitCode = await run(words, terminal);
}

/** One use of the program; the code it leaves with. */
export async function run(words: readonly string[], terminal: Terminal): Promise<number> {
  let call: Call | undefined;
  try {
    const asked = readCommandLine(words);
    if (asked.kind === 'version') return show(terminal, { json: { version: VERSION }, text: VERSION });
    if (asked.kind === 'help') {
      terminal.out(helpFor(asked));
      return exitCodes.done;
    }
    call = { words: asked.words, options: asked.options, terminal };
    return show(terminal, await asked.command.run(call));
  } catch (error) {
    const { failure, exit } = describeFailure(error, () => call && addressOf(call));
    terminal.err(terminal.json ? `${jsonText({ error: failure })}\n` : failureText(failure));
    return exit;
  }
}

function helpFor({ command, group }: Extract<Asked, { kind: 'help' }>): string {
  if (command) return commandHelp(command);
  return group === undefined ? mainHelp() : groupHelp(group);
}

function show(terminal: Terminal, { json, text, exit = exitCodes.done }: Outcome): number {
  if (terminal.json) {
    if (json !== undefined) terminal.out(`${jsonText(json)}\n`);
  } else if (text !== '') terminal.out(`${plainLines(text)}\n`);
  return exit;
}
