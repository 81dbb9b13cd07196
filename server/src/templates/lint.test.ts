import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EmailText, TemplateBody } from './body.ts';
import { type LintCode, lintErrors, lintWarnings } from './finding.ts';
import { emailBody, noticeBody, ownSmsBody, smsBody, wholeBody } from './fixture.ts';
import type { Language } from './language.ts';
import { lint } from './lint.ts';
import { normalise } from './template.ts';

const context = { applicationName: 'Shop' };
const found = (body: TemplateBody, params = {}): string[] =>
  lint(body, { ...context, params }).map(({ code, channel, language }) => [code, channel, language].join(' ').trim());
const sorted = (texts: readonly string[]): string[] => texts.toSorted((a, b) => a.localeCompare(b));
const withSms = (body: TemplateBody, more: Partial<NonNullable<TemplateBody['sms_config']>>): TemplateBody =>
  body.sms_config ? { ...body, sms_config: { ...body.sms_config, ...more } } : body;
const letters = { verify_code_type: 3, verify_code_len: 6, verify_code_ttl: 5 };
const email = (language: Language, template_content: string, more: Partial<EmailText> = {}): EmailText => ({
  language,
  pre_from_mail: 'a@b.example',
  pre_subject: 'Hello',
  template_content,
  ...more,
});

test('built-in texts on all channels in all languages have no finding', () => {
  assert.deepEqual(found(wholeBody()), []);
});

test('a plain own text has no finding', () => {
  assert.deepEqual(found(ownSmsBody('{{code}} opens your {{brand_name}} account for {{ttl}} min.')), []);
});

