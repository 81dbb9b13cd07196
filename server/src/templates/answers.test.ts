import assert from 'node:assert/strict';
import { test } from 'node:test';
import { templateParts } from './answers.ts';
import { ownSmsBody, smsBody } from './fixture.ts';

test('template_parts is the most parts over all languages, variables at their literal length, autofill lines included', () => {
  const toggles = (on: boolean) => ({ contain_expire: on, contain_security: on });
  const builtIn = (on: boolean, more = {}) =>
    smsBody({ sms_config: { template_type: 1, template_default_config: toggles(on), ...more } });
  // Both sentences in Thai: 80 UTF-16 units with `{{code}}`, `{{brand_name}}` and `{{ttl}}` as written.
  assert.equal(templateParts(builtIn(true)), 2);
  assert.equal(templateParts(builtIn(false)), 1);
  assert.equal(templateParts(builtIn(false, { web_otp_origin: 'login.shop.example.com' })), 2);
  // {{code}} is 12 septets, since a brace takes two.
  assert.equal(templateParts(ownSmsBody(`{{code}}${'a'.repeat(148)}`)), 1);
  assert.equal(templateParts(ownSmsBody(`{{code}}${'a'.repeat(149)}`)), 2);
});
