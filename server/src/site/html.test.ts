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

test('a heading can be linked to, and the link has no words of its own', () => {
  assert.equal(
    toHtml('## Send'),
    '<h2 id="send">Send<a class="anchor" href="#send" aria-label="Link to this section"></a></h2>\n',
  );
  assert.equal(toHtml('# Title'), '<h1 id="title">Title</h1>\n');
});

test('a long name may be broken behind its parts, and a short one not at all', () => {
  assert.equal(toHtml('`template.params` `a.b`'), '<p><code>template.<wbr>params</code> <code>a.b</code></p>\n');
  assert.equal(toHtml('`http://127.0.0.1:8080/x`'), '<p><code>http://127.0.0.1:8080/<wbr>x</code></p>\n');
});

test('a table of many columns names the cells between the first and the last', () => {
  assert.match(toHtml('|A|B|C|\n|-|-|-|\n|1|2|3|'), /<td>1<\/td><td data-label="B">2<\/td><td>3<\/td>/);
  assert.ok(!toHtml('|A|B|\n|-|-|\n|1|2|').includes('data-label'));
});
