// What somebody gets who installs the package: both module formats load and work, types fit, it is built for old Node,
// and the programs of its README run.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { makeProject, packageRoot, run } from './support/consumer.ts';
import { startServer } from './support/server.ts';

const dist = join(packageRoot, 'dist');

before(async () => assert.deepEqual(await run(packageRoot, ['build.mjs']), { code: 0, output: '' }));

/** The lines every quick start begins with, whoever wrote it. */
const quickStart = `
  const otp = new OTPClient(process.env.ENGAGELAB_DEV_KEY, process.env.ENGAGELAB_DEV_SECRET);
  const { message_id } = await otp.send('+6591234567', 'your-template-id', {}, 'en');
  const { verified } = await otp.verify(message_id, '482913');
  console.log(message_id, verified);`;

const formats: [string, string, string][] = [
  ['CommonJS', 'main.cjs', `const { OTPClient } = require('engagelab-otp'); (async () => {${quickStart}})();`],
  ['an ES module', 'main.mjs', `import { OTPClient } from 'engagelab-otp'; ${quickStart}`],
];

for (const [format, name, script] of formats) {
  test(`the quick start runs as ${format} and ends by itself`, async (t) => {
    const server = await startServer(t, [
      { body: { message_id: '2072832692843466759', send_channel: 'sms' } },
      { body: { message_id: '2072832692843466759', verify_code: '482913', verified: true } },
    ]);
    const ran = await run(makeProject(t, { [name]: script }), [name], {
      ENGAGELAB_BASE_URL: server.url,
      ENGAGELAB_DEV_KEY: 'sandbox_demo',
      ENGAGELAB_DEV_SECRET: 'sandbox_secret',
    });
    assert.deepEqual(ran, { code: 0, output: '2072832692843466759 true\n' });
    assert.deepEqual(
      server.requests.map(({ path, headers }) => [path, headers.authorization]),
      ['/v1/messages', '/v1/verifications'].map((path) => [path, 'Basic c2FuZGJveF9kZW1vOnNhbmRib3hfc2VjcmV0']),
    );
  });
}

test('both formats export the same names', async (t) => {
  const print = 'console.log(Object.keys(all).filter((name) => name !== "__esModule").sort().join())';
  const folder = makeProject(t, {
    'a.cjs': `const all = require('engagelab-otp'); ${print}`,
    'b.mjs': `import * as all from 'engagelab-otp'; ${print}`,
  });
  const names =
    'EngagelabError,MessageStatusEvent,NotificationEvent,OTPClient,SystemEvent,UplinkEvent,WebhookSignatureError,WebhookVerifier\n';
  assert.deepEqual(await run(folder, ['a.cjs']), { code: 0, output: names });
  assert.deepEqual(await run(folder, ['b.mjs']), { code: 0, output: names });
});

test('the sub-paths for agents load in both formats', async (t) => {
  const paths = { openai: 'openaiTools', anthropic: 'anthropicTools', 'ai-sdk': 'aiSdkTools' };
  for (const [path, name] of Object.entries(paths)) {
    const folder = makeProject(t, {
      'a.cjs': `console.log(typeof require('engagelab-otp/${path}').${name})`,
      'b.mjs': `import { ${name} } from 'engagelab-otp/${path}'; console.log(typeof ${name})`,
    });
    for (const file of ['a.cjs', 'b.mjs'])
      assert.deepEqual(await run(folder, [file]), { code: 0, output: 'function\n' }, path);
  }
});

