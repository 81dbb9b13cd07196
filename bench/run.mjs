/**
 * `npm run bench -- NAME [arguments]` runs bench/NAME.bench.ts. Every benchmark prints as its last line one JSON object
 * `{"bench": NAME, "figures": {FIGURE: {"value": number, "aim": number, "ok": boolean}}}`; one that does not fails here.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const folder = dirname(fileURLToPath(import.meta.url));
const ending = '.bench.ts';

/** What is wrong with the last line of a benchmark, or null. */
export function resultFault(name, lastLine) {
  let result;
  try {
    result = JSON.parse(lastLine);
  } catch {
    return 'its last line is not JSON';
  }
  if (result?.bench !== name) return `its last line does not say "bench": "${name}"`;
  const figures = Object.entries(result.figures ?? {});
  if (figures.length === 0) return 'its last line has no figures';
  const bad = figures.find(
    ([, { value, aim, ok }]) => typeof value !== 'number' || typeof aim !== 'number' || typeof ok !== 'boolean',
  );
  return bad ? `figure ${bad[0]} lacks a number value, a number aim or a boolean ok` : null;
}

/** Runs one benchmark, passing its output on; resolves to the exit code. */
function runBench(name, args) {
  const child = spawn(process.execPath, [join(folder, `${name}${ending}`), ...args], {
    stdio: ['inherit', 'pipe', 'inherit'],
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  let lastLine = '';
  let unfinished = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text) => {
    process.stdout.write(text);
    const lines = (unfinished + text).split('\n');
    unfinished = lines.pop() ?? '';
    lastLine = lines.findLast((line) => line.trim() !== '') ?? lastLine;
  });
  return new Promise((resolve) => {
    child.on('close', (code) => {
      if (code !== 0) return resolve(code ?? 1);
      const fault = resultFault(name, unfinished.trim() || lastLine);
      if (fault !== null) console.error(`${name}: ${fault}.`);
      return resolve(fault === null ? 0 : 1);
    });
  });
}

if (import.meta.main) {
  const names = readdirSync(folder)
    .filter((file) => file.endsWith(ending))
    .map((file) => file.slice(0, -ending.length));
  const [name, ...args] = process.argv.slice(2);
  if (name === undefined || !names.includes(name)) {
    console.error(`usage: npm run bench -- NAME, where NAME is one of: ${names.join(', ') || '(there is none yet)'}`);
    process.exitCode = 2;
  } else process.exitCode = await runBench(name, args);
}
