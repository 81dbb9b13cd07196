/**
 * The three programs on the page of every operation are run as they are served. Their ids are examples, so most are refused; what
 * may not happen is a program that is wrong: one that does not run, or a request the server cannot read, route or believe.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openTestApp, operatorToken, type TestApp, testCredential } from '../testing/app.ts';
import { openTestDatabase, type TestDatabase } from '../testing/database.ts';
import { hasPrograms } from '../testing/programs.ts';
import { blocksOf, operationsIn } from './fixture.ts';

const run = promisify(execFile);
const sdkRoot = fileURLToPath(new URL('../../../sdks/node', import.meta.url));
const mark = '@@';

/** Runs each file, telling what the server said: the status where it was refused, else `ok`. */
const nodeDriver = `
const { readdirSync } = await import('node:fs');
for (const name of readdirSync('.').filter((one) => one.endsWith('.mjs') && one !== 'driver.mjs').sort()) {
  const fetched = globalThis.fetch;
  let said = 'ok';
  globalThis.fetch = async (...asked) => {
    const reply = await fetched(...asked);
    if (!reply.ok) said = JSON.stringify({ status: reply.status, ...(await reply.clone().json()) });
    return reply;
  };
  await import('./' + name).catch((error) => {
    if (said === 'ok') said = String(error.stack);
  });
  globalThis.fetch = fetched;
  console.log('${mark} ' + name.slice(0, -4) + ' ' + said.replaceAll('\\n', ' '));
}
process.exit(0);
`;
const pythonDriver = `
import glob, io, contextlib, json, urllib.error
for name in sorted(glob.glob("*.py")):
    if name == "driver.py":
        continue
    said = "ok"
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(open(name).read(), name, "exec"), {})
    except urllib.error.HTTPError as error:
        said = json.dumps({**json.load(error), "status": error.code})
    except Exception as error:
        said = repr(error)
    print("${mark} " + name[:-3] + " " + said)
`;

describe('the programs of every operation', () => {
  let database: TestDatabase;
  let opened: TestApp;
  let folder: string;
  let variables: Record<string, string>;
  const ids: string[] = [];

  before(async () => {
    await run(process.execPath, ['build.mjs'], { cwd: sdkRoot });
    database = await openTestDatabase('pglite');
    opened = await openTestApp(database, { env: { PORT: '0' } });
    const base = await opened.app.start();
    folder = mkdtempSync(join(tmpdir(), 'otp-samples-'));
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(sdkRoot, join(folder, 'node_modules', 'engagelab-otp'), 'dir');
    const [devKey = '', devSecret = ''] = testCredential.split(':');
    variables = {
      PATH: String(process.env['PATH']),
      ENGAGELAB_BASE_URL: base,
      ENGAGELAB_DEV_KEY: devKey,
      ENGAGELAB_DEV_SECRET: devSecret,
      OPERATOR_TOKEN: operatorToken,
    };
    const shell: string[] = ['curl() { command curl --fail-with-body --max-time 10 "$@"; }'];
    for (const { operationId } of operationsIn(opened.app.frontDoor.openapi())) {
      const blocks = blocksOf(await (await fetch(`${base}/docs/api/${operationId}.md`)).text());
      const textOf = (wanted: string): string =>
        blocks.find(({ language }) => language === wanted)?.text ?? 'no such block';
      writeFileSync(join(folder, `${operationId}.mjs`), textOf('js'));
      writeFileSync(join(folder, `${operationId}.py`), textOf('python'));
      shell.push(
        `said=$(${textOf('sh').trim()})`,
        `echo "${mark} ${operationId} $? $(echo "$said" | tr -d '\\r\\n' | head -c 600)"`,
      );
      ids.push(operationId);
    }
    writeFileSync(join(folder, 'driver.sh'), shell.join('\n'));
    writeFileSync(join(folder, 'driver.mjs'), nodeDriver);
    writeFileSync(join(folder, 'driver.py'), pythonDriver);
  });
  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await opened?.close();
    await database.close();
  });

  /** What the server said to each program, by its operation. */
  async function drive(command: string, file: string): Promise<Map<string, string>> {
    const options = { cwd: folder, env: variables, timeout: 100_000, maxBuffer: 50_000_000 };
    const { stdout } = await run(command, [file], options);
    const lines = stdout.split('\n').filter((line) => line.startsWith(`${mark} `));
    return new Map(lines.map((line) => line.slice(mark.length + 1).split(/ (.*)/s, 2) as [string, string]));
  }

  /** Refused for what the example names is fine; refused for how it asks is not. */
  function judge(id: string, said: string | undefined): void {
    assert.ok(said !== undefined, `${id} was not run`);
    if (said === 'ok' || said.startsWith('0 ')) return;
    const [text] = /\{.*/s.exec(said) ?? [];
    assert.ok(text !== undefined, `${id}: ${said}`);
    const code = Number(/"code": ?(\d+)/.exec(text)?.[1]);
    // A login names its token in the body, and the one of the example is nobody's.
    if (id === 'createSession' && code === 2001) return;
    assert.ok(code >= 2004 && code !== 3001, `${id}: ${said}`);
    assert.ok(!/no such endpoint|method not allowed|: required|must be (a|an|of)\b/.test(text), `${id}: ${said}`);
  }

  test('curl', async (t) => {
    if (!hasPrograms(t, 'bash', 'curl')) return;
    const said = await drive('bash', 'driver.sh');
    for (const id of ids) judge(id, said.get(id));
    const done = [...said.values()].filter((one) => one.startsWith('0 ')).length;
    assert.ok(done > 30, `${done} of ${said.size} were answered with 200`);
  });

  test('Node', async () => {
    const said = await drive(process.execPath, 'driver.mjs');
    for (const id of ids) judge(id, said.get(id));
  });

  test('Python', async (t) => {
    if (!hasPrograms(t, 'python3')) return;
    const said = await drive('python3', 'driver.py');
    for (const id of ids) judge(id, said.get(id));
  });
});
