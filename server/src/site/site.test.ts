/** Every page as readers and machines get it: whole, linked, the same in both forms, and complete over the registry. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { settings } from '../config.ts';
import { errorTable, reasons } from '../errors.ts';
import { eventNames } from '../events/index.ts';
import { openTestApp, type TestApp } from '../testing/app.ts';
import { openTestDatabase, type TestDatabase } from '../testing/database.ts';
import {
  blocksOf,
  blocksOfHtml,
  headingsOf,
  headingsOfHtml,
  linksOfHtml,
  linksOfMarkdown,
  operationsIn,
  publicUrl,
  wordsOfHtml,
  wordsOfMarkdown,
} from './fixture.ts';

/** agents.md of the conventions: a page fits into the window of a small model. */
const largest = 50_000;

interface Got {
  status: number;
  body: string;
  header(name: string): string;
}

describe('the documents', () => {
  let database: TestDatabase;
  let opened: TestApp;
  /** path → both forms */
  const pages = new Map<string, { html: string; markdown: string }>();

  const get = async (
    url: string,
    headers: Record<string, string> = {},
    method: 'GET' | 'HEAD' = 'GET',
  ): Promise<Got> => {
    const reply = await opened.app.frontDoor.inject({ method, url, headers });
    return { status: reply.statusCode, body: reply.body, header: (name) => String(reply.headers[name] ?? '') };
  };
  const pathsIn = (text: string): string[] =>
    [...text.matchAll(/<loc>([^<]*)<\/loc>/g)].map(([, url = '']) => url.replace(publicUrl, ''));

  before(async () => {
    database = await openTestDatabase('pglite');
    opened = await openTestApp(database, {
      env: { PUBLIC_URL: publicUrl, SECURITY_CONTACT: 'mailto:security@example.com' },
    });
    for (const path of pathsIn((await get('/sitemap.xml')).body)) {
      const [html, markdown] = [await get(path), await get(`${path}.md`)];
      assert.deepEqual([html.status, markdown.status], [200, 200], path);
      pages.set(path, { html: html.body, markdown: markdown.body });
    }
  });
  after(async () => {
    await opened?.close();
    await database.close();
  });

  test('there are hand-written pages, and each has one first heading and a description', () => {
    for (const path of ['/docs', '/docs/ai', '/docs/quick-start', '/docs/callbacks', '/docs/migrate/vonage'])
      assert.ok(pages.has(path), path);
    for (const [path, { html, markdown }] of pages) {
      assert.equal(headingsOfHtml(html).filter((one) => one.startsWith('1 ')).length, 1, path);
      assert.match(html, /<meta name="description" content="[^"]{10,}">/, path);
      assert.match(markdown, /^# \S/, path);
    }
  });

  test('every page is smaller than 50,000 characters in both forms', () => {
    for (const [path, { html, markdown }] of pages)
      assert.ok(html.length < largest && markdown.length < largest, `${path}: ${html.length}, ${markdown.length}`);
  });

  test('HTML and Markdown have the same headings, code and words', () => {
    for (const [path, { html, markdown }] of pages) {
      assert.deepEqual(headingsOfHtml(html), headingsOf(markdown), path);
      assert.deepEqual(
        blocksOfHtml(html),
        blocksOf(markdown).map(({ text }) => text),
        path,
      );
      assert.deepEqual(wordsOfHtml(html), wordsOfMarkdown(markdown), path);
    }
  });

  test('every link within the server leads to a page, and to a heading of it where it names one', async () => {
    /** Of what is no document, the text; null where nothing is. */
    const others = new Map<string, string | null>();
    const leads = async (from: string, target: string): Promise<void> => {
      const url = new URL(target, `${publicUrl}${from}`);
      if (url.origin !== publicUrl) return;
      const path = url.pathname.replace(/\.md$/, '');
      const page = pages.get(path);
      if (!page && !others.has(url.pathname)) {
        const { status, body } = await get(url.pathname);
        others.set(url.pathname, status === 200 ? body : null);
      }
      const text = page?.html ?? others.get(url.pathname);
      assert.ok(typeof text === 'string', `${from} links to ${target}`);
      if (url.hash) assert.ok(text.includes(`id="${url.hash.slice(1)}"`), `${from} links to ${target}`);
    };
    for (const [path, { html, markdown }] of pages) {
      for (const target of linksOfHtml(html)) await leads(path, target);
      for (const target of linksOfMarkdown(markdown)) {
        assert.match(target, /^(https?:|#)/, `${path}: ${target} is not absolute`);
        await leads(path, target);
      }
    }
    assert.ok(pages.size > 150, 'pages were read');
  });

  test('no page loads anything from another server, and none runs a script but the reference its own', async () => {
    const all = [...pages].map(([path, { html }]) => [path, html] as const);
    const extra = ['/reference', '/docs/search?q=code', '/docs/no-such-page'];
    for (const path of extra) all.push([path, (await get(path)).body]);
    for (const [path, html] of all) {
      const loaded = [
        ...html.matchAll(/<(?:script|img|iframe|source|video|audio|embed|object|input)[^>]*\b(?:src|data)="([^"]*)"/g),
      ];
      const linked = [
        ...html.matchAll(/<link rel="(?:stylesheet|icon|preload|preconnect|modulepreload)"[^>]*href="([^"]*)"/g),
      ];
      assert.deepEqual(
        [...loaded, ...linked].map(([, target]) => target).sort(),
        ['/docs/site.css', 'data:,', ...(path === '/reference' ? ['/docs/reference.js'] : [])].sort(),
        path,
      );
      assert.ok(!/<style|style="|\son\w+="|javascript:/i.test(html), path);
      const policy = (await get(path)).header('content-security-policy');
      assert.match(policy, /^default-src 'none'/, path);
      assert.ok(!/https?:|\*|unsafe/.test(policy), path);
    }
    for (const file of ['/docs/site.css', '/docs/reference.js']) {
      const { status, body } = await get(file);
      assert.equal(status, 200);
      assert.ok(
        !/url\(|@import|https?:\/\/|['"`]\/\/|\bimport\b|importScripts|WebSocket|EventSource|sendBeacon/.test(body),
        file,
      );
    }
  });

  test('every operation has a page with all its parameters, fields, errors and three programs', () => {
    const operations = operationsIn(opened.app.frontDoor.openapi());
    assert.ok(operations.length > 100);
    for (const { operationId, method, path, responses } of operations) {
      const page = pages.get(`/docs/api/${operationId}`);
      assert.ok(page, operationId);
      assert.ok(page.markdown.includes(`\n${method} ${path}\n`), operationId);
      for (const status of Object.keys(responses).filter((one) => one !== '200'))
        assert.ok(page.markdown.includes(`\n| ${status} | [`), `${operationId} ${status}`);
      const languages = blocksOf(page.markdown).map(({ language }) => language);
      for (const language of ['sh', 'js', 'python'])
        assert.ok(languages.includes(language), `${operationId} ${language}`);
    }
    assert.match(pages.get('/docs/api/sendOtp')?.markdown ?? '', /\| `template\.params` \| map to string \| no \|/);
  });

  test('every error code has a page with its reasons, every setting a row, every event a name', () => {
    for (const [code, { title, next }] of Object.entries(errorTable)) {
      const page = pages.get(`/docs/errors/${code}`)?.markdown ?? '';
      assert.ok(page.toLowerCase().includes(title.toLowerCase()) && page.includes(next), code);
    }
    for (const [reason, [code]] of Object.entries(reasons))
      assert.ok(pages.get(`/docs/errors/${code}`)?.markdown.includes(`\`${reason}\``), reason);
    for (const { env } of Object.values(settings))
      assert.ok(pages.get('/docs/settings')?.markdown.includes(`| \`${env}\` |`), env);
    const kinds = [...pages].filter(([path]) => path.startsWith('/docs/events/')).map(([, { markdown }]) => markdown);
    for (const name of eventNames) {
      assert.ok(pages.get('/docs/events')?.markdown.includes(`| \`${name}\` |`), name);
      assert.ok(
        kinds.some((markdown) => markdown.includes(`\`${name}\``)),
        name,
      );
    }
  });

  test('the address in an error body leads to the page of its code, and the short one to the same', async () => {
    const refused = await opened.call({ path: '/v1/messages', body: {} });
    const { docs_url } = refused.body;
    assert.equal(docs_url, `${publicUrl}/docs/errors/3002`);
    assert.equal((await get(docs_url.replace(publicUrl, ''))).status, 200);
    for (const ending of ['', '.md']) {
      const short = await get(`/errors/3002${ending}`);
      assert.deepEqual([short.status, short.header('location')], [308, `${docs_url}${ending}`]);
    }
    assert.equal((await get('/errors/1')).status, 404);
  });

  test('no page names another address of the server than the public one', () => {
    for (const [path, { html, markdown }] of pages) {
      assert.ok(!html.includes('127.0.0.1:8080') && !markdown.includes('127.0.0.1:8080'), path);
    }
    assert.ok(
      pages.get('/docs/ai')?.markdown.includes(`${publicUrl}/v1/messages`) ||
        pages.get('/docs/ai')?.markdown.includes(publicUrl),
    );
  });
});
