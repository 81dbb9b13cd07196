import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slugOf, toHtml } from './html.ts';
import { mapLinks } from './links.ts';

test('HTML in a source is shown as text, and links that could run something are none', () => {
  const html = toHtml(
    'a <script>x</script> <b onclick="y">\n\n<img src=x>\n\n[one](javascript:x) [two](//evil.example) ![p](https://x.example/p.png)',
  );
  assert.ok(!/<script|<b |<img|<a /.test(html), html);
  assert.ok(html.includes('&lt;script&gt;') && html.includes('one') && html.includes('two'));
  assert.equal(
    toHtml('[a](/docs) [b](https://x.example) [c](#d)'),
    '<p><a href="/docs">a</a> <a href="https://x.example">b</a> <a href="#d">c</a></p>\n',
  );
});

test('headings get the addresses that GitHub gives them, each one of its own', () => {
  assert.equal(slugOf('What is in it?'), 'what-is-in-it');
  assert.equal(slugOf('Message status (message_status)'), 'message-status-message_status');
  const html = toHtml('## Same\n\n## Same\n\n## With `code`');
  assert.deepEqual(
    [...html.matchAll(/id="([^"]*)"/g)].map(([, id]) => id),
    ['same', 'same-1', 'with-code'],
  );
});

test('links are found outside of code alone', () => {
  const source = '[a](b.md) `[c](d.md)` [`e`](f.md)\n\n```md\n[g](h.md)\n```\n[i](j.md#k)';
  assert.equal(
    mapLinks(source, (target) => `/${target}`),
    '[a](/b.md) `[c](d.md)` [`e`](/f.md)\n\n```md\n[g](h.md)\n```\n[i](/j.md#k)',
  );
});
