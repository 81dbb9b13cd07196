// doctor on a healthy installation and on broken ones: each fault is found, named, and told with what repairs it. What may reach real
// people is never sent to.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openTestApp, operatorToken, type TestApp, testCredential } from '../../../server/src/testing/app.ts';
import { openTestDatabase, type TestDatabase } from '../../../server/src/testing/database.ts';
import { dropDatabase } from '../../../server/src/testing/postgres-server.ts';
import { hasPrograms } from '../../../server/src/testing/programs.ts';
import { until } from '../../../server/src/testing/until.ts';
import { type Cli, deadAddress, documentOf, openCli, startProxy, type Tampering } from './support/cli.ts';
import { packageRoot, run as runNode } from './support/consumer.ts';

interface Finding {
  check: string;
  status: string;
  found: string;
  remedy?: string;
}

const operator = { ENGAGELAB_OPERATOR_TOKEN: operatorToken };
const as = (credential: string) => ({ ENGAGELAB_AGENT_KEY: credential });
let database: TestDatabase;
let app: TestApp;
let address: string;
let cli: Cli;

before(async () => {
  assert.deepEqual(await runNode(packageRoot, ['build.mjs']), { code: 0, output: '' });
  database = await openTestDatabase('postgres');
  app = await openTestApp(database, { env: { PORT: '0' } });
  address = await app.app.start();
  cli = openCli({ ENGAGELAB_BASE_URL: address });
});
after(async () => {
  cli.close();
  await app.close();
  await database.close();
});

/** What doctor finds, by check; a check that found several things has the worst of them. */
async function examine(env: Record<string, string> = as(testCredential), ...args: string[]) {
  const ran = await cli.run(['doctor', '--json', ...args], { env });
  assert.equal(ran.err, '');
  const { checks, healthy, counts } = documentOf(ran);
  assert.equal(ran.code, healthy ? 0 : 1);
  const worst = ['skip', 'ok', 'warn', 'fail'];
  const found = new Map<string, Finding>();
  for (const finding of checks as Finding[]) {
    const before = found.get(finding.check);
    if (!before || worst.indexOf(finding.status) > worst.indexOf(before.status)) found.set(finding.check, finding);
    assert.equal(finding.remedy !== undefined, ['warn', 'fail'].includes(finding.status), finding.found);
  }
  return { healthy: healthy as boolean, counts, found };
}

function expectFinding(
  found: Map<string, Finding>,
  check: string,
  status: string,
  seen: RegExp,
  remedy?: RegExp,
): void {
  const finding = found.get(check);
  assert.equal(finding?.status, status, `${check}: ${JSON.stringify(finding)}`);
  assert.match(finding?.found ?? '', seen);
  if (remedy) assert.match(finding?.remedy ?? '', remedy);
}

async function throughProxy(tampering: Tampering, env: Record<string, string> = as(testCredential)) {
  const proxy = await startProxy(address, tampering);
  try {
    return { ...(await examine(env, '--base-url', proxy.address, '--no-send')), address: proxy.address };
  } finally {
    await proxy.close();
  }
}

describe('a healthy installation', () => {
  test('passes every check, and does so again', async () => {
    const { found, healthy, counts } = await examine({ ...as(testCredential), ...operator });
    const page = readFileSync(join(packageRoot, '../../docs/site/cli.md'), 'utf8');
    for (const check of found.keys())
      assert.ok(page.includes(`\`${check}\``), `the page of the command line names ${check}`);
    assert.deepEqual([healthy, counts.fail], [true, 0]);
    const passed = [
      'server',
      'transport',
      'clock',
      'ready',
      'version',
      'public-url',
      'docs',
      'skills',
      'credential',
      'mcp',
    ];
    for (const check of [...passed, 'templates', 'balance', 'operator', 'key'])
      assert.equal(found.get(check)?.status, 'ok', check);
    expectFinding(found, 'round-trip', 'ok', /to \+10000000005: a wrong code was refused, the right one accepted/);
    const again = await cli.run(['doctor'], { env: as(testCredential) });
    assert.equal(again.code, 0);
    assert.match(
      again.out,
      /^ok {4}server {12}http[\s\S]*\nok {4}round-trip[\s\S]*\n\d+ ok, \d to look at, 0 failed, \d not looked at\n$/,
    );
  });

  test('says so of the public sandbox too, and sends nothing where that was not wanted', async () => {
    const { found, healthy } = await examine(as('sandbox_demo:sandbox_secret'));
    assert.equal(healthy, true);
    expectFinding(found, 'secrets', 'ok', /public sandbox pair/);
    const quiet = await app.expectNothingHappened(() => examine(as(testCredential), '--no-send'));
    expectFinding(quiet.found, 'round-trip', 'skip', /--no-send/);
    expectFinding(quiet.found, 'operator', 'skip', /no operator token/);
  });

  test('has colours at a terminal alone, and none under NO_COLOR', async (t) => {
    if (!hasPrograms(t, 'python3')) return;
    const shown = await cli.type(['doctor', '--no-send'], [], as(testCredential));
    assert.ok(shown.out.includes('\u001b[32mok  \u001b[0m'));
    const plain = await cli.type(['doctor', '--no-send'], [], { ...as(testCredential), NO_COLOR: '1' });
    assert.match(plain.out, /^ok {4}server/);
    assert.ok(!plain.out.includes('\u001b'));
  });
});

