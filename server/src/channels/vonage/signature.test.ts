import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isFresh, isSigned, signatureMethods, signatureOf } from './signature.ts';
import { signed } from './sms-api/fixture.ts';

// Upstreams §12.
const golden = new Map([
  ['to', 'AcmeInc'],
  ['client-ref', 'a=b&c'],
  ['err-code', '0'],
  ['messageId', '0A0000001234567B'],
  ['msisdn', '447700900000'],
  ['timestamp', '1582650446'],
  ['nonce', 'n1'],
  ['status', 'delivered'],
  ['sig', 'whatever it is, it does not sign itself'],
]);

test('the golden values come out, whatever the order of the parameters', () => {
  const reversed = new Map([...golden].reverse());
  for (const parameters of [golden, reversed]) {
    assert.equal(signatureOf(parameters, 'secret', 'md5hash'), 'e9ff7cd39646ef6bc556b43b899c50ad');
    assert.equal(
      signatureOf(parameters, 'secret', 'sha256'),
      'ee45e81bb1735526018c86db521518a55623986218d80eac612e839fd3ed9fc7',
    );
  }
});

test('all five methods agree with an implementation of their own, for any values', () => {
  const name = fc.stringMatching(/^[a-z][a-z-]{0,11}$/).filter((one) => one !== 'sig');
  fc.assert(
    fc.property(
      fc.dictionary(name, fc.string({ unit: 'binary' })),
      fc.constantFrom(...signatureMethods),
      fc.string({ minLength: 1 }),
      (fields, method, secret) => {
        const parameters = new Map(Object.entries(signed(fields, { secret, method })));
        assert.ok(isSigned(parameters, [secret], method));
        assert.ok(!isSigned(parameters, [`${secret}x`], method));
      },
    ),
  );
});

test('a signature holds in either case, under the current or the previous secret, and nothing else holds', () => {
  const sig = 'E9FF7CD39646EF6BC556B43B899C50AD';
  const parameters = new Map(golden).set('sig', sig);
  assert.ok(isSigned(parameters, ['secret'], 'md5hash'));
  assert.ok(isSigned(parameters, ['new', 'secret'], 'md5hash'));
  assert.ok(!isSigned(parameters, [], 'md5hash'));
  assert.ok(!isSigned(parameters, ['secret'], 'md5'));
  assert.ok(!isSigned(new Map(parameters).set('status', 'failed'), ['secret'], 'md5hash'));
  for (const bad of ['', sig.slice(1), `${sig}0`])
    assert.ok(!isSigned(new Map(golden).set('sig', bad), ['secret'], 'md5hash'));
  parameters.delete('sig');
  assert.ok(!isSigned(parameters, ['secret'], 'md5hash'));
});

test('a signed time counts for five minutes in both directions', () => {
  const fresh = (timestamp: string) => isFresh(new Map([['timestamp', timestamp]]), 1_700_000_000_000);
  for (const good of ['1700000000', '1699999700', '1700000300']) assert.ok(fresh(good), good);
  for (const bad of ['1699999699', '1700000301', '', 'now', '1700000000000', '-1']) assert.ok(!fresh(bad), bad);
  assert.ok(!isFresh(new Map(), 1_700_000_000_000));
});
