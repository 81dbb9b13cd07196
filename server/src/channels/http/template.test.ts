import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  asIs,
  asJson,
  asPercent,
  asXml,
  compile,
  compilePairs,
  compileUrl,
  pairsFault,
  placeholderFault,
  urlFault,
} from './template.ts';

const values = (text: string) => new Map([['text', text]]);
/** Whatever a person or a template may hold, lone surrogates included. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('"', '\\', '\n', '{{text}}', '&', '=', '%', '<', '\ud800', 'é') }),
);

test('a value in a JSON string comes back as it was and adds nothing to the document', () => {
  const template = compile('{"a":"<{{text}}>","b":1}', asJson);
  fc.assert(
    fc.property(anyText, (text) => {
      assert.deepEqual(JSON.parse(template.fill(values(text))), { a: `<${text.toWellFormed()}>`, b: 1 });
    }),
  );
});

test('a value in a form comes back as it was and adds no field', () => {
  const template = compilePairs('a=1&t={{text}}&z=x{{text}}');
  fc.assert(
    fc.property(anyText, (text) => {
      const whole = text.toWellFormed();
      const fields = [...new URLSearchParams(template.fill(values(text)))];
      const own: [string, string][] = whole === '' ? [] : [['t', whole]];
      assert.deepEqual(fields, [['a', '1'], ...own, ['z', `x${whole}`]]);
    }),
  );
});

test('a value in an address stays in its field and never becomes a host, a field or a fragment', () => {
  const template = compileUrl('https://gateway.example/send/x{{text}}/now?t={{text}}&b=2');
  fc.assert(
    fc.property(anyText, (text) => {
      const url = new URL(template.fill(values(text)));
      assert.equal(url.host, 'gateway.example');
      assert.equal(url.hash, '');
      assert.equal(url.pathname.split('/').length, 4);
      assert.equal(url.searchParams.get('t') ?? '', text.toWellFormed());
      assert.equal(url.searchParams.get('b'), '2');
    }),
  );
});

test('a value in XML is text and nothing else', () => {
  const template = compile('<to a="{{text}}">{{text}}</to>', asXml);
  fc.assert(
    fc.property(anyText, (text) => {
      const filled = template.fill(values(text));
      assert.equal(filled.match(/</g)?.length, 2);
      assert.equal(filled.match(/"/g)?.length, 2);
      assert.doesNotMatch(filled, /&(?!(amp|lt|gt|quot|apos);)/);
    }),
  );
  assert.equal(asXml('a\0\u0007<b>\ufffe'), 'a&lt;b&gt;');
});

test('a value that looks like a placeholder is not filled again', () => {
  const both = new Map([
    ['text', '{{code}}'],
    ['code', '482913'],
  ]);
  assert.equal(compile('{{text}}', asIs).fill(both), '{{code}}');
});

test('a field that is one placeholder without a value is left out', () => {
  const template = compilePairs('from={{sender}}&to={{to}}&x=y{{sender}}&empty=');
  assert.equal(template.fill(new Map([['to', '+65']])), 'to=%2B65&x=y&empty=');
  assert.deepEqual([...template.names], ['sender', 'to']);
});

test('an unknown or broken placeholder is refused by name', () => {
  const allowed = ['to', 'text'];
  assert.equal(placeholderFault('{{to}} {{text}} {"a":{"b":{}}}', allowed), null);
  assert.equal(placeholderFault('{{recipient}}', allowed), '{{recipient}} is no placeholder here; known are to, text');
  for (const broken of ['{{ to }}', '{{to}', '{{', '{{To}}', '{{{{to}}'])
    assert.match(placeholderFault(broken, allowed) ?? '', /after \{\{ comes/, broken);
});

test('queries and forms must be name=value, encoded, and without open secrets', () => {
  for (const good of ['a=', 'a=b&c={{to}}', 'a=x%20y+z', 'key={{api_key}}', 'token=pre-{{api_secret}}'])
    assert.equal(pairsFault(good), null, good);
  for (const bad of [
    'a',
    '=b',
    'a=1&',
    'a=b c',
    'a=é',
    'a=%zz',
    'a=%',
    '{{to}}=1',
    'api_key=abc',
    'Token=1',
    'user_password=1',
  ])
    assert.notEqual(pairsFault(bad), null, bad);
});

test('an address has a fixed host and nothing that would be lost or shown', () => {
  for (const good of ['https://a.example', 'http://127.0.0.1:8080/x', 'https://a.example/{{to}}?b={{text}}'])
    assert.equal(urlFault(good), null, good);
  for (const bad of [
    'a.example/x',
    'ftp://a.example/',
    'https://{{to}}.example/',
    'https://a.example:{{to}}/',
    'https://user:pw@a.example/',
    'https://a.example/#x',
    'https://a.example/a b',
    'https://a.example/é',
    'https://a.example?token=abc',
    'https://a..b:99999/',
  ])
    assert.notEqual(urlFault(bad), null, bad);
});

test('blanks are written as %20, which queries, paths and forms all read as blanks', () => {
  assert.equal(asPercent("a b+c&d=e'é"), "a%20b%2Bc%26d%3De'%C3%A9");
});
