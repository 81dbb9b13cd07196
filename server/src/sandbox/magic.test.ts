import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Channel } from '../channels/index.ts';
import { isMagic, reactionTo, scriptFor } from './magic.ts';

const publicSandbox = { network: 'virtual', sandbox: 'public' } as const;
const keySandbox = { network: 'virtual', sandbox: 'key' } as const;
const virtual = { network: 'virtual', sandbox: 'none' } as const;
const live = { network: 'live', sandbox: 'none' } as const;

/** The rows after target_valid with their second after the 200, as the contract's table writes them. */
function rowsOf(to: string, templateChain: Channel[]): string {
  const script = scriptFor(publicSandbox, to);
  assert.ok(script);
  const chain = script.chain ?? templateChain;
  const rows: string[] = [];
  let atMs = 0;
  for (const [i, channel] of chain.entries()) {
    const reaction = reactionTo(to, channel);
    atMs += (script.startDelaysMs[i] ?? 0) + reaction.arriveAfterMs;
    rows.push(`sent(${channel}) ${atMs / 1000}`);
    if (reaction.receipt === 'none') break;
    atMs += reaction.receiptAfterMs;
    const pending = i < chain.length - 1 ? ', P' : '';
    rows.push(
      reaction.receipt === 'delivered'
        ? `delivered(${channel}) ${atMs / 1000}`
        : `delivered_failed(${channel}, ${reaction.receiptErrorCode}${pending}) ${atMs / 1000}`,
    );
    if (reaction.receipt === 'delivered') break;
  }
  return script.silent ? 'none at all, ever' : rows.join(', ');
}

test('every accepted magic recipient has the channel, the times and the codes of the contract', () => {
  const sms: Channel[] = ['sms'];
  const table: [string, Channel[], string][] = [
    ['+10000000000', sms, 'sent(sms) 1, delivered(sms) 2'],
    ['+10000000005', sms, 'sent(sms) 1, delivered(sms) 2'],
    ['+10000000010', sms, 'sent(sms) 0, delivered(sms) 0'],
    ['sandbox@example.com', ['email'], 'sent(email) 1, delivered(email) 3'],
    ['+10000000002', sms, 'sent(sms) 1, delivered_failed(sms, 5012) 3'],
    ['+10000000003', sms, 'none at all, ever'],
    ['+10000000018', sms, 'sent(sms) 1, delivered_failed(sms, 5018) 3'],
    ['+10000000004', sms, 'sent(whatsapp) 1, delivered_failed(whatsapp, 5012, P) 8, sent(sms) 10, delivered(sms) 15'],
    [
      '+10000000014',
      sms,
      'sent(whatsapp) 1, delivered_failed(whatsapp, 5012, P) 8, sent(sms) 10, delivered_failed(sms, 5018, P) 15, sent(voice) 17, delivered_failed(voice, 5012) 22',
    ],
    ['+10000000024', sms, 'sent(whatsapp) 1, delivered(whatsapp) 3'],
    ['+6591234567', sms, 'sent(sms) 1, delivered(sms) 2'],
    ['somebody@example.org', ['email'], 'sent(email) 1, delivered(email) 2'],
  ];
  for (const [to, chain, rows] of table) assert.equal(rowsOf(to, chain), rows, to);
});

test('the refused magic recipients answer the code and text of the contract', () => {
  const table = [
    ['+10000000001', { code: 5011, message: 'Invalid phone number' }],
    ['+10000000011', { code: 5013, message: 'Blacklisted' }],
    ['+10000000012', { code: 5019, message: 'Unsubscribed' }],
    ['+10000000099', { code: 3004, message: 'Rate limited' }],
  ] as const;
  for (const application of [publicSandbox, keySandbox, virtual])
    for (const [to, refusal] of table) assert.deepEqual(scriptFor(application, to)?.refuse, refusal, to);
});

test('…004, …014 and …024 replace the chain, …005 the code, and no other recipient does either', () => {
  const recipients = ['000', '002', '003', '004', '005', '010', '014', '018', '024'].map((n) => `+10000000${n}`);
  for (const to of [...recipients, 'sandbox@example.com', '+6591234567']) {
    const script = scriptFor(keySandbox, to);
    const chain = /(004|014|024)$/.test(to) ? ['whatsapp', 'sms', 'voice'] : undefined;
    assert.deepEqual(script?.chain, chain, to);
    assert.equal(script?.code, to.endsWith('005') ? '123456' : undefined, to);
    assert.equal(script?.silent, to.endsWith('003') ? true : undefined, to);
    assert.equal(script?.refuse, undefined, to);
  }
});

test('magic recipients act in every application on the virtual network and nowhere else', () => {
  assert.deepEqual(scriptFor(virtual, '+10000000010'), { startDelaysMs: [0] });
  assert.equal(scriptFor(live, '+10000000010'), null);
  assert.equal(scriptFor(live, '+10000000001'), null);
});

test('other recipients wait their second only in the sandbox', () => {
  assert.deepEqual(scriptFor(keySandbox, '+6591234567'), { startDelaysMs: [1_000] });
  assert.equal(scriptFor(virtual, '+6591234567'), null);
  assert.equal(scriptFor(live, '+6591234567'), null);
});

test('isMagic knows the fourteen recipients of the table and nothing near them', () => {
  const endings = ['000', '001', '002', '003', '004', '005', '010', '011', '012', '014', '018', '024', '099'];
  for (const ending of endings) assert.equal(isMagic(`+10000000${ending}`), true, ending);
  assert.equal(isMagic('sandbox@example.com'), true);
  for (const to of ['+10000000098', '10000000000', '+100000000000', 'sandbox@example.org'])
    assert.equal(isMagic(to), false, to);
});

test('what a caller does to a script does not change the next one', () => {
  const script = scriptFor(keySandbox, '+10000000004');
  script?.chain?.pop();
  script?.startDelaysMs.pop();
  assert.deepEqual(scriptFor(keySandbox, '+10000000004')?.chain, ['whatsapp', 'sms', 'voice']);
  assert.deepEqual(scriptFor(keySandbox, '+10000000004')?.startDelaysMs, [1_000, 2_000, 2_000]);
});
