// Which callbacks are believed. The published vectors pass; each single change of them does not.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { WebhookSignatureError, WebhookVerifier } from '../src/index.ts';
import { cases } from './support/cases.ts';

const hooks = { username: 'sandbox_demo', secret: 'sandbox_webhook_secret' };
const vector = cases.signatures.callback_id[0]?.header ?? '';
const [standard] = cases.signatures.standard;
assert.ok(standard);

describe('X-CALLBACK-ID', () => {
  for (const { username, secret, header } of cases.signatures.callback_id) {
    test(`the vector of ${username} passes, with another secret it does not`, () => {
      new WebhookVerifier({ username, secret }).verify(header);
      assert.throws(
        () => new WebhookVerifier({ username, secret: `${secret}x` }).verify(header),
        WebhookSignatureError,
      );
    });
  }

  test('parts may come in any order, with spaces', () => {
    const turned = vector.split(';').reverse().join(' ; ').replaceAll('=', ' = ');
    new WebhookVerifier(hooks).verify(` ${turned};`);
  });

  const refused: [string, unknown][] = [
    ['nothing', undefined],
    ['an empty header', ''],
    ['a list', [vector]],
    ['another text', 'hello'],
    ['a changed timestamp', vector.replace('1701234567', '1701234568')],
    ['a changed nonce', vector.replace('abc123', 'abc124')],
    ['a changed signature', vector.replace('signature=c', 'signature=d')],
    ['a short signature', vector.slice(0, -1)],
    ['an empty signature', vector.replace(/signature=.*/, 'signature=')],
    ['a signature that is not hex', vector.replace(/signature=.*/, `signature=${'z'.repeat(64)}`)],
    ['a part given twice', `${vector};nonce=abc123`],
    ['parts named like object members', `__proto__=1;constructor=2;${vector.replace('nonce', 'toString')}`],
  ];
  for (const part of ['timestamp', 'nonce', 'username', 'signature']) {
    refused.push([`no ${part}`, vector.replace(new RegExp(`${part}=[^;]*;?`), '')]);
  }
  for (const [name, header] of refused) {
    test(`${name} is refused`, () => {
      assert.throws(() => new WebhookVerifier(hooks).verify(header as string), WebhookSignatureError);
    });
  }

  test('a right signature under another username is refused', () => {
    const mac = createHmac('sha256', hooks.secret).update('1701234567abc123other').digest('hex');
    const header = `timestamp=1701234567;nonce=abc123;username=other;signature=${mac}`;
    assert.throws(() => new WebhookVerifier(hooks).verify(header), WebhookSignatureError);
  });

  test('age counts only where a tolerance is set, in both directions', (t) => {
    t.mock.timers.enable({ apis: ['Date'] });
    const strict = new WebhookVerifier({ ...hooks, toleranceSeconds: 300 });
    for (const [offset, passes] of [
      [-301, false],
      [-300, true],
      [300, true],
      [301, false],
    ] as const) {
      t.mock.timers.setTime((1701234567 + offset) * 1000);
      new WebhookVerifier(hooks).verify(vector);
      if (passes) strict.verify(vector);
      else assert.throws(() => strict.verify(vector), WebhookSignatureError);
    }
  });
});

describe('Standard Webhooks', () => {
  const signed = new WebhookVerifier({ ...hooks, signingSecret: standard.signing_secret });

  for (const { signing_secret, headers, body } of cases.signatures.standard) {
    test(`the vector over ${body.slice(0, 12)} passes, as text and as bytes`, () => {
      const verifier = new WebhookVerifier({ ...hooks, signingSecret: signing_secret });
      verifier.verifyStandard(headers, body);
      verifier.verifyStandard(headers, Buffer.from(body));
      verifier.verifyStandard(new Headers(headers), new TextEncoder().encode(body));
    });
  }

  test('names of headers may have any case, values may stand in a list of one', () => {
    const upper = Object.entries(standard.headers).map(([name, value]) => [name.toUpperCase(), [value]]);
    signed.verifyStandard(Object.fromEntries(upper), standard.body);
  });

  test('one matching signature among several is enough, whatever version the others have', () => {
    const own = String(standard.headers['webhook-signature']);
    for (const list of [`v1,AAAA ${own}`, `${own} v1,AAAA`, `v1a,AAAA  ${own}`]) {
      signed.verifyStandard({ ...standard.headers, 'webhook-signature': list }, standard.body);
    }
  });

  const changes: [string, Record<string, string>, string?][] = [
    ['a changed body', {}, `${standard.body} `],
    ['a changed id', { 'webhook-id': 'evt_1' }],
    ['a changed timestamp', { 'webhook-timestamp': '1783036801' }],
    [
      'another version of the signature',
      { 'webhook-signature': String(standard.headers['webhook-signature']).replace('v1', 'v2') },
    ],
    ['an empty signature', { 'webhook-signature': 'v1,' }],
    ['no id', { 'webhook-id': '' }],
    ['no timestamp', { 'webhook-timestamp': '' }],
    ['no signature', { 'webhook-signature': '' }],
  ];
  for (const [name, headers, body] of changes) {
    test(`${name} is refused`, () => {
      const all = { ...standard.headers, ...headers };
      assert.throws(() => signed.verifyStandard(all, body ?? standard.body), WebhookSignatureError);
    });
  }

  test('age counts only where a tolerance is set', (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: (1783036800 + 301) * 1000 });
    signed.verifyStandard(standard.headers, standard.body);
    const strict = new WebhookVerifier({ ...hooks, signingSecret: standard.signing_secret, toleranceSeconds: 300 });
    assert.throws(() => strict.verifyStandard(standard.headers, standard.body), WebhookSignatureError);
  });
});

