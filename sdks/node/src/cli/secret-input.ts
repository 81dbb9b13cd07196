// How secrets come in: typed without an echo, or over standard input. Never as arguments, which every process of the machine can read.

import { Halt } from './command.ts';
import type { Terminal } from './terminal.ts';

const interrupted = 130;

/** Asks a person; with `hidden` nothing of what is typed is shown. */
export function ask(terminal: Terminal, question: string, hidden: boolean): Promise<string> {
  const { stdin } = terminal;
  return new Promise((resolve) => {
    let typed = '';
    const end = (): void => {
      stdin.removeListener('data', take);
      stdin.setRawMode(false);
      stdin.pause();
      terminal.err('\n');
    };
    const take = (chunk: string): void => {
      for (const letter of chunk) {
        if (letter === '\u0003') {
          end();
          process.exit(interrupted);
        }
        if (letter === '\r' || letter === '\n' || letter === '\u0004') {
          end();
          // What was pasted behind the line belongs to the next question.
          const rest = chunk.slice(chunk.indexOf(letter) + 1);
          if (rest !== '') stdin.unshift(rest);
          resolve(typed.trim());
          return;
        }
        if (letter === '\u007f' || letter === '\b') typed = typed.slice(0, -1);
        else if (letter >= ' ') typed += letter;
        if (!hidden && letter >= ' ' && letter !== '\u007f') terminal.err(letter);
      }
    };
    stdin.setEncoding('utf8');
    stdin.setRawMode(true);
    stdin.resume();
    stdin.on('data', take);
    // Only now: what is typed at once after the question must not be shown either.
    terminal.err(`${question}: `);
  });
}

/** Everything on standard input. */
export async function readInput(terminal: Terminal): Promise<string> {
  let text = '';
  terminal.stdin.setEncoding('utf8');
  for await (const chunk of terminal.stdin) text += String(chunk);
  return text;
}

export interface Pair {
  dev_key: string;
  dev_secret: string;
}

/** A pair as `dev_key:dev_secret`, on two lines, or as JSON. What is wrong with it is told without repeating it. */
export function parsePair(text: string): Pair {
  const { key, secret } = text.trim().startsWith('{') ? fromJson(text) : fromLines(text);
  if (typeof key === 'string' && typeof secret === 'string' && key !== '' && secret !== '' && !key.includes(':'))
    return { dev_key: key, dev_secret: secret };
  throw new Halt(
    'no key pair was given',
    'Write dev_key:dev_secret to standard input, set ENGAGELAB_DEV_KEY and ENGAGELAB_DEV_SECRET, or run this in a terminal.',
  );
}

function fromJson(text: string): { key?: unknown; secret?: unknown } {
  try {
    const { dev_key: key, dev_secret: secret } = JSON.parse(text);
    return { key, secret };
  } catch {
    return {};
  }
}

function fromLines(text: string): { key?: string | undefined; secret?: string | undefined } {
  const [first = '', second] = text.split(/\r?\n/).map((line) => line.trim());
  const colon = first.indexOf(':');
  return colon > 0 ? { key: first.slice(0, colon), secret: first.slice(colon + 1) } : { key: first, secret: second };
}
