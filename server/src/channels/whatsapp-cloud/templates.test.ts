import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { buttonKinds, classOf, templateClasses, templateMessage, templateName, templateRequest } from './templates.ts';

const minute = 60_000;
const copyCode = { template_prefix: 'otp', button: 'copy_code' } as const;
const apps = [{ package_name: 'com.example.app', signature_hash: 'K8a/AINcGX7' }];

test('a text with expiry and security uses the template of its own minutes', () => {
  for (const expireMinutes of [1, 5, 10]) {
    const kind = classOf({ security: true, expireMinutes }, expireMinutes * minute - 40);
    assert.deepEqual(kind, { security: true, expiry: true, minutes: expireMinutes });
  }
});

test('a text without expiry uses the template of the life its code has', () => {
  const lives = [1, 5, 10].map((minutes) => classOf({ security: false, expireMinutes: null }, minutes * minute - 40));
  assert.deepEqual(
    lives.map(({ expiry, minutes }) => [expiry, minutes]),
    [
      [false, 1],
      [false, 5],
      [false, 10],
    ],
  );
  assert.deepEqual(classOf(undefined, 5 * minute), { security: false, expiry: false, minutes: 5 });
});

test('a code that is late in its life promises only the minutes that are left', () => {
  assert.equal(classOf({ security: false, expireMinutes: 10 }, 7 * minute).minutes, 5);
  assert.equal(classOf({ security: false, expireMinutes: 5 }, 2 * minute).minutes, 1);
  assert.equal(classOf({ security: false, expireMinutes: 5 }, -minute).minutes, 1);
});

test('other minutes are rounded down, so that the footer never promises too much', () => {
  assert.equal(classOf({ security: false, expireMinutes: 8 }, 8 * minute).minutes, 5);
  assert.equal(classOf({ security: false, expireMinutes: 60 }, 60 * minute).minutes, 10);
});

test('whatever is asked, the class is one the sync makes, and it ends at most half a minute after the code', () => {
  const asked = fc.record({ security: fc.boolean(), expireMinutes: fc.option(fc.integer({ min: 1, max: 1440 })) });
  fc.assert(
    fc.property(
      fc.option(asked, { nil: undefined }),
      fc.integer({ min: minute, max: 1440 * minute }),
      (one, leftMs) => {
        const kind = classOf(one, leftMs);
        assert.ok(templateClasses.some((known) => templateName(copyCode, known) === templateName(copyCode, kind)));
        assert.ok(kind.minutes * minute <= leftMs + minute / 2);
        assert.ok(kind.minutes <= (one?.expireMinutes ?? Infinity));
      },
    ),
  );
});

test('each class and button has one name of its own, in characters Meta takes', () => {
  const names = buttonKinds.flatMap((button) =>
    templateClasses.map((kind) => templateName({ template_prefix: 'otp', button }, kind)),
  );
  assert.equal(new Set(names).size, 36);
  for (const name of names) assert.match(name, /^[a-z0-9_]+$/);
  assert.equal(
    templateName(copyCode, { security: true, expiry: true, minutes: 5 }),
    'otp_copy_code_5min_expiry_security',
  );
  assert.equal(
    templateName({ template_prefix: 'acme', button: 'zero_tap' }, { security: false, expiry: false, minutes: 10 }),
    'acme_zero_tap_10min',
  );
});

test('a copy-code template is asked for in the form of Meta, without a label so that Meta translates it', () => {
  assert.deepEqual(templateRequest(copyCode, { security: true, expiry: true, minutes: 5 }, 'es'), {
    name: 'otp_copy_code_5min_expiry_security',
    language: 'es',
    category: 'authentication',
    message_send_ttl_seconds: 300,
    components: [
      { type: 'body', add_security_recommendation: true },
      { type: 'footer', code_expiration_minutes: 5 },
      { type: 'buttons', buttons: [{ type: 'otp', otp_type: 'copy_code' }] },
    ],
  });
});

test('a one-tap template names its apps', () => {
  const choice = { template_prefix: 'otp', button: 'one_tap', supported_apps: apps } as const;
  assert.deepEqual(templateRequest(choice, { security: false, expiry: false, minutes: 1 }, 'en'), {
    name: 'otp_one_tap_1min',
    language: 'en',
    category: 'authentication',
    message_send_ttl_seconds: 60,
    components: [
      { type: 'body', add_security_recommendation: false },
      { type: 'buttons', buttons: [{ type: 'otp', otp_type: 'one_tap', supported_apps: apps }] },
    ],
  });
});

test('a zero-tap template says both labels, accepts the terms and names its apps', () => {
  const choice = { template_prefix: 'otp', button: 'zero_tap', supported_apps: apps } as const;
  const buttonIn = (language: string): unknown => {
    const { components } = templateRequest(choice, { security: false, expiry: false, minutes: 10 }, language) as {
      components: { buttons?: object[] }[];
    };
    return components.at(-1)?.buttons?.[0];
  };
  const rest = { type: 'otp', otp_type: 'zero_tap', zero_tap_terms_accepted: true, supported_apps: apps };
  assert.deepEqual(buttonIn('es'), { ...rest, text: 'Copiar código', autofill_text: 'Autocompletar' });
  assert.deepEqual(buttonIn('fr'), { ...rest, text: 'Copy code', autofill_text: 'Autofill' });
});

test('a message carries the code twice, in the body and in the button', () => {
  const parameters = [{ type: 'text', text: '482913' }];
  assert.deepEqual(templateMessage('otp_copy_code_5min', 'zh_HK', '482913'), {
    name: 'otp_copy_code_5min',
    language: { code: 'zh_HK' },
    components: [
      { type: 'body', parameters },
      { type: 'button', sub_type: 'url', index: '0', parameters },
    ],
  });
});
