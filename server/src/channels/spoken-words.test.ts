import assert from 'node:assert/strict';
import { test } from 'node:test';
import { passagesOf, speechScript, toSsml } from './speech.ts';
import { wordsFor } from './spoken-words.ts';

const code = '4, 8, 2, 9, 1, 3';
const english = `${code} is your Acme verification code. It expires in 5 min. Do not share it with anyone.`;

/** Texts as they are rendered for voice: the built-in sentences, spelled, which then stand there twice. */
const rendered: Readonly<Record<string, string>> = {
  default: english,
  en: english,
  es: `${code} es tu clave de Acme. Caduca en 5 min. No la compartas con nadie.`,
  zh_CN: `${code} 是您的 Acme 验证码。5 分钟内有效。请勿告诉任何人。`,
  zh_HK: `${code} 是您的 Acme 驗證碼。5 分鐘內有效。請勿告訴任何人。`,
  ja: `${code} は Acme の認証コードです。有効期限は5分です。他の人に教えないでください。`,
  th: `${code} คือรหัสยืนยันของ Acme ใช้ได้ภายใน 5 นาที ห้ามบอกผู้อื่น`,
};

for (const [language, text] of Object.entries(rendered)) {
  const joint = ['zh_CN', 'zh_HK', 'ja'].includes(language) ? '' : ' ';
  const script = speechScript({ content: { text: text + joint + text, language }, code: '482913' });

  test(`the built-in text in ${language} is said once, then the code twice more in its own words, then goodbye`, () => {
    const words = wordsFor(language).words ?? assert.fail('no words');
    const again = `${words.again} ${code}`;
    assert.deepEqual(
      passagesOf(script).map((passage) => passage.text),
      [text, again, again, words.goodbye],
    );
    assert.ok(toSsml(script).startsWith(`<speak><prosody rate="${words.rate}">${text}</prosody>`));
  });

  test(`all words in ${language} are there, and the prompt names the key`, () => {
    const words = wordsFor(language).words ?? assert.fail('no words');
    for (const word of Object.values(words)) assert.notEqual(word, '');
    assert.ok(words.prompt.includes('1'));
  });
}
