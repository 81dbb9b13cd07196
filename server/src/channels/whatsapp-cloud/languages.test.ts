import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metaLanguage } from './languages.ts';

const plain = { default_language: 'en', language_map: {} };

const table: readonly [ours: string, meta: string][] = [
  // The languages of the contract.
  ['default', 'en'],
  ['zh_CN', 'zh_CN'],
  ['zh_HK', 'zh_HK'],
  ['en', 'en'],
  ['ja', 'ja'],
  ['th', 'th'],
  ['es', 'es'],
  // BCP 47 in general.
  ['zh', 'zh_CN'],
  ['zh-Hant', 'zh_TW'],
  ['zh-Hant-HK', 'zh_HK'],
  ['zh-MO', 'zh_HK'],
  ['zh-TW', 'zh_TW'],
  ['zh-Hans-SG', 'zh_CN'],
  ['yue', 'zh_HK'],
  ['en-US', 'en_US'],
  ['en-gb', 'en_GB'],
  ['en-AU', 'en'],
  ['es-MX', 'es_MX'],
  ['es-CO', 'es'],
  ['pt', 'pt_BR'],
  ['pt-AO', 'pt_PT'],
  ['sr-Latn-RS', 'sr'],
  ['no', 'nb'],
  ['nn-NO', 'nb'],
  ['rw', 'rw_RW'],
  ['iw', 'he'],
  ['tl', 'fil'],
  // Without a counterpart, or no language at all.
  ['is', 'en'],
  ['not a language', 'en'],
  ['', 'en'],
  ['constructor', 'en'],
];

for (const [ours, meta] of table) {
  test(`the language "${ours}" is ${meta} at Meta`, () => assert.equal(metaLanguage(ours, plain), meta));
}

test('the default language and the map of the account win', () => {
  const own = { default_language: 'pt_BR', language_map: { 'de-AT': 'de_AT', en: 'en_US' } };
  assert.equal(metaLanguage('default', own), 'pt_BR');
  assert.equal(metaLanguage('is', own), 'pt_BR');
  assert.equal(metaLanguage('de-AT', own), 'de_AT');
  assert.equal(metaLanguage('en', own), 'en_US');
});
