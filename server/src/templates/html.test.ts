import assert from 'node:assert/strict';
import { test } from 'node:test';
import { htmlToText, looksLikeHtml } from './html.ts';

test('what has a tag is HTML, a bare < is not', () => {
  assert.deepEqual(['<p>x', 'a<br/>b', '<!doctype html>'].map(looksLikeHtml), [true, true, true]);
  assert.deepEqual(['1 < 2 > 0', 'a <b', 'x'].map(looksLikeHtml), [false, false, false]);
});

test('blocks become lines, what nobody reads goes, entities are read, broken markup stays as text', () => {
  const cases: [string, string][] = [
    ['<div>a</div><div> b\n c </div>', 'a\nb c'],
    ['<p>a</p><p></p><p></p><p>b</p>', 'a\n\nb'],
    ['a<!-- no <b> -->b<script>if (1 < 2) x()</script>c<STYLE>p</STYLE>d', 'abcd'],
    ['&lt;b&gt; &amp;amp; &#52;&#x32; &nbsp;x &unknown; &#0;', '<b> &amp; 42 x &unknown; &#0;'],
    ['<b>{{code}}</b> 1 < 2 <i', '{{code}} 1 < 2 <i'],
    ['a<!-- open', 'a<!-- open'],
    ['<b>a</b><style>never closed', 'a'],
    ['<h1>T</h1><ul><li>x</li><li>y</li></ul>z', 'T\nx\ny\n\nz'],
  ];
  for (const [html, text] of cases) assert.equal(htmlToText(html), text);
});
