import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { issueTicket, readTicket } from './ticket.ts';

const signer = (key: string) => (text: string) => createHmac('sha256', key).update(text).digest('base64url');
const sign = signer('one');
const call = { id: 'c1', applicationId: '42', messageId: '2072832692843446272', attempt: 1, reference: '2072-1-0' };

test('a ticket says what it was issued for, until its time is over', () => {
  const ticket = issueTicket(sign, 'digits', call, 1_000);
  assert.match(ticket, /^[\w-]+\.[\w-]+$/);
  assert.deepEqual(readTicket(sign, 'digits', ticket, 999), call);
  assert.equal(readTicket(sign, 'digits', ticket, 1_000), null);
});

test('for another use, under another key, or changed anywhere, it is none', () => {
  const ticket = issueTicket(sign, 'answer', call, 1_000);
  assert.equal(readTicket(sign, 'digits', ticket, 0), null);
  assert.equal(readTicket(signer('two'), 'answer', ticket, 0), null);
  fc.assert(
    fc.property(fc.nat(ticket.length - 1), fc.constantFrom(...'aB0_-.'), (at, character) => {
      const changed = ticket.slice(0, at) + character + ticket.slice(at + 1);
      assert.deepEqual(readTicket(sign, 'answer', changed, 0), changed === ticket ? call : null);
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => readTicket(sign, 'answer', text, 0) === null));
});
