import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachEngine } from '../testing/database.ts';
import { emailBody, newApplication, noticeBody, open, wholeBody } from './fixture.ts';

onEachEngine('previews', (get) => {
  test('a preview shows every channel in all seven languages, with sample code, size and warnings', async () => {
    const templates = open(get().db);
    const application = newApplication();
    const code = { verify_code_type: 4, verify_code_len: 8, verify_code_ttl: 10 };
    const own = { template_type: 2 as const, from_id: 'ACME', web_otp_origin: 'https://Shop.example' };
    const sms_config = {
      ...own,
      template_custom_config: { custom_sub_type: 'authentication' as const, custom_content: '{{code}} for {{who}} ça' },
    };
    await templates.save(application, wholeBody({ verify_code_config: code, sms_config }));
    const all = await templates.preview(application, 'signin_demo');
    assert.equal(all.renderings.length, 4 * 7);
    assert.equal(new Set(all.renderings.map(({ channel, language }) => `${channel} ${language}`)).size, 28);
    assert.deepEqual(
      all.warnings.map((warning) => warning.code).toSorted((a, b) => a.localeCompare(b)),
      ['ambiguous_letters', 'ucs2_forced', 'unknown_variable'],
    );

    const some = await templates.preview(application, 'signin_demo', { language: 'es', params: { who: 'Ana' } });
    assert.deepEqual(
      some.warnings.map((warning) => warning.code),
      ['ambiguous_letters', 'ucs2_forced'],
    );
    const text = 'ABCDEFGH for Ana ça\n@shop.example #ABCDEFGH';
    const [whatsapp, sms, voice, email] = some.renderings;
    assert.deepEqual(whatsapp, {
      channel: 'whatsapp',
      language: 'es',
      text_language: 'es',
      text: 'ABCDEFGH es tu clave de Acme. Caduca en 10 min. No la compartas con nadie.',
      encoding: null,
      length: 74,
      segments: 1,
    });
    assert.deepEqual(sms, {
      channel: 'sms',
      language: 'es',
      text_language: 'default',
      text,
      from: 'ACME',
      encoding: 'UCS-2',
      length: text.length,
      segments: 1,
    });
    assert.match(voice?.text ?? '', /^A, B, C, D, E, F, G, H es tu clave de Acme\..* A, B, C/);
    assert.equal(email?.subject, 'Acme: código de verificación');
  });

  test('a preview reaches any revision, approved or not, and a text without a code', async () => {
    const templates = open(get().db);
    const application = newApplication();
    await templates.save(application, noticeBody('one {{x}}'));
    await templates.update(application, 'order_note', noticeBody('two {{x}}'));
    const texts = async (revision?: number): Promise<unknown> => {
      const preview = await templates.preview(application, 'order_note', {
        language: 'en',
        params: { x: '1' },
        ...(revision !== undefined && { revision }),
      });
      return [preview.revision, preview.renderings.map(({ text }) => text)];
    };
    assert.deepEqual(await texts(1), [1, ['one 1']]);
    assert.deepEqual(await texts(), [2, ['two 1']]);
  });

  test('an HTML e-mail is previewed with its HTML', async () => {
    const templates = open(get().db);
    const application = newApplication();
    const text = {
      language: 'en' as const,
      pre_from_mail: 'a@b.example',
      pre_subject: 's',
      template_content: '<b>{{code}}</b>',
    };
    await templates.save(application, emailBody([text]));
    const { renderings } = await templates.preview(application, 'mail_demo', { language: 'th' });
    assert.deepEqual(renderings, [
      {
        channel: 'email',
        language: 'th',
        text_language: 'en',
        subject: 's',
        text: '123456',
        html: '<b>123456</b>',
        from: 'a@b.example',
        encoding: null,
        length: 6,
        segments: 1,
      },
    ]);
  });
});
