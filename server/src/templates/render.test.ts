import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ApiError } from '../errors.ts';
import type { TemplateBody } from './body.ts';
import { emailBody, smsBody, wholeBody } from './fixture.ts';
import { type Language, languages } from './language.ts';
import { type RenderInput, renderContent, renderSendable } from './render.ts';
import { segment } from './segments.ts';
import { fillVariables, presetNames, variablesIn } from './variables.ts';

const input = (changes: Partial<RenderInput> = {}): RenderInput => ({
  language: 'en',
  params: {},
  code: '482913',
  ttlSeconds: 300,
  applicationName: 'Shop',
  ...changes,
});
const of = (body: TemplateBody) => ({ body, brandName: body.brand_name ?? null });
const own = (custom_content: string, more: Partial<NonNullable<TemplateBody['sms_config']>> = {}): TemplateBody =>
  smsBody({
    sms_config: {
      template_type: 2,
      template_custom_config: { custom_sub_type: 'authentication', custom_content },
      ...more,
    },
  });
const allOn = { contain_security: true, contain_expire: true };
const smsText = (custom_content: string, changes: Partial<RenderInput> = {}): string =>
  renderContent(of(own(custom_content)), 'sms', input(changes)).text;

const expected: Record<Language, [text: string, subject: string]> = {
  default: [
    '482913 is your Acme verification code. It expires in 5 min. Do not share it with anyone.',
    'Acme: verification code',
  ],
  en: [
    '482913 is your Acme verification code. It expires in 5 min. Do not share it with anyone.',
    'Acme: verification code',
  ],
  es: ['482913 es tu clave de Acme. Caduca en 5 min. No la compartas con nadie.', 'Acme: código de verificación'],
  zh_CN: ['482913 是您的 Acme 验证码。5 分钟内有效。请勿告诉任何人。', 'Acme：验证码'],
  zh_HK: ['482913 是您的 Acme 驗證碼。5 分鐘內有效。請勿告訴任何人。', 'Acme：驗證碼'],
  ja: ['482913 は Acme の認証コードです。有効期限は5分です。他の人に教えないでください。', 'Acme：認証コード'],
  th: ['482913 คือรหัสยืนยันของ Acme ใช้ได้ภายใน 5 นาที ห้ามบอกผู้อื่น', 'Acme: รหัสยืนยัน'],
};