describe('while secrets change', () => {
  const own = standard.signing_secret;
  const other = 'whsec_//////////////////////////////////////////8=';
  const accepts = (verifier: WebhookVerifier) => () => verifier.verifyStandard(standard.headers, standard.body);

  test('a body signed with any of the signing secrets passes, and with none of them not', () => {
    accepts(new WebhookVerifier({ ...hooks, signingSecret: other, signingSecrets: [own] }))();
    accepts(new WebhookVerifier({ ...hooks, signingSecrets: [other, own] }))();
    accepts(new WebhookVerifier({ signingSecrets: [own] }))();
    assert.throws(accepts(new WebhookVerifier({ signingSecrets: [other, other] })), WebhookSignatureError);
    assert.throws(accepts(new WebhookVerifier({ ...hooks, signingSecrets: [] })), TypeError);
  });

  test('a platform that signs with both is believed by whoever has the old, the new or both', () => {
    for (const { signing_secrets, headers, body, valid } of cases.signatures.rotation) {
      const check = () => new WebhookVerifier({ signingSecrets: signing_secrets }).verifyStandard(headers, body);
      if (valid) check();
      else assert.throws(check, WebhookSignatureError);
    }
    assert.ok(cases.signatures.rotation.length >= 4);
  });

  test('X-CALLBACK-ID by any of the secrets passes, and by none of them not', () => {
    new WebhookVerifier({ ...hooks, secret: 'next', secrets: [hooks.secret] }).verify(vector);
    new WebhookVerifier({ username: hooks.username, secrets: ['next', hooks.secret] }).verify(vector);
    const verifier = new WebhookVerifier({ username: hooks.username, secrets: ['next', 'former'] });
    assert.throws(() => verifier.verify(vector), WebhookSignatureError);
  });

  test('the variable may hold several, and counts only where none is given', (t) => {
    process.env['ENGAGELAB_WEBHOOK_SIGNING_SECRET'] = ` ${other}\t${own} `;
    t.after(() => {
      delete process.env['ENGAGELAB_WEBHOOK_SIGNING_SECRET'];
    });
    accepts(new WebhookVerifier())();
    assert.throws(accepts(new WebhookVerifier({ signingSecret: other })), WebhookSignatureError);
  });

  test('a header with a flood of signatures is not compared to its end', () => {
    const flood = {
      ...standard.headers,
      'webhook-signature': `${'v1,AAAA '.repeat(20)}${standard.headers['webhook-signature']}`,
    };
    const verifier = new WebhookVerifier({ signingSecret: own });
    assert.throws(() => verifier.verifyStandard(flood, standard.body), WebhookSignatureError);
  });
});

describe('making a verifier', () => {
  test('missing settings name the variables', () => {
    assert.throws(() => new WebhookVerifier({ username: 'u' }), /ENGAGELAB_WEBHOOK_USERNAME.*ENGAGELAB_WEBHOOK_SECRET/);
    assert.throws(() => new WebhookVerifier(), TypeError);
  });

  test('settings fall back to the environment', (t) => {
    process.env['ENGAGELAB_WEBHOOK_USERNAME'] = hooks.username;
    process.env['ENGAGELAB_WEBHOOK_SECRET'] = hooks.secret;
    process.env['ENGAGELAB_WEBHOOK_SIGNING_SECRET'] = standard.signing_secret;
    t.after(() => {
      for (const name of ['USERNAME', 'SECRET', 'SIGNING_SECRET']) delete process.env[`ENGAGELAB_WEBHOOK_${name}`];
    });
    const verifier = new WebhookVerifier();
    verifier.verify(vector);
    verifier.verifyStandard(standard.headers, standard.body);
  });

  test('a signing secret that is not one is refused and not repeated', () => {
    for (const signingSecret of ['whsec_', 'whsec_not base64!', 'hunter2!']) {
      assert.throws(
        () => new WebhookVerifier({ ...hooks, signingSecret }),
        (error: Error) => error instanceof TypeError && !error.message.includes(signingSecret.slice(6) || '\0'),
      );
    }
  });

  test('an endpoint without username is checked by its signing secret alone', () => {
    const verifier = new WebhookVerifier({ signingSecret: standard.signing_secret });
    verifier.verifyStandard(standard.headers, standard.body);
    assert.throws(() => verifier.verify(vector), TypeError);
    assert.throws(() => new WebhookVerifier(hooks).verifyStandard(standard.headers, standard.body), TypeError);
  });

  test('neither inspecting nor serialising it shows a secret', () => {
    const verifier = new WebhookVerifier({ ...hooks, signingSecret: standard.signing_secret });
    const shown = inspect(verifier, { depth: null, showHidden: true }) + JSON.stringify(verifier);
    for (const value of [hooks.secret, 'AAECAwQ', '00 01 02']) assert.ok(!shown.includes(value));
  });
});
