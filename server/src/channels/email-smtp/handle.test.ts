import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { tokenOf } from './bounce.ts';
import { markHandOver, readMessageId, readToken } from './handle.ts';

const signWith =
  (key: string) =>
  (text: string): string =>
    createHmac('sha256', key).update(text).digest('base64url');
const sign = signWith('ours');
const reference = fc
  .array(fc.constantFrom(...'0123456789-'), { minLength: 1, maxLength: 40 })
  .map((characters) => characters.join(''));

test('a hand-over is found by its return path, its envelope id and its Message-ID, also in capitals', () => {
  fc.assert(
    fc.property(reference, (of) => {
      const marks = markHandOver(sign, of);
      assert.ok(marks.returnPath.length <= 64 && marks.envelopeId.length <= 100);
      assert.match(marks.envelopeId, /^[a-z2-7]+[0-9-]+$/);
      const token = tokenOf(`${marks.returnPath.toUpperCase()}@Bounce.Example`, 'bounce.example');
      assert.deepEqual(readToken(sign, token ?? ''), { reference: of, upstreamId: marks.upstreamId });
      assert.deepEqual(readToken(sign, marks.envelopeId), { reference: of, upstreamId: marks.upstreamId });
      assert.equal(readMessageId(sign, `<${marks.messageId}@example.com>`)?.reference, of);
    }),
  );
});

test('what was not made under our key names nothing', () => {
  const { envelopeId, messageId } = markHandOver(sign, '2072832692843446272-1-0');
  const others = markHandOver(signWith('theirs'), '2072832692843446272-1-0');
  for (const token of [others.envelopeId, '', 'b', envelopeId.slice(1), `${envelopeId}0`, `a${envelopeId}`])
    assert.equal(readToken(sign, token), null);
  for (const id of [others.messageId, '', messageId.replace('1-0', '1-1')])
    assert.equal(readMessageId(sign, `<${id}@example.com>`), null);
  // A Message-ID is no token and a token no Message-ID: each has a hash of its own.
  assert.equal(readToken(sign, messageId), null);
  for (let at = 0; at < envelopeId.length; at++) {
    const other = envelopeId[at] === '7' ? '6' : '7';
    assert.equal(readToken(sign, envelopeId.slice(0, at) + other + envelopeId.slice(at + 1)), null);
  }
});

test('only b and b+ at the bounce domain are its mailboxes', () => {
  const domain = 'bounce.example';
  assert.equal(tokenOf('b@bounce.example', domain), '');
  assert.equal(tokenOf('B+abc-1@BOUNCE.example', domain), 'abc-1');
  for (const address of [
    'b',
    'bb@bounce.example',
    'b+a@example',
    'postmaster@bounce.example',
    'b+a b@bounce.example',
    '',
  ])
    assert.equal(tokenOf(address, domain), null);
});