const registered = (text: string) => ({ dlt: { entity_id: '1101234567890123456', template_id: '1107123', text } });
const hash = 'FA+9qCX9VSu';
const provoked: Record<LintCode, [body: TemplateBody, findings: string[]][]> = {
  missing_code: [
    [ownSmsBody('hello'), ['missing_code sms']],
    [ownSmsBody('{{ code }}'), ['missing_code sms', 'unknown_variable sms']],
    [emailBody([email('en', '{{code}}'), email('ja', 'x')]), ['missing_code email ja']],
    [emailBody([email('en', 'x', { pre_subject: '{{code}}' })]), []],
    [emailBody([email('en', 'x')]), ['missing_code email en']],
    [noticeBody('sent'), []],
    [noticeBody('sent', { verify_code_config: letters }), []],
  ],
  not_compliant: [
    [ownSmsBody('{{code}} \u202eevas'), ['not_compliant sms', 'ucs2_forced sms']],
    [emailBody([email('en', '{{code}}', { pre_subject: 'a\u202d' })]), ['not_compliant email en']],
    [emailBody([email('en', '{{code}}\uffff')]), ['not_compliant email en']],
    [emailBody([email('en', '{{code}} \u2067עברית\u2069')]), []],
  ],
  web_otp_host: [
    ...[
      'https://a.example:8080',
      'https://a.example/x',
      '192.0.2.1',
      '[::1]',
      '0x7f.1',
      'u@a.example',
      'http://a.example',
      'a b',
      '-a.example',
      'a..b',
      'https://',
    ].map((web_otp_origin): [TemplateBody, string[]] => [
      withSms(ownSmsBody('{{code}}'), { web_otp_origin }),
      ['web_otp_host sms'],
    ]),
    ...['https://Shop.Example', 'shop.example', 'HTTPS://shop.example', 'bücher.example'].map(
      (web_otp_origin): [TemplateBody, string[]] => [withSms(ownSmsBody('{{code}}'), { web_otp_origin }), []],
    ),
  ],
  android_hash: [
    [withSms(ownSmsBody('{{code}}'), { android_app_hash: 'short' }), ['android_hash sms']],
    [withSms(ownSmsBody('{{code}}'), { android_app_hash: 'FA-9qCX9VSu' }), ['android_hash sms']],
    [withSms(ownSmsBody('{{code}}'), { android_app_hash: hash }), []],
  ],
  autofill_without_code: [
    [withSms(noticeBody('hi'), { web_otp_origin: 'a.example' }), ['autofill_without_code sms']],
    [withSms(noticeBody('hi'), { android_app_hash: hash }), ['autofill_without_code sms']],
  ],
  voice_mixed_case: [
    [
      wholeBody({ verify_code_config: { ...letters, verify_code_type: 6 } }),
      ['voice_mixed_case voice', 'ambiguous_letters'],
    ],
    [
      wholeBody({ verify_code_config: { ...letters, verify_code_type: 7 } }),
      ['voice_mixed_case voice', 'ambiguous_letters'],
    ],
    [wholeBody({ verify_code_config: { ...letters, verify_code_type: 5 } }), ['ambiguous_letters']],
  ],
  dlt_mismatch: [
    [withSms(ownSmsBody('{{code}} opens Acme.'), registered('{#var#} opens Acme.')), []],
    [withSms(ownSmsBody('{{code}} opens Acme.'), registered('{#var#} opens Acme')), ['dlt_mismatch sms']],
    [withSms(ownSmsBody('{{code}} opens {{brand_name}}.'), registered('{#var#} opens Acme.')), []],
    [withSms(ownSmsBody('{{code}} opens Acme.'), registered('123456 opens Acme.')), ['dlt_mismatch sms']],
    [withSms(noticeBody('Hi {{name}}'), registered('Hi {#var#}')), ['unknown_variable sms']],
    [withSms(noticeBody('Hi {{name}}'), registered('Hi {{name}}')), ['dlt_mismatch sms', 'unknown_variable sms']],
    [
      withSms(ownSmsBody('{{code}}'), {
        ...registered('{#var#}\n@shop.example #{#var#}'),
        web_otp_origin: 'shop.example',
      }),
      [],
    ],
    [
      withSms(ownSmsBody('{{code}}'), { ...registered('{#var#}'), web_otp_origin: 'a-rather-long-name.example' }),
      ['dlt_mismatch sms'],
    ],
  ],
  dlt_one_language: [
    [
      withSms(
        smsBody(),
        registered('{#var#} is your Acme verification code. It expires in 5 min. Do not share it with anyone.'),
      ),
      ['dlt_one_language sms'],
    ],
    [withSms(smsBody(), registered('{#var#} es tu clave de Acme.')), ['dlt_mismatch sms', 'dlt_one_language sms']],
  ],
  unknown_variable: [
    [ownSmsBody('{{code}} {{nmae}} {{x-y}} {{nmae}}'), ['unknown_variable sms', 'unknown_variable sms']],
    [noticeBody('{{ttl}}'), ['unknown_variable sms']],
    [emailBody([email('es', '{{code}} {{a}} {{b}}', { pre_param_map: { a: '1' } })]), ['unknown_variable email es']],
    [emailBody([email('es', '{{code}}', { pre_subject: '{{a}}' })]), ['unknown_variable email es']],
  ],
  over_one_part: [
    [ownSmsBody(`{{code}}${'a'.repeat(154)}`), []],
    [ownSmsBody(`{{code}}${'a'.repeat(155)}`), ['over_one_part sms']],
    [
      withSms(smsBody({ verify_code_config: { ...letters, verify_code_type: 1 } }), {
        web_otp_origin: `${'a'.repeat(40)}.example`,
      }),
      ['over_one_part sms zh_CN', 'over_one_part sms zh_HK', 'over_one_part sms ja', 'over_one_part sms th'],
    ],
  ],
  ucs2_forced: [
    [ownSmsBody('{{code}} ça va'), ['ucs2_forced sms']],
    [ownSmsBody('{{code}} va', { brand_name: 'ça' }), []],
    [ownSmsBody('{{code}} {{brand_name}}', { brand_name: 'ça' }), ['ucs2_forced sms']],
    [smsBody({ brand_name: 'ça' }), ['over_one_part sms en', 'ucs2_forced sms en', 'ucs2_forced sms es']],
  ],
  android_over_140_bytes: [
    [withSms(ownSmsBody(`{{code}}${'a'.repeat(122)}`), { android_app_hash: hash }), []],
    [withSms(ownSmsBody(`{{code}}${'a'.repeat(123)}`), { android_app_hash: hash }), ['android_over_140_bytes sms']],
  ],
  autofill_conflict: [
    [
      withSms(ownSmsBody('{{code}}'), { android_app_hash: hash, web_otp_origin: 'a.example' }),
      ['autofill_conflict sms'],
    ],
  ],
  url_in_text: [
    ...['see https://acme.example', 'www.acme.example', 'acme.example/x', '{{pwa_url}}'].map(
      (text): [TemplateBody, string[]] => [noticeBody(text), ['url_in_text sms']],
    ),
    [noticeBody('Hi. There e.g. 1.5 a.m. mail a@b.example'), []],
    [emailBody([email('en', '{{code}} https://acme.example')]), []],
  ],
  link_shortener: [
    [noticeBody('https://bit.ly/x'), ['link_shortener sms', 'url_in_text sms']],
    [emailBody([email('en', '{{code}} t.co/x')]), ['link_shortener email en']],
    [noticeBody('at.com orbit.ly'), []],
  ],
  bracket_characters: [
    ...['【A】', 'a、b', '[A]'].map((text): [TemplateBody, string[]] => [
      noticeBody(text),
      text === '[A]' ? ['bracket_characters sms'] : ['ucs2_forced sms', 'bracket_characters sms'],
    ]),
    [ownSmsBody('{{code}}', { brand_name: '[Acme]' }), ['bracket_characters']],
  ],
  test_word: [
    ...['A test.', 'TESTING', 'prueba'].map((text): [TemplateBody, string[]] => [noticeBody(text), ['test_word sms']]),
    [noticeBody('这是测试'), ['ucs2_forced sms', 'test_word sms']],
    [noticeBody('the latest contest'), []],
    [ownSmsBody('{{code}}', { brand_name: 'Test' }), ['test_word']],
  ],
  ambiguous_letters: [
    [ownSmsBody('{{code}}', { verify_code_config: letters }), ['ambiguous_letters']],
    [noticeBody('hi', { verify_code_config: letters }), []],
  ],
};

