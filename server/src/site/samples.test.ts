/**
 * The three programs on the page of every operation are run as they are served. Their ids are examples, so most are refused; what
 * may not happen is a program that is wrong: one that does not run, or a request the server cannot read, route or believe.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openProgramSite, type ProgramSite } from '../testing/program-site.ts';
import { hasPrograms } from '../testing/programs.ts';
import { blocksOf, operationsIn } from './fixture.ts';

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
from engagelab_otp import EngagelabError
for name in sorted(glob.glob("*.py")):
    if name == "driver.py":
        continue
    said = "ok"
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(open(name).read(), name, "exec"), {})
    except urllib.error.HTTPError as error:
        said = json.dumps({**json.load(error), "status": error.code})
    except EngagelabError as error:
        said = json.dumps({"status": error.http_status, "code": error.code, "message": error.message, "details": error.details})
    except Exception as error:
        said = repr(error)
    print("${mark} " + name[:-3] + " " + said)
`;

describe('the programs of every operation', () => {
  let site: ProgramSite;
  const ids: string[] = [];

  before(async () => {
    site = await openProgramSite();
    const shell: string[] = ['curl() { command curl --fail-with-body --max-time 10 "$@"; }'];
    for (const { operationId } of operationsIn(site.app.frontDoor.openapi())) {
      const blocks = blocksOf(await (await fetch(`${site.base}/docs/api/${operationId}.md`)).text());
      const textOf = (wanted: string): string =>
        blocks.find(({ language }) => language === wanted)?.text ?? 'no such block';
      site.write(`${operationId}.mjs`, textOf('js'));
      site.write(`${operationId}.py`, textOf('python'));
      shell.push(
        `said=$(${textOf('sh').trim()})`,
        `echo "${mark} ${operationId} $? $(echo "$said" | tr -d '\\r\\n' | head -c 600)"`,
      );
      ids.push(operationId);
    }
    site.write('driver.sh', shell.join('\n'));
    site.write('driver.mjs', nodeDriver);
    site.write('driver.py', pythonDriver);
  });
  after(() => site?.close());

  /** What the server said to each program, by its operation. */
  async function drive(command: string, file: string): Promise<Map<string, string>> {
    const lines = (await site.run(command, [file])).split('\n').filter((line) => line.startsWith(`${mark} `));
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
