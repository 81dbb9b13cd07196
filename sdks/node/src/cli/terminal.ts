// Where the command line reads and writes: results on standard output, everything about them on standard error.
// Colours only for a person at a terminal who has not said NO_COLOR.

export type Variables = { readonly [name: string]: string | undefined };

type Colour = 'green' | 'yellow' | 'red' | 'dim' | 'bold';

const escapes: { readonly [name in Colour]: number } = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 };

export interface Terminal {
  env: Variables;
  /** One JSON document instead of text. */
  json: boolean;
  stdin: NodeJS.ReadStream;
  out(text: string): void;
  /** Aborted once nobody reads standard output any more. */
  gone: AbortSignal;
  err(text: string): void;
  /** For text on standard output. */
  paint(colour: Colour, text: string): string;
}

export function openTerminal(json: boolean): Terminal {
  const { env, stdin, stdout, stderr } = process;
  const gone = new AbortController();
  // A reader such as `head` that has seen enough is no fault, but no success either: the code of the command tells what came of it.
  stdout.on('error', ({ code }: { code?: string }) => (code === 'EPIPE' ? gone.abort() : giveUp(json, code)));
  // What cannot be told changes nothing of what came about.
  stderr.on('error', () => undefined);
  const coloured = !json && stdout.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  return {
    env,
    json,
    stdin,
    gone: gone.signal,
    out: (text) => void (gone.signal.aborted || stdout.write(text)),
    err: (text) => void stderr.write(text),
    paint: (colour, text) => (coloured ? `\u001b[${escapes[colour]}m${text}\u001b[0m` : text),
  };
}

/** A result that got lost, on a full disk for instance, must not pass for one that was told. */
function giveUp(json: boolean, code = 'unknown'): never {
  const message = `standard output cannot be written (${code})`;
  process.stderr.write(json ? `${JSON.stringify({ error: { kind: 'internal', message } })}\n` : `error: ${message}\n`);
  process.exit(1);
}

/** Columns as wide as their widest cell, without a frame. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** What came from outside, made harmless for a terminal: no control characters. */
export function plain(value: unknown): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to take out
  return String(value ?? '').replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}
