/** The forms of a page and the addresses machines try: what comes back, with which headers. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openTestApp, type TestApp } from '../testing/app.ts';
import { openTestDatabase, type TestDatabase } from '../testing/database.ts';
import { publicUrl } from './fixture.ts';

describe('the forms of a page', () => {
  let database: TestDatabase;
  let opened: TestApp;

  async function get(url: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' | 'POST' = 'GET') {
    const reply = await opened.app.frontDoor.inject({ method, url, headers });
    return { status: reply.statusCode, body: reply.body, header: (name: string) => String(reply.headers[name] ?? '') };
  }

  before(async () => {
    database = await openTestDatabase('pglite');
    opened = await openTestApp(database, {
      env: { PUBLIC_URL: publicUrl, SECURITY_CONTACT: 'mailto:security@example.com' },
    });
  });
  after(async () => {
    await opened?.close();
    await database.close();
  });

  test('Accept chooses the form of a page, and HTML is what a browser and a reader of anything get', async () => {
    const table: [string | undefined, 'html' | 'markdown'][] = [
      [undefined, 'html'],
      ['*/*', 'html'],
      ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'html'],
      ['text/markdown', 'markdown'],
      ['text/markdown, text/html;q=0.9, */*;q=0.1', 'markdown'],
      ['text/markdown, text/html', 'markdown'],
      ['text/html, text/markdown', 'html'],
      ['text/markdown;q=0.5, text/html', 'html'],
      ['text/markdown;q=0, */*', 'html'],
    ];
    for (const [accept, form] of table) {
      const reply = await get('/docs/ai', accept === undefined ? {} : { accept });
      assert.deepEqual([reply.status, reply.header('content-type')], [200, `text/${form}; charset=utf-8`], accept);
      assert.equal(reply.header('vary'), 'Accept');
    }
  });

  test('either form has a tag of its own, a 304 for who holds it, HEAD, and links to the other form and to llms.txt', async () => {
    const [html, markdown] = [await get('/docs/ai'), await get('/docs/ai.md')];
    assert.notEqual(html.header('etag'), markdown.header('etag'));
    for (const [url, reply] of [
      ['/docs/ai', html],
      ['/docs/ai.md', markdown],
    ] as const) {
      const held = await get(url, { 'if-none-match': reply.header('etag') });
      assert.deepEqual([held.status, held.body], [304, '']);
      const head = await get(url, {}, 'HEAD');
      assert.deepEqual([head.status, head.body, head.header('etag')], [200, '', reply.header('etag')]);
    }
    assert.equal(
      html.header('link'),
      `<${publicUrl}/docs/ai.md>; rel="alternate"; type="text/markdown", <${publicUrl}/llms.txt>; rel="describedby"; type="text/plain"`,
    );
    assert.match(markdown.header('link'), /^<https:\/\/otp\.example\.com\/docs\/ai>; rel="canonical"/);
    assert.ok(html.body.includes(`<link rel="alternate" type="text/markdown" href="${publicUrl}/docs/ai.md">`));
    assert.ok(html.body.includes(`<link rel="describedby" type="text/plain" href="${publicUrl}/llms.txt">`));
    assert.ok(html.body.indexOf('/llms.txt', html.body.indexOf('<main')) < html.body.indexOf('<h1'));
    assert.ok(markdown.body.slice(0, 200).includes(`${publicUrl}/llms.txt`));
    const tag = (await get('/docs/ai', { accept: 'text/markdown' })).header('etag');
    assert.equal(tag, markdown.header('etag'));
  });

  test('what does not exist is a 404 in the form that was asked for', async () => {
    const html = await get('/docs/no-such-page');
    assert.deepEqual(
      [html.status, html.header('content-type'), html.header('etag')],
      [404, 'text/html; charset=utf-8', ''],
    );
    for (const reply of [
      await get('/docs/no-such-page.md'),
      await get('/docs/no-such-page', { accept: 'text/markdown' }),
    ])
      assert.deepEqual([reply.status, reply.header('content-type')], [404, 'text/markdown; charset=utf-8']);
    for (const url of [
      '/docs/..%2f..%2fetc/passwd',
      '/docs/%2e%2e/package.json',
      '/docs/api/sendOtp/x',
      '/docs/errors/toString',
    ])
      assert.equal((await get(url)).status, 404, url);
    assert.equal((await get('/docs/ai', {}, 'POST')).status, 405);
    assert.equal((await get('/docs/ai/')).status, 200, 'a slash at the end changes nothing');
  });

  test('llms.txt has the form of its convention, names every page in Markdown, and stays small', async () => {
    const { status, body, header } = await get('/llms.txt');
    assert.deepEqual([status, header('content-type')], [200, 'text/plain; charset=utf-8']);
    assert.ok(body.length < 50_000, String(body.length));
    const [title, empty, quote] = body.split('\n');
    assert.match(title ?? '', /^# \S/);
    assert.equal(empty, '');
    assert.match(quote ?? '', /^> \S/);
    const named = [...body.matchAll(/^- \[[^\]]+\]\((\S+)\): .+$/gm)].map(([, url]) => url);
    const { body: sitemap } = await get('/sitemap.xml');
    const all = [...sitemap.matchAll(/<loc>([^<]*)<\/loc>/g)].map(([, url]) => `${url}.md`);
    assert.deepEqual([...named].sort(), [...all].sort());
    assert.equal((await get('/docs/llms.txt')).body, body);
    const { body: full } = await get('/llms-full.txt');
    assert.equal((full.match(/^> For AI agents: /gm) ?? []).length, all.length);
    assert.ok(full.includes('# sendOtp\n'));
  });

  test('robots.txt lets readers in and names the sitemap', async () => {
    const { body } = await get('/robots.txt');
    assert.ok(body.startsWith('User-agent: *\nAllow: /\n') && body.includes(`\nSitemap: ${publicUrl}/sitemap.xml\n`));
  });

  test('the search finds pages by their words, as a page and as JSON, and shows what was typed as text', async () => {
    const find = async (q: string) => {
      const reply = await get(`/docs/search?q=${encodeURIComponent(q)}`, { accept: 'application/json' });
      assert.equal(reply.status, 200);
      return JSON.parse(reply.body) as { results: { url: string; markdown: string; title: string }[] };
    };
    const table: [string, string][] = [
      ['send a code made by the platform', '/docs/api/sendOtp'],
      ['verifyOtp', '/docs/api/verifyOtp'],
      ['twilio', '/docs/migrate/twilio-verify'],
      ['magic recipients sandbox', '/docs/sandbox'],
      ['MASTER_KEY', '/docs/self-hosting'],
      ['3004', '/docs/errors/3004'],
    ];
    for (const [words, path] of table) {
      const urls = (await find(words)).results.slice(0, 5).map(({ url }) => url);
      assert.ok(urls.includes(`${publicUrl}${path}`), `${words}: ${urls.join(' ')}`);
    }
    const [first] = (await find('twilio')).results;
    assert.equal(first?.markdown, `${publicUrl}/docs/migrate/twilio-verify.md`);
    assert.deepEqual((await find('qqqqzzzz')).results, []);
    const page = await get(`/docs/search?q=${encodeURIComponent('"><script>alert(1)</script>')}`);
    assert.equal(page.status, 200);
    assert.ok(!page.body.includes('<script') && page.body.includes('noindex'));
    assert.match((await get('/docs/search?q=webotp')).body, /href="\/docs\/webotp"/);
  });

  test('who searches without end is told to wait, and may read on', async () => {
    const replies = await Promise.all(Array.from({ length: 100 }, () => get('/docs/search?q=code')));
    const refused = replies.filter(({ status }) => status === 429);
    assert.ok(refused.length > 20, String(refused.length));
    assert.equal(JSON.parse(refused[0]?.body ?? '').code, 3004);
    assert.match(refused[0]?.header('retry-after') ?? '', /^[1-9]/);
    assert.equal((await get('/docs')).status, 200);
  });

  test('the root leads to the documents', async () => {
    const { status, header } = await get('/');
    assert.deepEqual([status, header('location')], [308, `${publicUrl}/docs`]);
  });

  test('the API catalog is a link set that leads to the description, its documents and its state', async () => {
    const reply = await get('/.well-known/api-catalog');
    assert.match(
      reply.header('content-type'),
      /^application\/linkset\+json; profile="https:\/\/www\.rfc-editor\.org\/info\/rfc9727"/,
    );
    const [own, api] = JSON.parse(reply.body).linkset;
    for (const links of [own.item, api['service-desc'], api['service-doc'], api['status']])
      for (const { href } of links) assert.equal((await get(href.replace(publicUrl, ''))).status, 200, href);
    const head = await get('/.well-known/api-catalog', {}, 'HEAD');
    assert.equal(head.header('link'), `<${publicUrl}/.well-known/api-catalog>; rel="api-catalog"`);
  });

  test('security.txt names the contact and is valid for less than a year; without a contact there is none', async () => {
    const { body, header } = await get('/.well-known/security.txt');
    assert.equal(header('content-type'), 'text/plain; charset=utf-8');
    const fields = new Map(
      body
        .trim()
        .split('\n')
        .map((line) => line.split(/: (.*)/s, 2) as [string, string]),
    );
    assert.equal(fields.get('Contact'), 'mailto:security@example.com');
    assert.equal(fields.get('Canonical'), `${publicUrl}/.well-known/security.txt`);
    const days = (Date.parse(fields.get('Expires') ?? '') - database.clock.now()) / 86_400_000;
    assert.ok(days > 150 && days < 365, String(days));
    const without = await openTestApp(database);
    try {
      assert.equal((await without.app.frontDoor.inject({ url: '/.well-known/security.txt' })).statusCode, 404);
    } finally {
      await without.close();
    }
  });

  test('a page leads to those before and after it and to its own sections, a page of a group stays in it', async () => {
    const { body } = await get('/docs/quick-start');
    const around = [...body.matchAll(/<a rel="(prev|next)" href="([^"]*)"/g)].map(([, rel, to]) => `${rel} ${to}`);
    assert.deepEqual(around, ['prev /docs/ai', 'next /docs/sandbox']);
    const [, contents = ''] = /<nav class="contents"[^>]*>([\s\S]*?)<\/nav>/.exec(body) ?? [];
    const sections = [...body.matchAll(/<h2 id="([^"]*)"/g)].map(([, id]) => `#${id}`);
    assert.ok(sections.length > 3);
    assert.deepEqual(
      [...contents.matchAll(/href="([^"]*)"/g)].map(([, to]) => to),
      sections,
    );
    const first = (await get('/docs/api/sendOtp')).body;
    assert.ok(!first.includes('rel="prev"') && first.includes('rel="next" href="/docs/api/sendCustomCode"'));
  });

  test('the reference has every operation with its inputs, and reads whole without its script', async () => {
    const { status, body } = await get('/reference');
    assert.equal(status, 200);
    const paths = (opened.app.frontDoor.openapi() as { paths: Record<string, Record<string, { operationId: string }>> })
      .paths;
    for (const methods of Object.values(paths))
      for (const { operationId } of Object.values(methods))
        assert.ok(body.includes(`id="${operationId}"`), operationId);
    assert.match(
      body,
      /data-method="GET" data-path="\/v1\/messages\/\{message_id\}" data-auth="key">\n<label>message_id <input name="message_id" data-in="path" required/,
    );
  });
});
