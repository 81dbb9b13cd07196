import assert from 'node:assert/strict';
import { test } from 'node:test';
import { voiceFor } from './voices.ts';

const cases = [
  ['en-US', 'en-US'],
  ['en-NZ', 'en-US'],
  ['en-gb', 'en-GB'],
  ['es', 'es-ES'],
  ['es-AR', 'es-ES'],
  ['pt', 'pt-BR'],
  ['de', 'de-DE'],
  ['ar-EG', 'ar'],
  ['zh-CN', 'cmn-CN'],
  ['zh-Hans-SG', 'cmn-CN'],
  ['zh-TW', 'cmn-TW'],
  ['zh-Hant-TW', 'cmn-TW'],
  ['zh-HK', 'yue-CN'],
  ['zh-Hant-HK', 'yue-CN'],
  ['tlh', 'en-US'],
  ['', 'en-US'],
] as const;

for (const [locale, voice] of cases) {
  test(`${locale || 'no language'} is spoken by ${voice}`, () => assert.equal(voiceFor(locale), voice));
}