describe('the built-in text in every language', () => {
  for (const language of languages) {
    const [text, subject] = expected[language];
    const written = language === 'default' ? 'en' : language;
    test(`${language}: sms, whatsapp, e-mail and voice`, () => {
      const template = of(wholeBody());
      const asked = input({ language });
      const { segments } = segment(text);
      assert.deepEqual(renderContent(template, 'sms', asked), { text, language: written, segments });
      assert.equal(segments, 1);
      assert.deepEqual(renderContent(template, 'whatsapp', asked), {
        text,
        language: written,
        whatsapp: { security: true, expireMinutes: 5 },
      });
      assert.deepEqual(renderContent(template, 'email', asked), { text, language: written, subject });
      const joint = written.startsWith('zh') || written === 'ja' ? '' : ' ';
      const spoken = text.replace('482913', '4, 8, 2, 9, 1, 3');
      assert.deepEqual(renderContent(template, 'voice', asked), {
        text: `${spoken}${joint}${spoken}`,
        language: written,
      });
    });
  }

  test('the contract’s vector: GSM-7, 88 characters, one part', () => {
    const { encoding, length, segments } = segment(expected.en[0]);
    assert.deepEqual([encoding, length, segments], ['GSM-7', 88, 1]);
  });

  test('what WhatsApp’s own text says follows the switches and the life of the code', () => {
    const said = (
      toggles: { contain_security: boolean; contain_expire: boolean },
      changes: Partial<RenderInput> = {},
    ) =>
      renderContent(
        of(wholeBody({ whatsapp_config: { template_type: 1, template_default_config: toggles } })),
        'whatsapp',
        input(changes),
      ).whatsapp;
    const both = { contain_security: true, contain_expire: true };
    assert.deepEqual(said(both), { security: true, expireMinutes: 5 });
    assert.deepEqual(said({ ...both, contain_expire: false }), { security: true, expireMinutes: null });
    assert.deepEqual(said({ ...both, contain_security: false }), { security: false, expireMinutes: 5 });
    assert.deepEqual(said(both, { ttlSeconds: 119 }), { security: true, expireMinutes: 1 });
    assert.deepEqual(said(both, { ttlSeconds: 30 }), { security: true, expireMinutes: 1 });
    assert.deepEqual(said(both, { code: null }), { security: true, expireMinutes: null });
    assert.deepEqual(said(both, { ttlSeconds: null }), { security: true, expireMinutes: null });
  });

  test('the ids of a registered text travel with the SMS and with nothing else', () => {
    const dlt = { entity_id: '1101', template_id: '1107', text: '{#var#}' };
    const template = of(wholeBody({ sms_config: { template_type: 1, template_default_config: allOn, dlt } }));
    assert.deepEqual(renderContent(template, 'sms', input()).dlt, { entityId: '1101', templateId: '1107' });
    assert.equal(renderContent(of(wholeBody()), 'sms', input()).dlt, undefined);
    for (const channel of ['whatsapp', 'voice', 'email'] as const)
      assert.equal(renderContent(template, channel, input()).dlt, undefined);
  });

  test('a script that replaces the chain gets the built-in text of channels the template does not have', () => {
    for (const channel of ['whatsapp', 'voice', 'email'] as const)
      assert.match(
        renderContent(of(own('{{code}}')), channel, input()).text,
        / is your Acme verification code\. It expires/,
      );
  });

  test('a language nobody knows counts as default', () => {
    assert.equal(renderContent(of(smsBody()), 'sms', input({ language: 'xx' })).text, expected.default[0]);
  });

  test('each sentence is shown only where it is switched on', () => {
    const text = (contain_expire: boolean, contain_security: boolean, language: Language = 'en'): string =>
      renderContent(
        of(
          smsBody({ sms_config: { template_type: 1, template_default_config: { contain_expire, contain_security } } }),
        ),
        'sms',
        input({ language }),
      ).text;
    assert.equal(text(false, false), '482913 is your Acme verification code.');
    assert.equal(text(true, false), '482913 is your Acme verification code. It expires in 5 min.');
    assert.equal(text(false, true, 'ja'), '482913 は Acme の認証コードです。他の人に教えないでください。');
  });
});

describe('variables', () => {
  test('a variable without value goes out literally, a malformed one always', () => {
    assert.equal(smsText('{{code}} {{name}} {{ code }} {{user-x}} {{}}'), '482913 {{name}} {{ code }} {{user-x}} {{}}');
    assert.equal(smsText('{{constructor}} {{__proto__}} {{toString}}'), '{{constructor}} {{__proto__}} {{toString}}');
  });

  test('presets win over the caller’s values', () => {
    const params = { code: 'X', brand_name: 'X', ttl: 'X', pwa_url: 'X', name: 'Ana' };
    assert.equal(smsText('{{code}}|{{brand_name}}|{{ttl}}|{{pwa_url}}|{{name}}', { params }), '482913|Acme|5||Ana');
  });

  test('without a code {{code}} and {{ttl}} stay literal, whatever the caller gives', () => {
    const changes = { code: null, ttlSeconds: null, params: { code: '1', ttl: '2' } };
    assert.equal(smsText('{{code}} {{ttl}}', changes), '{{code}} {{ttl}}');
  });

  test('an absent brand name is the name of the application', () => {
    const { brand_name: _, ...body } = own('{{brand_name}}');
    assert.equal(renderContent(of(body), 'sms', input()).text, 'Shop');
  });

  test('{{ttl}} is whole minutes, rounded down, at least 1', () => {
    const ttl = (ttlSeconds: number): string => smsText('{{ttl}}', { ttlSeconds });
    assert.deepEqual([ttl(30), ttl(60), ttl(119), ttl(120), ttl(86_400)], ['1', '1', '1', '2', '1440']);
  });

  test('a value is never expanded again, and values with $ or backslashes go out as they are', () => {
    const params = { name: '{{code}}', other: '$& $1 $$ \\' };
    assert.equal(smsText('{{name}} {{other}}', { params }), '{{code}} $& $1 $$ \\');
  });

  test('for any text and values: literal text stays, each variable is its value or itself', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9_]{1,8}$/);
    const piece = fc.oneof(
      name.map((variable) => `{{${variable}}}`),
      fc.string({ maxLength: 12 }).filter((text) => !/[{}]/.test(text)),
    );
    fc.assert(
      fc.property(fc.array(piece), fc.dictionary(name, fc.string()), (pieces, values) => {
        const map = new Map(Object.entries(values));
        const wanted = pieces.map((text) => {
          const variable = /^\{\{(.+)\}\}$/.exec(text)?.[1];
          return variable === undefined ? text : (map.get(variable) ?? text);
        });
        assert.equal(fillVariables(pieces.join(''), map), wanted.join(''));
      }),
    );
  });

  test('for any caller’s values a code text shows exactly the platform’s code and brand', () => {
    const params = fc.dictionary(
      fc.oneof(fc.constantFrom(...presetNames), fc.stringMatching(/^\w{1,5}$/)),
      fc.string(),
    );
    fc.assert(
      fc.property(params, fc.constantFrom(...languages), (given, language) => {
        const content = renderContent(of(wholeBody()), 'sms', input({ params: given, language }));
        assert.equal(content.text, expected[language][0]);
        assert.deepEqual(variablesIn(content.text), []);
      }),
    );
  });
});

