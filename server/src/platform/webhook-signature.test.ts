import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import { callbackId, createSigningSecret, signedHeaders, webhookSignature } from './webhook-signature.ts';

const signingSecret = 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';

test('X-CALLBACK-ID is signed as the vectors of the contract say, also with a secret beyond ASCII', () => {
  const vectors = [
    [
      'sandbox_webhook_secret',
      1701234567,
      'abc123',
      'sandbox_demo',
      'cda5aac94f3e54ccd0654db64fb4d6c5216332eef346ab9ecb36dff071e62714',
    ],
    ['my_secret', 1701234567, 'abc123', 'my_user', '404794bf3409ad56077e11dac58f0f1d19e5a3b898b669360fb888a5efe4e729'],
    [
      's3cr3t-ü',
      1783036800,
      '00ff17a9c3d24e58',
      'acme_hooks',
      'a6516ff55f1bdd8901cb6d8a24175d4810fda18c916668e7a67ba97f10bf6ede',
    ],
  ] as const;
  for (const [secret, timestamp, nonce, username, signature] of vectors) {
    assert.equal(
      callbackId({ secret, timestamp, nonce, username }),
      `timestamp=${timestamp};nonce=${nonce};username=${username};signature=${signature}`,
    );
  }
});

test('webhook-signature is that of the contract for an event and for the probe', () => {
  const sign = (body: string) => webhookSignature([signingSecret], 'evt_2072832692843466759', 1783036800, body);
  assert.equal(
    sign('{"total":1,"rows":[{"server":"otp","itime":1783036800}]}'),
    'v1,QM0xgBc4HGDXnUakpFfp5Vqkun3fQQ4623ixJKSuLP8=',
  );
  assert.equal(sign('{}'), 'v1,DkEFwntfGTYbKo+MhC158oRvrkMCzRux5OPDZo6vL9Q=');
});

test('two signing secrets give two signatures, the first secret first', () => {
  const other = createSigningSecret();
  const both = webhookSignature([signingSecret, other], 'evt_1', 1, '{}');
  assert.equal(
    both,
    `${webhookSignature([signingSecret], 'evt_1', 1, '{}')} ${webhookSignature([other], 'evt_1', 1, '{}')}`,
  );
});

test('each try carries its own time and nonce, and X-CALLBACK-ID only with a username', () => {
  const login = { username: 'u', secret: 's' };
  const post = { id: 'evt_2072832692843466759', nowMs: 1_783_036_800_999, body: '{}', signingSecrets: [signingSecret] };
  const first = signedHeaders({ ...post, login });
  assert.match(
    first['x-callback-id'] ?? '',
    /^timestamp=1783036800;nonce=[0-9a-f]{16,32};username=u;signature=[0-9a-f]{64}$/,
  );
  assert.notEqual(signedHeaders({ ...post, login })['x-callback-id'], first['x-callback-id']);
  assert.equal(first['webhook-timestamp'], '1783036800');
  assert.equal(first['user-agent'], 'otp-callback/1');
  const anonymous = signedHeaders({ ...post, authorization: 'Bearer x' });
  assert.equal(anonymous['x-callback-id'], undefined);
  assert.equal(anonymous['authorization'], 'Bearer x');
});

const body = '{"total":1,"rows":[{"server":"otp","itime":1783036800,"message_id":"2072832692843466759","to":"好 é"}]}';
const post = { id: 'evt_2072832692843466759', body };

test('the reference library of Standard Webhooks verifies what we sign, and no byte may change', () => {
  for (const secret of [signingSecret, createSigningSecret()]) {
    const headers = signedHeaders({ ...post, nowMs: Date.now(), signingSecrets: [secret] });
    const webhook = new Webhook(secret);
    assert.deepEqual(webhook.verify(body, headers), JSON.parse(body));
    const bytes = Buffer.from(body);
    for (let i = 0; i < bytes.length; i++) {
      const changed = Buffer.from(bytes);
      changed[i] = (bytes[i] ?? 0) ^ 1;
      assert.throws(() => webhook.verify(changed.toString('latin1'), headers), WebhookVerificationError);
    }
    const changes = {
      'webhook-id': `${post.id}0`,
      'webhook-timestamp': String(Number(headers['webhook-timestamp']) - 1),
      'webhook-signature': headers['webhook-signature']?.replace('v1,', 'v1,A'),
    };
    for (const [name, value] of Object.entries(changes))
      assert.throws(() => webhook.verify(body, { ...headers, [name]: value ?? '' }), WebhookVerificationError, name);
    assert.throws(() => new Webhook(createSigningSecret()).verify(body, headers), WebhookVerificationError);
  }
});

test('the reference library refuses what is older than five minutes', () => {
  const headers = signedHeaders({ ...post, nowMs: Date.now() - 301_000, signingSecrets: [signingSecret] });
  assert.throws(() => new Webhook(signingSecret).verify(body, headers), WebhookVerificationError);
});

test('while two secrets sign, the reference library verifies with either', () => {
  const [former, next] = [createSigningSecret(), createSigningSecret()];
  const headers = signedHeaders({ ...post, nowMs: Date.now(), signingSecrets: [next, former] });
  for (const secret of [former, next]) assert.deepEqual(new Webhook(secret).verify(body, headers), JSON.parse(body));
  assert.throws(() => new Webhook(signingSecret).verify(body, headers), WebhookVerificationError);
});
