/**
 * The documents as agents fetch them, judged by somebody else's rules: every check of `afdocs check`, by its library door, against a server
 * that runs. The sample is the same in every run, so that a verdict can be looked into.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runChecks } from 'afdocs';
import { openSite } from './site.ts';

test('afdocs finds no fault in the documents and at most one thing to warn of', async (t) => {
  const server = await (await openSite(t, 'pglite')).start();
  const { results, summary, testedPages } = await runChecks(`${server.address}/docs`, {
    samplingStrategy: 'deterministic',
    maxLinksToTest: 20,
    maxConcurrency: 8,
    requestDelay: 0,
    networkContext: 'ci',
  });
  const { pass, warn, fail, error, skip } = summary;
  t.diagnostic(`afdocs: ${pass} pass, ${warn} warn, ${fail} fail, ${error} error, ${skip} skip, ${testedPages} pages`);
  const told = results
    .filter(({ status }) => status !== 'pass' && status !== 'skip')
    .map(
      ({ id, status, message, details }) => `${status} ${id}: ${message}\n${JSON.stringify(details).slice(0, 2000)}`,
    );
  assert.ok((testedPages ?? 0) >= 20, `${testedPages} pages`);
  assert.ok(pass >= 26 && fail === 0 && error === 0 && warn <= 1, told.join('\n'));
});
