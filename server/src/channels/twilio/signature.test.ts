import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { test } from 'node:test';
import { isSigned, type Signed } from './signature.ts';

const url = 'https://otp.example.com/in/twilio?v=1';
const form = new URLSearchParams({
  AccountSid: 'AC00000000000000000000000000000001',
  From: '+15005550001',
  MessageSid: 'SM00000000000000000000000000000001',
  MessageStatus: 'delivered',
  To: '+15005550006',
}).toString();
const golden = 'VvPzKXic6UAwT2PadwtcGqnlVu8=';

function request(signature: string | undefined, at = url, body = form): Signed {
  const headers = signature === undefined ? {} : { 'x-twilio-signature': signature };
  return { url: at, query: new URL(at).searchParams, headers, body: Buffer.from(body) };
}
const hmac = (text: string, token = '12345'): string => createHmac('sha1', token).update(text).digest('base64');

test('a form is accepted with the signature of the golden values', () => {
  assert.equal(isSigned(request(golden), ['12345']), true);
});

test('each of two tokens is good during a rotation, and no other', () => {
  assert.equal(isSigned(request(golden), ['new', '12345']), true);
  assert.equal(isSigned(request(golden), ['12345', 'old']), true);
  assert.equal(isSigned(request(golden), ['new', 'old']), false);
});

test('without a signature, a token or an exact body nothing is signed', () => {
  assert.equal(isSigned(request(undefined), ['12345']), false);
  assert.equal(isSigned(request(''), ['12345']), false);
  assert.equal(isSigned(request(golden), []), false);
  assert.equal(isSigned(request(hmac(url, '')), ['']), false);
  assert.equal(isSigned(request(golden.slice(1)), ['12345']), false);
  assert.equal(isSigned(request(golden, url, form.replace('delivered', 'failed')), ['12345']), false);
  assert.equal(isSigned(request(golden, url, `${form}&New=1`), ['12345']), false);
  assert.equal(isSigned(request(golden, url.replace('v=1', 'v=2')), ['12345']), false);
});

test('every key counts, empty and unforeseen ones too, in the order of code units', () => {
  const signature = hmac('https://h.example/pA1Züber a1');
  assert.equal(isSigned(request(signature, 'https://h.example/p', 'a=1&Z%C3%BCber=+&A=1&'), ['12345']), true);
  assert.equal(isSigned(request(hmac('https://h.example/pkx'), 'https://h.example/p', 'x=&k='), ['12345']), true);
  assert.equal(isSigned(request(hmac('https://h.example/pxk'), 'https://h.example/p', 'x=&k='), ['12345']), false);
});

test('a repeated key gives its distinct values, sorted', () => {
  const signature = hmac('https://h.example/pk1k2x9');
  assert.equal(isSigned(request(signature, 'https://h.example/p', 'k=2&x=9&k=1&k=2'), ['12345']), true);
});

test('values are not trimmed', () => {
  const body = 'Body=+hi%0A';
  assert.equal(isSigned(request(hmac('https://h.example/pBody hi\n'), 'https://h.example/p', body), ['12345']), true);
  assert.equal(isSigned(request(hmac('https://h.example/pBodyhi'), 'https://h.example/p', body), ['12345']), false);
});

for (const [title, called, signed] of [
  ['the standard https port may be in the signed address', 'https://h.example/p?a=b', 'https://h.example:443/p?a=b'],
  ['the standard http port may be in the signed address', 'http://h.example/p', 'http://h.example:80/p'],
  ['the standard port may be in the called address only', 'https://h.example:443/p', 'https://h.example/p'],
  ['a port of its own may be left out', 'https://h.example:8443/p', 'https://h.example/p'],
  ['a port of its own may be signed', 'https://h.example:8443/p', 'https://h.example:8443/p'],
  ['the query may be signed re-encoded', "https://h.example/p?a=b c&d='", "https://h.example/p?a=b%20c&d='"],
  ['the query may be signed as called', 'https://h.example/p?a=b+c', 'https://h.example/p?a=b+c'],
  ['a fragment is not signed', 'https://h.example/p?a=1#rc=5&rp=all', 'https://h.example/p?a=1'],
  ['an address may end with its host', 'https://h.example', 'https://h.example'],
] as const) {
  test(title, () => assert.equal(isSigned(request(hmac(signed), called, ''), ['12345']), true));
}

test('another host, scheme or port is never good', () => {
  for (const signed of ['https://i.example/p', 'http://h.example/p', 'https://h.example:80/p', 'https://h.example/q'])
    assert.equal(isSigned(request(hmac(signed), 'https://h.example/p', ''), ['12345']), false);
});

const hash = '015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862';
const jsonUrl = `https://otp.example.com/in/twilio?bodySHA256=${hash}`;

test('a JSON body is accepted with the signature of the golden values', () => {
  assert.equal(isSigned(request('bMCk4uWRdu+lV+/opcGmBr90fBA=', jsonUrl, '{"a":1}'), ['12345']), true);
});

test('a JSON body needs both its hash and the signature of the address', () => {
  assert.equal(isSigned(request('bMCk4uWRdu+lV+/opcGmBr90fBA=', jsonUrl, '{"a":2}'), ['12345']), false);
  const other = jsonUrl.replace(hash, createHash('sha256').update('{"a":2}').digest('hex'));
  assert.equal(isSigned(request('bMCk4uWRdu+lV+/opcGmBr90fBA=', other, '{"a":2}'), ['12345']), false);
  assert.equal(isSigned(request(golden, jsonUrl, '{"a":1}'), ['12345']), false);
});
