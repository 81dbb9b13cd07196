/** Programs that a test would run and that not every machine has: what is missing is told, and what it would have done is not done. */
import { execFileSync } from 'node:child_process';
import type { TestContext } from 'node:test';

function isThere(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Whether all are there; tells of the others with the remedy. */
export function hasPrograms(t: TestContext, ...programs: string[]): boolean {
  const missing = programs.filter((program) => !isThere(program));
  if (missing.length > 0) t.diagnostic(`nothing was run: install ${missing.join(' and ')} to test this`);
  return missing.length === 0;
}