describe('a broken installation is told what to repair', () => {
  test('nobody answers', async () => {
    const { found, counts } = await examine(as(testCredential), '--base-url', await deadAddress());
    expectFinding(
      found,
      'server',
      'fail',
      /does not answer \(ECONNREFUSED\)/,
      /start the server \(npm start\), or correct the address/,
    );
    expectFinding(found, 'credential', 'skip', /the server does not answer/);
    assert.equal(counts.fail, 1);
    const told = await cli.run(['doctor', '--base-url', await deadAddress()], { env: as(testCredential) });
    assert.match(
      told.out,
      /^FAIL {2}server .*\n +-> Nothing listens there: .*\n[\s\S]*\nskip {2}clock, .*, callbacks: the server does not answer\n/,
    );
  });

  test('something else answers', async () => {
    const { found, counts } = await throughProxy({ hides: ['/'] });
    expectFinding(
      found,
      'server',
      'fail',
      /answers 404, not as the platform does/,
      /correct the address, or what the proxy passes on/,
    );
    assert.equal(counts.fail, 1);
  });

  test('a wrong secret, a key that is switched off, and none', async () => {
    const wrong = await examine(as('dk_test:sk_not-the-secret-of-it'));
    expectFinding(
      wrong.found,
      'credential',
      'fail',
      /refused: 2001/,
      /run engagelab-otp login with the pair that was printed when the key was made/,
    );
    expectFinding(wrong.found, 'templates', 'skip', /needs a key pair that is accepted/);
    const off = await app.makeKey(app.applicationId, { enabled: false });
    const { found } = await examine(as(off.credential));
    expectFinding(found, 'credential', 'fail', /refused: 2002/, /the operator can enable or prolong it/);
    const none = await examine({});
    expectFinding(none.found, 'credential', 'fail', /no key pair/, /Run engagelab-otp login, or set ENGAGELAB_DEV_KEY/);
    const stranger = await examine({ ...as(testCredential), ENGAGELAB_OPERATOR_TOKEN: 'no-operator-token-at-all' });
    expectFinding(
      stranger.found,
      'operator',
      'fail',
      /refused: 2001/,
      /login --operator with the token of OPERATOR_TOKEN/,
    );
  });

  test('a public URL that leads nowhere, plain HTTP over a network, and secrets out of documents there', async () => {
    const outer = address.replace('127.0.0.1', '0.0.0.0');
    const { found } = await examine({ ...as(testCredential), ...operator }, '--base-url', outer);
    expectFinding(
      found,
      'public-url',
      'fail',
      /calls itself http:\/\/127/,
      new RegExp(`Set PUBLIC_URL=${outer} where the server starts`),
    );
    expectFinding(found, 'transport', 'warn', /travel in clear/, /Put TLS in front/);
    expectFinding(found, 'secrets', 'fail', /a value of the documents/, /keys rotate/);
    const near = await throughProxy({});
    expectFinding(near.found, 'public-url', 'warn', /you reach it as/, new RegExp(`PUBLIC_URL=${near.address} `));
    assert.equal(near.healthy, true);
  });

  test('clocks that differ', async () => {
    const at = (seconds: number): Tampering => ({
      headers: { date: new Date(Date.now() + seconds * 1000).toUTCString() },
    });
    const far = await throughProxy(at(-3600));
    expectFinding(far.found, 'clock', 'fail', /3[56]\d\d s behind/, /Synchronise both clocks \(NTP\)/);
    const near = await throughProxy(at(190));
    expectFinding(near.found, 'clock', 'warn', /1\d\d s ahead of/, /NTP/);
  });

  test('a proxy that does not pass on everything', async () => {
    const { found } = await throughProxy({ hides: ['/.well-known', '/mcp', '/llms.txt', '/openapi.json'] });
    expectFinding(found, 'skills', 'fail', /agent-skills\/index.json is not served \(404\)/, /\.well-known among them/);
    expectFinding(found, 'docs', 'fail', /llms.txt is not served/, /pass on every path/);
    expectFinding(found, 'mcp', 'fail', /does not list its tools \(404\)/, /POST \/mcp/);
    expectFinding(found, 'version', 'fail', /does not tell the version/, /every path belongs to the server/);
  });

  test('an application without a template, and one whose only template was not approved', async () => {
    const empty = await app.makeApplication();
    const { found } = await examine(as(empty.credential));
    expectFinding(found, 'templates', 'fail', /has none/, /engagelab-otp templates create -f FILE/);
    expectFinding(found, 'round-trip', 'skip', /needs a template/);
    const waiting = await app.makeApplication({ policy: { template_review: 'manual' } });
    await saveTemplate(waiting.credential);
    const second = await examine(as(waiting.credential));
    expectFinding(second.found, 'templates', 'fail', /none of 1 may send/, /approved by the operator/);
  });

  test('a balance that is used up', async () => {
    const { id, credential } = await app.makeApplication();
    const { body } = await app.operator({ path: `/admin/v1/applications/${id}` });
    const path = `/admin/v1/organizations/${body.organization_id}/balance`;
    assert.equal((await app.operator({ method: 'PATCH', path, body: { mode: 'prepaid' } })).status, 200);
    const { found } = await examine(as(credential));
    expectFinding(found, 'balance', 'fail', /0\.00 USD left: sends are refused/, /top it up/);
  });

  test('a live application without providers and routes, a receiver that is not there, a key about to end: and nothing is sent', async () => {
    const expires_at = new Date(Date.now() + 3_600_000).toISOString();
    const { id, credential } = await app.makeApplication({ key: { expires_at }, policy: { template_review: 'auto' } });
    await saveTemplate(credential);
    const path = `/admin/v1/applications/${id}`;
    const url = `${await deadAddress()}/otp`;
    assert.equal((await app.operator({ path: `${path}/callback-endpoints`, body: { url } })).status, 200);
    assert.equal((await app.operator({ method: 'PATCH', path, body: { network: 'live' } })).status, 200);
    const { found } = await app.expectNothingHappened(() =>
      examine({ ...as(credential), ...operator }, '--to', '+6591234567'),
    );
    expectFinding(found, 'credential', 'ok', /may reach real people/);
    expectFinding(found, 'round-trip', 'skip', /may reach real people: nothing is sent/);
    expectFinding(found, 'providers', 'fail', /none is enabled, but an application is live/, /Create a provider/);
    expectFinding(found, 'routes', 'fail', /sms is in a chain but has no route/, /POST \/admin\/v1\/routes/);
    expectFinding(found, 'callbacks', 'warn', /did not answer its probe/, /receiver runs and OUTBOUND_ALLOW/);
    expectFinding(found, 'key', 'warn', /it expires/, /Prolong it/);
    await app.operator({ method: 'PATCH', path, body: { network: 'virtual' } });
  });

  test('a live application whose provider is drained, and whose route ends at a border', async () => {
    const { id, credential } = await app.makeApplication({ policy: { template_review: 'auto' } });
    await saveTemplate(credential);
    // Its address is taken for good when it opens; nobody asks it here.
    const settings = { api_key: 'abcd1234', api_secret: 'secret', from: 'Acme', api_url: 'https://127.0.0.1' };
    const provider = { id: 'carrier', adapter: 'sms-vonage', title: 'Carrier', settings };
    const steps: [string, object][] = [
      ['/admin/v1/providers', provider],
      [
        '/admin/v1/routes',
        { channel: 'sms', prefix: '65', entries: [{ provider: 'carrier', price_micros: 5 }], application_id: id },
      ],
    ];
    for (const [path, body] of steps) assert.equal((await app.operator({ path, body })).status, 200, path);
    await app.operator({ method: 'PATCH', path: `/admin/v1/applications/${id}`, body: { network: 'live' } });
    const env = { ...as(credential), ...operator };
    const reached = await until('a node tells of the provider', async () => {
      const { found } = await examine(env, '--to', '+6591234567');
      return found.get('providers')?.status === 'ok' && found;
    });
    expectFinding(reached, 'routes', 'ok', /sms to \+6591234567: carrier/);
    const abroad = await examine(env, '--to', '+491701234567');
    expectFinding(abroad.found, 'routes', 'fail', /sms to \+491701234567: no_route/, /Make a route for this country/);
    await app.operator({ path: '/admin/v1/providers/carrier/drain', body: { seconds: 600 } });
    const drained = await examine(env);
    expectFinding(drained.found, 'providers', 'warn', /carrier is drained until/, /Intended/);
    expectFinding(drained.found, 'routes', 'ok', /sms: 1 route$/);
  });

  // The last one: nothing of this installation works afterwards.
  test('a database that is gone', async () => {
    await dropDatabase(database.url ?? '');
    const { found } = await examine({ ...as(testCredential), ...operator });
    expectFinding(found, 'server', 'ok', /answers/);
    for (const check of ['credential', 'operator'])
      expectFinding(found, check, 'fail', /could not be (checked|looked at): 1000/, /See the checks above/);
    expectFinding(found, 'ready', 'fail', /database failing/, /check that PostgreSQL runs, DATABASE_URL/);
  });
});

test('no secret was ever printed', () => {
  const secrets = [
    testCredential.split(':')[1] ?? '',
    operatorToken,
    'sk_not-the-secret-of-it',
    'no-operator-token-at-all',
  ];
  cli.assertNeverPrinted(...secrets);
});

async function saveTemplate(credential: string): Promise<void> {
  const { status } = await app.call({
    path: '/v1/template-configs',
    credential,
    body: {
      template_id: 'login',
      send_channel_strategy: 'sms',
      verify_code_config: { verify_code_type: 1, verify_code_len: 6, verify_code_ttl: 5 },
      sms_config: { template_type: 1, template_default_config: { contain_security: true } },
    },
  });
  assert.equal(status, 200);
}