test('types fit strict projects of both formats, with the libraries checked too', async (t) => {
  const source = `
    import { EngagelabError, type FastifyPlugin, OTPClient, WebhookVerifier } from 'engagelab-otp';
    import { createServer } from 'node:http';
    const otp = new OTPClient(process.env['A'], process.env['B'], { fetch, maxRetries: 2 });
    export const sent: Promise<string> = otp.send('+65', 't', {}, 'en', { signals: { ip: '::1' } }).then((r) => r.message_id);
    export const seconds = (error: unknown): number | undefined => error instanceof EngagelabError ? error.retryAfter : undefined;
    createServer(new WebhookVerifier({ username: 'u', secret: 's' }).middleware((events) => {
      for (const event of events) if (event.kind === 'message_status') event.status.toUpperCase();
    }));
    export const plugin: FastifyPlugin = new WebhookVerifier({ signingSecrets: ['whsec_AAAA'] }).fastify(() => {});
    // @ts-expect-error a template is needed
    otp.send('+65');`;
  const folder = makeProject(t, { 'a.cts': source, 'b.mts': source, 'package.json': '{}' });
  const require = createRequire(import.meta.url);
  const typeRoots = join(require.resolve('@types/node/package.json'), '../..');
  const options = [
    '--noEmit',
    '--strict',
    '--exactOptionalPropertyTypes',
    '--module',
    'nodenext',
    '--target',
    'es2022',
  ];
  const args = [...options, '--skipLibCheck', 'false', '--typeRoots', typeRoots, '--types', 'node', 'a.cts', 'b.mts'];
  assert.deepEqual(await run(folder, [require.resolve('typescript/bin/tsc'), ...args]), { code: 0, output: '' });
});

describe('what is published', () => {
  const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));

  test('has no dependencies, and every file it names exists', () => {
    for (const kind of ['dependencies', 'peerDependencies', 'optionalDependencies'])
      assert.equal(manifest[kind], undefined);
    const { import: esm, require: cjs } = manifest.exports['.'];
    for (const file of [
      manifest.main,
      manifest.types,
      ...Object.values(esm),
      ...Object.values(cjs),
      ...manifest.files,
    ]) {
      assert.ok(existsSync(join(packageRoot, file as string)), String(file));
    }
  });

  test('uses nothing that Node 14 cannot load', () => {
    const names = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
    assert.ok(names.length > 30, 'the files were seen');
    const tooNew =
      /['"]node:|\?\?=|\|\|=|&&=|^\s*#\w|\bstatic \{|\.replaceAll\(|\.at\(|hasOwn\(|structuredClone|randomUUID/m;
    for (const name of names) assert.doesNotMatch(readFileSync(join(dist, name), 'utf8'), tooNew, name);
  });

  test('is left alone by a second build', async () => {
    const { mtimeMs } = statSync(join(dist, 'cjs/index.js'));
    await run(packageRoot, ['build.mjs']);
    assert.equal(statSync(join(dist, 'cjs/index.js')).mtimeMs, mtimeMs);
  });
});

/** Run as they stand, one after the other, in one async function. */
const programs = [...readFileSync(join(packageRoot, 'README.md'), 'utf8').matchAll(/```js\n([\s\S]*?)```/g)].map(
  ([, program]) => program,
);

test('every program of the README runs', async (t) => {
  const sent = { body: { message_id: '17', send_channel: 'sms' } };
  const server = await startServer(t, [
    sent,
    { body: { message_id: '17', verify_code: '482913', verified: true } },
    { status: 400, body: { code: 3003, message: 'already verified', reason: 'already_verified' } },
    sent,
    { body: { messages: [{ message_id: '17', code: '654321' }] } },
    { body: { message_id: '17', verify_code: '654321', verified: true } },
    { body: [{ type: 'function', name: 'list_templates' }] },
    { body: { jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: '{"templates":[]}' }] } } },
  ]);
  const around = `const userTypedCode = '482913';
    const app = { post: (path, handler) => console.log('mounted', path, typeof handler) };
    const fastify = { register: (plugin, options) => console.log('registered', options.prefix, typeof plugin) };
    (async () => {\n${programs.join('\n')}\n})();`;
  const ran = await run(makeProject(t, { 'readme.cjs': around }), ['readme.cjs'], {
    ENGAGELAB_BASE_URL: server.url,
    ENGAGELAB_DEV_KEY: 'sandbox_demo',
    ENGAGELAB_DEV_SECRET: 'sandbox_secret',
    ENGAGELAB_WEBHOOK_USERNAME: 'acme',
    ENGAGELAB_WEBHOOK_SECRET: 'hook-secret',
  });
  assert.equal(programs.length, 6);
  assert.match(
    ran.output,
    /^expired or used: already_verified\nmounted \/otp-callbacks function\nregistered \/otp-callbacks function\n\{[^}]*verified: true[^}]*\}\n1 function_call_output\n$/,
  );
  assert.equal(ran.code, 0);
  assert.equal(server.requests.length, 8);
});
