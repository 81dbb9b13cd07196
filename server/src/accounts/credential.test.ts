import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeDevKey, makeDevSecret, makeOperatorToken, parseBearer, parseKeyPair } from './credential.ts';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

test('the published vectors of Basic are read (contract §16)', () => {
  assert.deepEqual(parseKeyPair('Basic ZW5nYWdlbGFiX3NhbmRib3hfZGVtbzplbmdhZ2VsYWJfc2FuZGJveF9zZWNyZXQ='), {
    devKey: 'engagelab_sandbox_demo',
    devSecret: 'engagelab_sandbox_secret',
  });
  assert.deepEqual(parseKeyPair('Basic c2FuZGJveF9kZW1vOnNhbmRib3hfc2VjcmV0'), {
    devKey: 'sandbox_demo',
    devSecret: 'sandbox_secret',
  });
  assert.deepEqual(parseKeyPair('Basic ZGtfZGVtbzpwYTpzcw=='), { devKey: 'dk_demo', devSecret: 'pa:ss' });
});

test('the scheme is read in any case, Bearer carries the pair in clear, and everything else is no credential', () => {
  const pair = { devKey: 'dk_demo', devSecret: 'pa:ss' };
  for (const header of [
    basic('dk_demo:pa:ss').replace('Basic', 'bASIC'),
    'Bearer dk_demo:pa:ss',
    'bearer dk_demo:pa:ss',
  ])
    assert.deepEqual(parseKeyPair(header), pair, header);
  assert.deepEqual(parseKeyPair(basic('dk_demo:')), { devKey: 'dk_demo', devSecret: '' });
  const refused = [
    undefined,
    '',
    'Basic',
    'Basic ',
    'Basic !!!!',
    'Basic dk_demo:secret',
    basic('no colon'),
    basic(':secret'),
    basic('a b:secret'),
    basic('dk\0demo:secret'),
    basic(`${'k'.repeat(129)}:secret`),
    basic(`dk_demo:${'s'.repeat(2000)}`),
    'Bearer token',
    'Digest dk_demo:secret',
    `Basic ${basic('dk_demo:x')}`,
  ];
  for (const header of refused) assert.equal(parseKeyPair(header), null, String(header));
});

test('a bearer token is read, and nothing else', () => {
  assert.equal(parseBearer('Bearer op_abc'), 'op_abc');
  assert.equal(parseBearer('bearer   op_abc '), 'op_abc');
  for (const header of [undefined, '', 'Bearer', 'Bearer a b', basic('a:b'), `Bearer ${'t'.repeat(2000)}`])
    assert.equal(parseBearer(header), null, String(header));
});

test('what we make can be presented, fits the settings that preset it, and does not repeat', () => {
  const devKey = makeDevKey();
  const devSecret = makeDevSecret();
  assert.deepEqual(parseKeyPair(basic(`${devKey}:${devSecret}`)), { devKey, devSecret });
  assert.match(makeOperatorToken(), /^op_[A-Za-z0-9_-]{43}$/);
  assert.equal(new Set(Array.from({ length: 100 }, makeDevSecret)).size, 100);
});
