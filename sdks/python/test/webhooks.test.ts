// Callbacks in Python: the signatures and events of sdks/cases.json, what is answered, and receivers behind a real port.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { createSigningSecret, signedHeaders } from '../../../server/src/platform/webhook-signature.ts';
import { cases } from '../../node/test/support/cases.ts';
import { type Driver, hasPython, python, startDriver } from './python.ts';

const driver: Driver | undefined = python === undefined ? undefined : startDriver();
after(() => driver?.stop());

const signingSecret = createSigningSecret();
const delivered = JSON.stringify({ total: 1, rows: [{ message_id: '1', status: { message_status: 'delivered' } }] });
const signed = (body: string, nowMs = Date.now(), secrets = [signingSecret]) =>
  signedHeaders({ id: 'evt_2072832692843466759', nowMs, body, signingSecrets: secrets });

/** The last character of the signature changed. */
const spoiled = (header: string) => `${header.slice(0, -1)}${header.endsWith('0') ? '1' : '0'}`;

describe('X-CALLBACK-ID', () => {
  for (const { username, secret, header } of cases.signatures.callback_id) {
    test(`of ${username} is believed, and nothing near it`, async (t) => {
      if (!hasPython(t) || !driver) return;
      const ask = (header: string, options: object = {}) =>
        driver.ask({ do: 'verify', verifier: { username, secret, ...options }, header });
      assert.deepEqual(await ask(header), { ok: null });
      assert.deepEqual(await ask(header.split(';').reverse().join('; ')), { ok: null });
      assert.deepEqual(await ask(header, { secret: 'next', secrets: [secret] }), { ok: null });
      for (const bad of [spoiled(header), `${header};nonce=x`, header.replace('timestamp', 'time'), '']) {
        assert.match((await ask(bad)).fault ?? '', /^WebhookSignatureError: X-CALLBACK-ID/, bad);
      }
      assert.match((await ask(header, { secret: 'other' })).fault ?? '', /^WebhookSignatureError/);
      assert.match((await ask(header, { tolerance_seconds: 300 })).fault ?? '', /outside the tolerance/);
    });
  }
});

describe('Standard Webhooks', () => {
  for (const [index, { signing_secret, headers, body }] of cases.signatures.standard.entries()) {
    test(`vector ${index + 1}`, async (t) => {
      if (!hasPython(t) || !driver) return;
      const ask = (body: string, options: object = {}) =>
        driver.ask({ do: 'verify', verifier: { signing_secret, ...options }, headers, body });
      assert.deepEqual(await ask(body), { ok: null });
      assert.match((await ask(`${body} `)).fault ?? '', /^WebhookSignatureError: webhook-signature/);
      assert.match((await ask(body, { tolerance_seconds: 300 })).fault ?? '', /outside the tolerance/);
    });
  }

  for (const [index, { signing_secrets, headers, body, valid }] of cases.signatures.rotation.entries()) {
    test(`rotation ${index + 1} is ${valid ? 'believed' : 'refused'}`, async (t) => {
      if (!hasPython(t) || !driver) return;
      const answer = await driver.ask({ do: 'verify', verifier: { signing_secrets }, headers, body });
      if (valid) assert.deepEqual(answer, { ok: null });
      else assert.match(answer.fault ?? '', /^WebhookSignatureError/);
    });
  }
});

describe('events', () => {
  const rows = cases.events.map(({ name, row, event }) => ({ name, body: { total: 1, rows: [row] }, event }));
  for (const { name, body, event } of [...rows, ...cases.standard_events]) {
    test(name, async (t) => {
      if (!hasPython(t) || !driver) return;
      for (const form of [body, JSON.stringify(body)]) {
        const { ok } = await driver.ask({ do: 'events', body: form });
        const [got, ...more] = ok as Record<string, unknown>[];
        assert.deepEqual(more, []);
        for (const [field, value] of Object.entries(event)) assert.deepEqual(got?.[field], value, field);
      }
    });
  }

  for (const { name, body, count } of cases.bodies) {
    test(`${name}: ${count}`, async (t) => {
      if (!hasPython(t) || !driver) return;
      const { ok } = await driver.ask({ do: 'events', body });
      assert.equal((ok as unknown[]).length, count);
    });
  }

  test('what is not JSON is refused without quoting it', async (t) => {
    if (!hasPython(t) || !driver) return;
    const { fault } = await driver.ask({ do: 'events', body: '{"total":482913' });
    assert.equal(fault, 'ValueError: the callback body is not JSON');
  });
});

describe('what is answered', () => {
  const verifier = { signing_secret: signingSecret, tolerance_seconds: 300 };
  const headers = signed(delivered);
  const table: [string, object, object][] = [
    ['a signed callback', {}, { status: 200, handled: ['message_status'] }],
    ['a changed body', { body: `${delivered} ` }, { status: 401, handled: [] }],
    ['no signature', { headers: {} }, { status: 401, handled: [] }],
    [
      'a recorded one, posted again',
      { headers: signed(delivered, Date.now() - 400_000) },
      { status: 401, handled: [] },
    ],
    ['a probe', { headers: signed('{}'), body: '{}' }, { status: 200, handled: [] }],
    ['not JSON', { headers: signed('{"total":'), body: '{"total":' }, { status: 400, handled: [] }],
    ['a handler that fails', { fails: true }, { status: 500, handled: ['message_status'] }],
    [
      'a handler that fails, with ack_on_error',
      { fails: true, ack_on_error: true },
      { status: 200, handled: ['message_status'] },
    ],
    ['more than a mebibyte', { body: 'x'.repeat(1024 * 1024 + 1) }, { status: 413, handled: [] }],
  ];
  for (const [name, asked, expected] of table) {
    test(name, async (t) => {
      if (!hasPython(t) || !driver) return;
      const answer = await driver.ask({ do: 'receive', verifier, headers, body: delivered, ...asked });
      assert.deepEqual(answer, { ok: expected });
    });
  }
});

for (const framework of ['wsgi', 'flask']) {
  test(`a receiver made for ${framework} believes what is signed and nothing else`, async (t) => {
    if (!hasPython(t)) return;
    const receiver = startDriver();
    t.after(() => receiver.stop());
    if (framework === 'flask' && (await receiver.ask({ do: 'has_flask' })).ok !== true) {
      t.diagnostic('nothing was run: install Flask (pip install flask) to test the Flask view');
      return;
    }
    const verifier = { signing_secret: signingSecret };
    const { ok: url, fault } = await receiver.ask({ do: 'serve', framework, verifier });
    assert.equal(fault, undefined);
    const post = async (body: string, headers: Record<string, string>) =>
      (await fetch(String(url), { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } }))
        .status;
    assert.equal(await post(delivered, signed(delivered)), 200);
    assert.equal(await post(delivered.replace('"1"', '"2"'), signed(delivered)), 401);
    assert.equal(await post(delivered, {}), 401);
    assert.equal(await post('{}', signed('{}')), 200);
    assert.equal(await post(' '.repeat(1024 * 1024 + 1), signed('')), 413);
    assert.deepEqual(
      receiver.events.map(({ message_id }) => message_id),
      ['1'],
    );
  });
}
