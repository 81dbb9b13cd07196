import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { escapeXml, passagesOf, speechScript, spelled, toSsml } from './speech.ts';

const scriptOf = (text: string, code: string | null, language = 'en') =>
  speechScript({ content: { text, language }, code });
const saidOf = (text: string, code: string | null, language?: string) =>
  passagesOf(scriptOf(text, code, language)).map((passage) => passage.text);

const voices = [
  ['default', 'en-US', 'Press 1 to hear your code.'],
  ['en', 'en-US', 'Press 1 to hear your code.'],
  ['zh_CN', 'zh-CN', '请按 1 收听您的验证码。'],
  ['zh_HK', 'zh-HK', '請按 1 收聽您的驗證碼。'],
  ['ja', 'ja-JP', '認証コードをお聞きになるには、1 を押してください。'],
  ['th', 'th-TH', 'กด 1 เพื่อฟังรหัสของคุณ'],
  ['es', 'es-ES', 'Pulse 1 para escuchar su código.'],
  ['es-MX', 'es-MX', 'Pulse 1 para escuchar su código.'],
  ['EN-gb', 'en-GB', 'Press 1 to hear your code.'],
  ['zh-TW', 'zh-TW', '請按 1 收聽您的驗證碼。'],
  ['zh-Hans-SG', 'zh-Hans-SG', '请按 1 收听您的验证码。'],
  ['yue', 'zh-HK', '請按 1 收聽您的驗證碼。'],
] as const;

for (const [language, locale, prompt] of voices) {
  test(`${language} is spoken by a ${locale} voice, prompt included`, () => {
    const script = scriptOf('482913', '482913', language);
    assert.deepEqual([script.locale, script.promptLocale, script.prompt], [locale, locale, prompt]);
    assert.match(script.rate, /^[78]\d%$|^90%$/);
  });
}

test('a language without words of ours keeps its voice for the text and is asked for the key in English', () => {
  const script = scriptOf('482913 é o seu código.', '482913', 'pt-BR');
  assert.deepEqual([script.locale, script.promptLocale, script.again], ['pt-BR', 'en-US', '']);
  assert.match(script.prompt, /^Press 1/);
  assert.equal('goodbye' in script, false);
});

test('a name that is no language is English', () => {
  for (const language of ['', '-', 'not a language', '12']) assert.equal(scriptOf('x', null, language).locale, 'en-US');
});

test('the code inside the text is spelled, the rest stays around it', () => {
  const script = scriptOf('Your code is 482913. Do not share it.', '482913');
  assert.equal(script.lead, 'Your code is');
  assert.deepEqual(script.digits, ['4', '8', '2', '9', '1', '3']);
  assert.equal(script.tail, '. Do not share it.');
  assert.equal(passagesOf(script)[0]?.text, 'Your code is 4, 8, 2, 9, 1, 3. Do not share it.');
});

test('a text rendered for voice, spelled and doubled, is said once and its code three times', () => {
  const sentence = '4, 8, 2, 9, 1, 3 is your Acme verification code. It expires in 5 min.';
  assert.deepEqual(saidOf(`${sentence} ${sentence}`, '482913'), [
    sentence,
    'Once again: 4, 8, 2, 9, 1, 3',
    'Once again: 4, 8, 2, 9, 1, 3',
    'Goodbye.',
  ]);
});

test('a doubled text without a joint, as in Chinese, is said once', () => {
  const sentence = '4, 8, 2, 9 是您的 Acme 验证码。';
  assert.deepEqual(saidOf(sentence + sentence, '4829', 'zh_CN'), [
    sentence,
    '再说一遍： 4, 8, 2, 9',
    '再说一遍： 4, 8, 2, 9',
    '再见。',
  ]);
});

test('letters are spoken as letters: upper case, one by one', () => {
  assert.deepEqual(saidOf('aB3d is your code', 'aB3d')[0], 'A, B, 3, D is your code');
});

test('blanks and hyphens of a code are not spoken', () => {
  assert.equal(spelled(scriptOf('Code: 123-456', '123-456').digits), '1, 2, 3, 4, 5, 6');
  assert.equal(scriptOf('Code: 123 456.', '123-456').lead, 'Code:');
});

test('a code is found beside letters of scripts without blanks, and not inside a longer number', () => {
  assert.equal(scriptOf('验证码482913，请勿告诉任何人', '482913', 'zh_CN').lead, '验证码');
  assert.equal(scriptOf('Order 14829130: code 482913', '482913').lead, 'Order 14829130: code');
});

test('every other place the code stands at is spelled too', () => {
  assert.equal(scriptOf('4829 it is. Again: 4829!', '4829').tail, 'it is. Again: 4, 8, 2, 9!');
});

test('a code that the text does not hold is told all the same', () => {
  assert.equal(saidOf('Welcome.', '4829')[0], 'Welcome. 4, 8, 2, 9');
});

test('a text without a code is spoken whole, twice', () => {
  assert.deepEqual(saidOf('Your order 4711 has left.', null), [
    'Your order 4711 has left.',
    'Once again: Your order 4711 has left.',
    'Goodbye.',
  ]);
});

test('a code of more than six characters is told twice', () => {
  assert.equal(scriptOf('12345678', '12345678').repeat, 2);
  assert.equal(scriptOf('123456', '123456').repeat, 3);
});

test('whatever the code, its characters are told in order as often as the script says and never run together', () => {
  const code = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9 -]{3,31}$/);
  fc.assert(
    fc.property(code, fc.string(), fc.string(), (value, before, after) => {
      const script = scriptOf(`${before} ${value} ${after}`, value);
      const plain = value.replace(/[ -]/g, '').toUpperCase();
      assert.equal(script.digits.join(''), plain);
      const telling = passagesOf(script).filter(({ text }) => text.includes(spelled(script.digits)));
      assert.equal(telling.length, script.repeat);
      assert.ok(plain.length < 2 || telling.every(({ spells }) => spells));
    }),
  );
});

test('XML holds text as text, and never a character XML 1.0 has no place for', () => {
  assert.equal(
    escapeXml(`<a href="x">Tom & 'Ann'</a>`),
    '&lt;a href=&quot;x&quot;&gt;Tom &amp; &apos;Ann&apos;&lt;/a&gt;',
  );
  assert.equal(escapeXml('a\u0000b\u0007c\uFFFEd\tन😀'), 'abcd\tन😀');
  assert.equal(escapeXml('x\uD800y'), 'x\uFFFDy');
});

test('SSML slows down the code, escapes the text and pauses after each passage', () => {
  const ssml = toSsml(scriptOf('AT&T: 4829', '4829', 'es'));
  assert.equal(
    ssml,
    '<speak><prosody rate="80%">AT&amp;T: 4, 8, 2, 9</prosody><break time="1s"/>' +
      '<prosody rate="80%">Otra vez: 4, 8, 2, 9</prosody><break time="1s"/>'.repeat(2) +
      'Adiós.<break time="1s"/></speak>',
  );
});
