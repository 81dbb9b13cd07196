import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { htmlOf } from './html.ts';

const of = (text: string, language = 'en', code: string | null = '482913'): string =>
  htmlOf({ text, language, subject: 'Acme: verification code' }, code);

test('the code stands large beneath its line, from left to right in every script', () => {
  const html = of('رمزك هو 482913\nلا تشاركه', 'ar');
  assert.match(html, /<html lang="ar" dir="rtl">/);
  assert.equal(html.match(/font-size:32px/g)?.length, 1);
  assert.match(html, /<p dir="ltr" style="[^"]*font-size:32px[^"]*">482913<\/p>/);
  assert.match(of('482913 is your code.', 'zh_CN'), /<html lang="zh-CN" dir="ltr">/);
});

test('a text without a code has none, and an odd language is no attribute of its own', () => {
  assert.doesNotMatch(of('Your parcel is here.', 'en', null), /font-size:32px/);
  assert.match(of('x', '"><script>', null), /<html lang="en" dir="ltr">/);
});

test('nothing of a text becomes markup, and nothing asks for another server', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const html = of(`${text} 482913`);
      assert.doesNotMatch(html, /<(script|img|a|link|style)\b|https?:|url\(/i);
      const marks = html.match(/<[^>]*>/g)?.length;
      assert.equal(marks, of(`${text.replace(/[<>&"']/g, 'x')} 482913`).match(/<[^>]*>/g)?.length);
    }),
  );
  assert.match(of('<b>482913</b> & "you"'), /&lt;b&gt;482913&lt;\/b&gt; &amp; &quot;you&quot;/);
});
