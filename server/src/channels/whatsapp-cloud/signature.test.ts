import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSameSecret, isSignedByMeta } from './signature.ts';

// The golden value of the wire contract: the escape is part of the 14 bytes.
const body = Buffer.from('{"t":"\\u00e4"}');
const golden = 'sha256=1fe7ca2803efa97bf226e80f84dc2e18cdfeded96704b85ff7085cb6bc601753';

test('the golden signature holds, with the current and with the previous secret', () => {
  assert.equal(body.length, 14);
  assert.equal(isSignedByMeta(body, golden, ['app_secret']), true);
  assert.equal(isSignedByMeta(body, golden, ['newer', 'app_secret']), true);
});

test('the bytes count: the same JSON written otherwise has another signature', () => {
  assert.equal(isSignedByMeta(Buffer.from('{"t":"ä"}'), golden, ['app_secret']), false);
  assert.equal(isSignedByMeta(Buffer.concat([body, Buffer.from('\n')]), golden, ['app_secret']), false);
});

test('a missing, cut, upper-case or foreign signature does not hold, nor one without a secret', () => {
  const bad = [undefined, '', 'sha256=', golden.slice(0, -1), `${golden}0`, golden.toUpperCase(), golden.slice(7)];
  for (const header of bad) assert.equal(isSignedByMeta(body, header, ['app_secret']), false, header);
  assert.equal(isSignedByMeta(body, golden, ['another']), false);
  assert.equal(isSignedByMeta(body, golden, []), false);
  // HMAC under the empty key.
  const keyless = 'sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad';
  assert.equal(isSignedByMeta(Buffer.alloc(0), keyless, ['']), false);
});

test('secrets are equal or not, whatever their length', () => {
  assert.equal(isSameSecret('abc', 'abc'), true);
  assert.equal(isSameSecret('abc', 'abd'), false);
  assert.equal(isSameSecret('ab', 'abc'), false);
  assert.equal(isSameSecret('', 'abc'), false);
});
