// The programs of docs/callbacks.md, run as they stand against callbacks signed by the code that signs the real ones.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { createSigningSecret, signedHeaders } from '../../../server/src/platform/webhook-signature.ts';
import { makeProject, packageRoot, run } from './support/consumer.ts';

const page = readFileSync(new URL('../../../docs/callbacks.md', import.meta.url), 'utf8');
const [receiving = '', byHand = '', ...others] = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(
  ([, program]) => program,
);
const rows = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) => JSON.parse(text ?? ''));
const secret = createSigningSecret();

const signed = (body: string, signingSecrets = [secret], nowMs = Date.now()) =>
  signedHeaders({ id: 'evt_2072832692843466759', nowMs, body, signingSecrets });

before(async () => assert.deepEqual(await run(packageRoot, ['build.mjs']), { code: 0, output: '' }));

test('the page has two programs and a row for every event', () => {
  assert.deepEqual(others, []);
  assert.ok(rows.length > 20);
});

test('the receiver of the page takes every row of the page, and nothing that is not signed', async (t) => {
  process.env['ENGAGELAB_WEBHOOK_SIGNING_SECRET'] = secret;
  process.env['PORT'] = '0';
  const printed: string[] = [];
  t.mock.method(console, 'log', (...words: unknown[]) => printed.push(words.join(' ')));
  const file = join(makeProject(t, { 'page.mjs': receiving }), 'page.mjs');
  const { server } = (await import(pathToFileURL(file).href)) as { server: Server };
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  if (!server.listening) await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const post = async (body: string, headers: Record<string, string>) =>
    (await fetch(url, { method: 'POST', body, headers })).status;
  for (const row of rows) {
    const body = JSON.stringify('type' in row ? row : { total: 1, rows: [row] });
    assert.equal(await post(body, signed(body)), 200);
    assert.equal(await post(`${body} `, signed(body)), 401);
    assert.equal(await post(body, signed(body, undefined, Date.now() - 400_000)), 401);
  }
  assert.equal(await post('{}', signed('{}')), 200, 'the probe');
  assert.ok(printed.includes('2072832692843466759 4 delivered_failed false'));
  assert.ok(printed.includes('2072832692843466759 4 verified true'));
  assert.equal(printed.length, 11, 'ten statuses, and one of them in the other format');
});

test('the check by hand believes what is signed, also during a rotation, and nothing else', async (t) => {
  const file = join(makeProject(t, { 'by-hand.mjs': byHand }), 'by-hand.mjs');
  const { isGenuine } = (await import(pathToFileURL(file).href)) as {
    isGenuine(headers: Record<string, string>, rawBody: Buffer, secrets: string[]): boolean;
  };
  const body = Buffer.from(JSON.stringify({ total: 1, rows: [rows[0]] }));
  const next = createSigningSecret();
  const headers = signed(String(body));
  assert.equal(isGenuine(headers, body, [secret]), true);
  assert.equal(isGenuine(signed(String(body), [next, secret]), body, [secret]), true);
  assert.equal(isGenuine(headers, body, [next, secret]), true);
  assert.equal(isGenuine(headers, body, [next]), false);
  assert.equal(isGenuine(headers, Buffer.concat([body, Buffer.from(' ')]), [secret]), false);
  assert.equal(isGenuine(signed(String(body), [secret], Date.now() - 301_000), body, [secret]), false);
  assert.equal(isGenuine({}, body, [secret]), false);
});