for (const [code, cases] of Object.entries(provoked))
  test(`${code} fires exactly where it is defined to`, () => {
    for (const [body, findings] of cases) assert.deepEqual(sorted(found(body)), sorted(findings), JSON.stringify(body));
    assert.ok(cases.some(([, findings]) => findings.some((one) => one.startsWith(code))));
  });

test('the level follows from the code, and errors come first', () => {
  const body = withSms(ownSmsBody('hello 【】 {{x}}'), { web_otp_origin: '1.2.3.4' });
  const levels = lint(body, context).map((finding) => [finding.code, finding.level]);
  assert.deepEqual(levels.slice(0, 3), [
    ['missing_code', 'error'],
    ['web_otp_host', 'error'],
    ['autofill_without_code', 'error'],
  ]);
  assert.ok(levels.slice(3).every(([, level]) => level === 'warning'));
  assert.equal(lintErrors.length + lintWarnings.length, Object.keys(provoked).length);
});

test('ucs2_forced names the characters', () => {
  const [finding] = lint(ownSmsBody('{{code}} ça ö“'), context);
  assert.match(finding?.message ?? '', /ç “/);
  const many = lint(ownSmsBody('{{code}} 甲乙丙丁戊己庚辛壬癸子丑寅卯'), context)[0];
  assert.match(many?.message ?? '', /丑 and 2 more$/);
});

test('dlt_mismatch names the first differing characters and where they stand', () => {
  const message = (text: string, dltText: string, params = {}): string => {
    const [first] = lint(withSms(ownSmsBody(text), registered(dltText)), { ...context, params });
    return first?.code === 'dlt_mismatch' ? first.message : '';
  };
  assert.equal(
    message('{{code}} is your code。', '{#var#} is your code.'),
    'character 20 of the text is IDEOGRAPHIC FULL STOP (U+3002), character 21 of dlt.text is "." (U+002E)',
  );
  assert.equal(
    message('{{code}}\u00a0is your code.', '{#var#} is your code.'),
    'character 7 of the text is NO-BREAK SPACE (U+00A0), character 8 of dlt.text is SPACE (U+0020)',
  );
  assert.equal(
    message('{{code}} is your code', '{#var#} is your code.'),
    'character 20 of the text is missing: the end is there, character 21 of dlt.text is "." (U+002E)',
  );
  assert.equal(
    message('Your code: {{code}}', 'Your code: '),
    'character 12 of the text is the value of a variable, character 12 of dlt.text is missing: the end is there',
  );
  assert.equal(
    message('{{code}} for {{who}}.', '{#var#} for {#var#}.', { who: 'x'.repeat(31) }),
    'character 42 of the text is "x" (U+0078), character 20 of dlt.text is "." (U+002E)',
  );
});

test('a variable a preview gives a value for is known', () => {
  assert.deepEqual(found(noticeBody('{{order}}'), { order: 'A-17' }), []);
});

test('web_otp_origin is stored as its lower-case host', () => {
  const stored = (web_otp_origin: string) =>
    normalise(withSms(smsBody(), { web_otp_origin })).sms_config?.web_otp_origin;
  assert.equal(stored('https://Shop.Example'), 'shop.example');
  assert.equal(stored('bücher.example'), 'xn--bcher-kva.example');
});