describe('SMS', () => {
  const autofill = { web_otp_origin: 'shop.example.com', android_app_hash: 'FA+9qCX9VSu' };

  test('the autofill vector: hash line, then origin line, last and without a line end', () => {
    const body = smsBody({
      sms_config: {
        template_type: 1,
        template_default_config: { contain_expire: false, contain_security: false },
        ...autofill,
      },
    });
    const content = renderContent(of(body), 'sms', input());
    assert.equal(content.text, '482913 is your Acme verification code.\nFA+9qCX9VSu\n@shop.example.com #482913');
    assert.deepEqual([segment(content.text).encoding, segment(content.text).length], ['GSM-7', 76]);
    assert.equal(content.segments, 1);
  });

  test('a text without a code gets no autofill lines, a code with a space no origin line', () => {
    assert.equal(renderContent(of(own('hi', autofill)), 'sms', input({ code: null })).text, 'hi');
    const spaced = renderContent(of(own('{{code}}', autofill)), 'sms', input({ code: '12 34' }));
    assert.equal(spaced.text, '12 34\nFA+9qCX9VSu');
  });

  test('segments are counted over the text as it goes out', () => {
    const long = of(own('{{code}} {{note}}'));
    assert.equal(renderContent(long, 'sms', input({ params: { note: 'a'.repeat(200) } })).segments, 2);
    assert.equal(renderContent(long, 'sms', input({ params: { note: '好'.repeat(64) } })).segments, 2);
  });

  test('params.from_id overrides the preset sender', () => {
    const preset = of(own('{{code}}', { from_id: 'ACME' }));
    assert.equal(renderContent(preset, 'sms', input()).from, 'ACME');
    assert.equal(renderContent(preset, 'sms', input({ params: { from_id: 'OTHER' } })).from, 'OTHER');
    assert.equal(renderContent(preset, 'sms', input({ params: { from_id: '' } })).from, 'ACME');
    assert.equal('from' in renderContent(of(own('{{code}}')), 'sms', input()), false);
  });

  test('an own text serves every language', () => {
    for (const language of languages)
      assert.deepEqual(renderContent(of(own('{{code}}!')), 'sms', input({ language })), {
        text: '482913!',
        language: 'default',
        segments: 1,
      });
  });
});

describe('voice', () => {
  test('letters are read one by one; spaces and hyphens of a caller’s code are not spoken', () => {
    const text = (code: string): string => renderContent(of(wholeBody()), 'voice', input({ code })).text;
    assert.match(text('aB3'), /^a, B, 3 is your .* a, B, 3 is your /);
    assert.match(text('12 34-5'), /^1, 2, 3, 4, 5 is your /);
    assert.match(text('- -'), /^-, {2}, - is your /);
  });
});

