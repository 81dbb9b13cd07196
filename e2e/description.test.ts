// The description and the workflows as a running server gives them, judged by the programs people judge descriptions with: lint by Redocly
// and Spectral, Redocly's score for agents, and the workflows executed. Needs no network.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { devKey, devSecret, firstApplication, operatorToken } from './client.ts';
import { openSite, temporaryDirectory } from './site.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const folderOf = (manifest: string): string => dirname(fileURLToPath(manifest));
const redocly = join(folderOf(import.meta.resolve('@redocly/cli/package.json')), 'bin', 'cli.js');
const spectral = join(folderOf(import.meta.resolve('@stoplight/spectral-cli/package.json')), 'dist', 'index.js');
const areas = ['otp-delivery', 'otp-verification', 'custom-otp-code-delivery', 'custom-message-delivery', 'template'];
const documents = ['openapi.json', 'openapi.yaml', 'arazzo.yaml', ...areas.map((area) => `openapi/${area}.json`)];

/** Resolves also where the program says no; rejects where it does not run. */
async function runNode(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { PATH: process.env['PATH'], REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
  try {
    const done = await run(process.execPath, args, { cwd: root, env, timeout: 60_000, maxBuffer: 64 * 2 ** 20 });
    return { code: 0, ...done };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
    if (typeof code !== 'number') throw error;
    return { code, stdout, stderr };
  }
}

/** Answers 200 to everything, as an endpoint of callbacks does. */
async function openReceiver(t: TestContext): Promise<{ url: string; ids: string[] }> {
  const ids: string[] = [];
  const server = createServer((request, response) => {
    const id = request.headers['webhook-id'];
    if (typeof id === 'string') ids.push(id);
    request.resume().on('end', () => response.end());
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/otp`, ids };
}

/** A faulty description: whoever says nothing about it has judged nothing. */
const faulty = JSON.stringify({
  openapi: '3.1.0',
  info: { title: 'Faulty', version: '1' },
  paths: { '/a/{b}': { get: { responses: {} } } },
});

interface Problem {
  location: { source: { ref: string } }[];
  message: string;
}

interface Executed {
  workflowId: string;
  executedSteps: { stepId: string; checks: { status: string }[] }[];
}

/** Runs workflows of the file: the steps of each, with what failed. */
async function respect(
  folder: string,
  workflows: readonly string[],
  inputs: object,
): Promise<Record<string, string[]>> {
  const log = join(folder, 'respect.json');
  const { code, stdout, stderr } = await runNode(
    ...[redocly, 'respect', join(folder, 'arazzo.yaml'), '--json-output', log, '--input', JSON.stringify(inputs)],
    ...workflows.flatMap((name) => ['--workflow', name]),
  );
  assert.equal(code, 0, stdout + stderr);
  const { files } = JSON.parse(readFileSync(log, 'utf8')) as {
    files: Record<string, { executedWorkflows: Executed[] }>;
  };
  const executed = Object.values(files).flatMap(({ executedWorkflows }) => executedWorkflows);
  return Object.fromEntries(
    executed.map(({ workflowId, executedSteps }) => [
      workflowId,
      // Of a step that is asked again until it holds, the last try.
      [...new Map(executedSteps.map((step) => [step.stepId, step])).values()].map(({ stepId, checks }) => {
        const failed = checks.filter(({ status }) => status !== 'success');
        // The status, the media type, the schema of the answer, and what the step demands.
        assert.ok(checks.length >= 4, `${workflowId}.${stepId}`);
        return failed.length === 0 ? stepId : `${stepId} failed: ${JSON.stringify(failed)}`;
      }),
    ]),
  );
}

test('the documents of a running server', async (t) => {
  const { url, ids } = await openReceiver(t);
  const site = await openSite(t, 'pglite');
  const { address } = await site.start({ OUTBOUND_ALLOW: '127.0.0.1/32' });
  const folder = temporaryDirectory(t);
  mkdirSync(join(folder, 'openapi'));
  for (const path of documents) {
    const reply = await fetch(`${address}/${path}`);
    assert.equal(reply.status, 200, path);
    writeFileSync(join(folder, path), await reply.text());
  }
  writeFileSync(join(folder, 'faulty.json'), faulty);
  const files = [...documents, 'faulty.json'].map((path) => join(folder, path));
  // Slow, so they run beside what follows; one takes the description as YAML, the other as JSON.
  const judged = Promise.all([
    runNode(redocly, 'lint', '--format', 'json', ...files.filter((file) => !file.endsWith('openapi.json'))),
    runNode(spectral, 'lint', '--format', 'json', '--quiet', ...files.filter((file) => !file.endsWith('.yaml'))),
  ]);

  await t.test('are ready for agents by the score of Redocly: 90 and more', async () => {
    const { stdout } = await runNode(redocly, 'score', '--format', 'json', join(folder, 'openapi.json'));
    const { agentReadiness, subscores } = JSON.parse(stdout) as { agentReadiness: number; subscores: object };
    t.diagnostic(`agent readiness ${agentReadiness}/100 ${JSON.stringify(subscores)}`);
    assert.ok(agentReadiness >= 90, String(agentReadiness));
  });

  await t.test('name an operation as its tool, in camelCase', async () => {
    const authorization = `Bearer ${devKey}:${devSecret}`;
    const reply = await fetch(`${address}/agents/tools.json?format=mcp`, { headers: { authorization } });
    const tools = (await reply.json()) as { name: string }[];
    const { paths } = JSON.parse(readFileSync(join(folder, 'openapi.json'), 'utf8')) as {
      paths: Record<string, Record<string, { operationId: string }>>;
    };
    const ids = new Set(
      Object.values(paths).flatMap((one) => Object.values(one).map(({ operationId }) => operationId)),
    );
    const camel = (name: string): string => name.replaceAll(/_([a-z])/g, (_, letter) => letter.toUpperCase());
    const others = tools.map(({ name }) => camel(name)).filter((name) => !ids.has(name));
    // These read the registry or the documents, or tell one operation's answer in another form.
    const own = ['searchDocs', 'getDoc', 'getOperation', 'explainMessage', 'lookupNumber', 'getTestInbox'];
    assert.deepEqual(
      others.filter((name) => !own.includes(name)),
      [],
    );
    assert.ok(tools.length - others.length >= 10, JSON.stringify(tools.map(({ name }) => name)));
  });

  await t.test('send and check a code, and fall back, as they stand', async () => {
    assert.deepEqual(await respect(folder, ['sendAndVerify', 'sendFallbackAndVerify'], {}), {
      sendAndVerify: ['send', 'verify'],
      sendFallbackAndVerify: ['send', 'fallBack', 'read', 'verify'],
    });
  });

  await t.test('preview a template, and have callbacks posted again', async () => {
    const inputs = {
      credential: `${devKey}:${devSecret}`,
      operator_token: operatorToken,
      application_id: await firstApplication(address),
      endpoint_url: url,
    };
    assert.deepEqual(await respect(folder, ['createAndPreviewTemplate', 'replayCallbacks'], inputs), {
      createAndPreviewTemplate: ['create', 'preview', 'delete'],
      replayCallbacks: [...['subscribe', 'send', 'posted'], ...['replay', 'postedAgain', 'unsubscribe']],
    });
    // The first one is the probe.
    assert.deepEqual(ids.slice(1), [ids[1], ids[1]], 'the event was posted twice and kept its id');
  });

  await t.test('pass the lint of Redocly without an error or a warning', async () => {
    const [{ stdout, stderr }] = await judged;
    // One list per file, one behind the other.
    const lists = stdout.split(/(?<=^\})(?=\{)/m).map((text) => JSON.parse(text) as { problems: Problem[] });
    const found = lists
      .flatMap(({ problems }) => problems)
      .map(({ location: [at], message }) => `${basename(at?.source.ref ?? '')}: ${message}`);
    assert.deepEqual(
      found.filter((one) => !one.startsWith('faulty.json')),
      [],
    );
    assert.ok(found.length >= 5, 'the faulty one was judged');
    assert.equal(stderr.match(/validated in/g)?.length, files.length - 1, stderr);
  });

  await t.test('pass the lint of Spectral without an error or a warning', async () => {
    const [, { stdout, stderr }] = await judged;
    const found = (JSON.parse(stdout) as { source: string; code: string; message: string }[]).map(
      ({ source, code, message }) => `${basename(source)}: ${code} ${message}`,
    );
    assert.deepEqual(
      found.filter((one) => !one.startsWith('faulty.json')),
      [],
      stderr,
    );
    assert.ok(found.length >= 5, 'the faulty one was judged');
  });
});
