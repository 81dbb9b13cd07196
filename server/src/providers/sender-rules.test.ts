import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countryOfReach, senderWarnings } from './sender-rules.ts';

const entry = (sender: string | null, registrationNote = '') => ({ provider: 'carrier', sender, registrationNote });
const sms = (country: string | null, prefix: string | null = null) => ({ channel: 'sms' as const, country, prefix });

test('a name is warned of where networks take numbers only, or want it registered, or where it is too long', () => {
  assert.match(senderWarnings(sms('US'), [entry('ACME')])[0] ?? '', /carrier: networks of US take no names/);
  assert.match(senderWarnings(sms('SG'), [entry('ACME')])[0] ?? '', /SG wants "ACME" registered/);
  assert.match(senderWarnings(sms('DE'), [entry('ACME Services')])[0] ?? '', /at most 11 characters/);
  assert.match(senderWarnings(sms(null, '91'), [entry('ACME')])[0] ?? '', /IN wants "ACME" registered/);
});

test('a number, no sender, a noted registration, another channel and the default route are not', () => {
  for (const one of [entry('+15005550006'), entry('12345'), entry(null), entry(`MG${'0'.repeat(32)}`)])
    assert.deepEqual(senderWarnings(sms('US'), [one]), []);
  assert.deepEqual(senderWarnings(sms('SG'), [entry('ACME', 'SSIR 2026-04')]), []);
  assert.deepEqual(senderWarnings({ ...sms('US'), channel: 'voice' }, [entry('ACME')]), []);
  assert.deepEqual(senderWarnings(sms(null), [entry('ACME')]), []);
});

test('the country of a prefix is known where it has one', () => {
  assert.deepEqual(
    [countryOfReach(sms(null, '65')), countryOfReach(sms(null, '49')), countryOfReach(sms('FR'))],
    ['SG', 'DE', 'FR'],
  );
  assert.equal(countryOfReach(sms(null)), undefined);
});