describe('e-mail', () => {
  const text = (language: Language, template_content: string, more = {}) => ({
    language,
    pre_from_mail: 'no-reply@acme.example',
    pre_subject: `${language} {{code}} {{name}}`,
    template_content,
    ...more,
  });

  test('own HTML: values escaped in HTML and plain in the text twin', () => {
    const html =
      '<html><head><title>t</title><style>p{}</style></head><body><p>Hi {{name}},</p><b>{{code}}</b> &amp; more<br>x</body></html>';
    const content = renderContent(
      of(emailBody([text('default', html, { pre_from_name: '{{brand_name}} team' })])),
      'email',
      input({ params: { name: '<Ana> & "Bo"' } }),
    );
    assert.deepEqual(content, {
      text: 'Hi <Ana> & "Bo",\n482913 & more\nx',
      html: html.replace('{{name}}', '&lt;Ana&gt; &amp; &quot;Bo&quot;').replace('{{code}}', '482913'),
      language: 'default',
      subject: 'default 482913 <Ana> & "Bo"',
      from: 'no-reply@acme.example',
      fromName: 'Acme team',
    });
  });

  test('own plain text has no HTML twin and is not escaped', () => {
    const content = renderContent(
      of(emailBody([text('en', '{{code}} 1 < 2 {{name}}')])),
      'email',
      input({ params: { name: '&' } }),
    );
    assert.equal(content.text, '482913 1 < 2 &');
    assert.equal('html' in content, false);
  });

  test('a missing language falls back to default, then en, then whatever was written', () => {
    const used = (written: Language[], language: Language): string =>
      renderContent(of(emailBody(written.map((one) => text(one, '{{code}}')))), 'email', input({ language })).language;
    assert.equal(used(['en', 'default', 'ja'], 'ja'), 'ja');
    assert.equal(used(['en', 'default', 'ja'], 'es'), 'default');
    assert.equal(used(['ja', 'en'], 'es'), 'en');
    assert.equal(used(['zh_CN', 'ja'], 'es'), 'zh_CN');
  });

  test('defaults of the template stand in for missing values; the caller’s and the presets win', () => {
    const body = emailBody([
      text('en', '{{code}} {{name}} {{city}}', { pre_param_map: { name: 'friend', city: 'Rome', code: 'X' } }),
    ]);
    const content = renderContent(of(body), 'email', input({ params: { city: 'Oslo' } }));
    assert.equal(content.text, '482913 friend Oslo');
  });

  test('values make no text longer than may be sent, whatever stands around them', () => {
    const tooLong = (body: TemplateBody, channel: 'sms' | 'email', a: string) =>
      assert.throws(
        () => renderSendable(of(body), channel, input({ params: { a } })),
        (error) => error instanceof ApiError && error.code === 5014 && /more than \d+ characters/.test(error.message),
      );
    const value = "'".repeat(1_024);
    tooLong(own(`{{code}}${'{{a}}'.repeat(300)}`), 'sms', value);
    tooLong(own('{{code}}{{a}}{{a}}'), 'sms', value);
    assert.equal(renderSendable(of(own('{{code}}{{a}}')), 'sms', input({ params: { a: value } })).text.length, 1_030);
    tooLong(emailBody([text('en', `{{code}}${'{{a}}'.repeat(12_000)}`)]), 'email', value);
    // Short enough as text, and five times as long when it is escaped.
    tooLong(emailBody([text('en', `<p>{{code}}</p>${'{{a}}'.repeat(100)}`)]), 'email', value);
    tooLong(emailBody([text('en', '{{code}}', { pre_subject: '{{a}}' })]), 'email', value);
    tooLong(emailBody([text('en', '{{code}}', { pre_from_name: '{{a}}' })]), 'email', value);
    const empty = renderSendable(
      of(emailBody([text('en', `{{code}}${'{{a}}'.repeat(12_000)}`)])),
      'email',
      input({ params: { a: '' } }),
    );
    assert.equal(empty.text, '482913');
  });

  test('a value with a line end cannot add a header', () => {
    const params = { name: 'a\r\nBcc: evil@example.com' };
    const content = renderContent(of(emailBody([text('en', '{{code}}')])), 'email', input({ params }));
    assert.equal(content.subject, 'en 482913 a Bcc: evil@example.com');
  });

  test('for any value the HTML grows no tag and no attribute end', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        const content = renderContent(
          of(emailBody([text('en', '<p title="{{name}}">{{name}}</p>{{code}}')])),
          'email',
          input({ params: { name } }),
        );
        assert.equal(content.html?.split('<').length, 3);
        assert.equal(content.html?.split('"').length, 3);
      }),
    );
  });
});
