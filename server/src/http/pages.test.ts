/** Pages: what readers fetch, with an ETag to hold on to, and the contract's errors where nothing is. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openTestDatabase, type TestDatabase } from '../testing/database.ts';
import { type OpenDoor, openDoor } from '../testing/open-door.ts';
import type { PageRequest } from './pages.ts';

describe('pages', () => {
  let database: TestDatabase;
  let open: OpenDoor;
  let address: string;
  const asked: PageRequest[] = [];

  before(async () => {
    database = await openTestDatabase('pglite');
    open = openDoor(database, {
      operations: [],
      pages: [
        { path: '/one.txt', answer: () => ({ status: 200, mediaType: 'text/plain', body: 'one' }) },
        {
          path: '/below/*',
          answer(request) {
            asked.push(request);
            if (request.path !== '/below/a b') return null;
            const headers = { 'Cache-Control': 'max-age=60', Vary: 'Accept' };
            return { status: 200, mediaType: 'application/gzip', body: Buffer.from([0, 255]), headers };
          },
        },
        { path: '/gone', answer: () => ({ status: 404, mediaType: 'text/html', body: 'gone' }) },
        {
          path: '/broken',
          answer() {
            throw new Error('secret detail');
          },
        },
      ],
    });
    address = await open.door.listen('127.0.0.1', 0);
  });
  after(async () => {
    await open.door.close();
    await database.close();
  });
  const get = (path: string, init?: RequestInit): Promise<Response> => fetch(`${address}${path}`, init);

  test('a page is answered with its type, length, tag and a request id; HEAD gets the same without the body', async () => {
    const reply = await get('/one.txt');
    const head = await get('/one.txt', { method: 'HEAD' });
    assert.deepEqual([reply.status, await reply.text(), await head.text()], [200, 'one', '']);
    for (const one of [reply, head]) {
      assert.equal(one.headers.get('content-type'), 'text/plain; charset=utf-8');
      assert.equal(one.headers.get('content-length'), '3');
      assert.equal(one.headers.get('cache-control'), 'no-cache');
      assert.match(one.headers.get('x-request-id') ?? '', /^req_/);
    }
    assert.match(reply.headers.get('etag') ?? '', /^"[\w-]{22}"$/);
    assert.equal(head.headers.get('etag'), reply.headers.get('etag'));
  });

  test('who holds the page already gets a 304 without a body, and the page again when the tag is another', async () => {
    const etag = (await get('/one.txt')).headers.get('etag') ?? '';
    for (const held of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const reply = await get('/one.txt', { headers: { 'If-None-Match': held } });
      assert.deepEqual([reply.status, await reply.text(), reply.headers.get('etag')], [304, '', etag], held);
    }
    assert.equal((await get('/one.txt', { headers: { 'If-None-Match': '"other"' } })).status, 200);
  });

  test('a page below a star sees the decoded path and the query, and answers bytes with headers of its own', async () => {
    const reply = await get('/below/a%20b/?q=x%20y', { headers: { Accept: 'text/markdown' } });
    assert.deepEqual([...new Uint8Array(await reply.arrayBuffer())], [0, 255]);
    assert.deepEqual(
      ['content-type', 'cache-control', 'vary'].map((name) => reply.headers.get(name)),
      ['application/gzip', 'max-age=60', 'Accept'],
    );
    const [request] = asked.slice(-1);
    assert.deepEqual(
      [request?.method, request?.path, request?.query.get('q'), request?.headers['accept']],
      ['GET', '/below/a b', 'x y', 'text/markdown'],
    );
  });

  test('no such page is the contract’s 404, one the room made itself stays the room’s, without a tag', async () => {
    for (const path of ['/below/nothing', '/below/%ff', '/nowhere']) {
      const reply = await get(path);
      assert.deepEqual([reply.status, ((await reply.json()) as { code: number }).code], [404, 4001], path);
    }
    const own = await get('/gone');
    assert.deepEqual([own.status, await own.text(), own.headers.get('etag')], [404, 'gone', null]);
  });

  test('another method is 405 and names those that are allowed', async () => {
    for (const path of ['/one.txt', '/below/x/y', '/below/x/']) {
      const reply = await get(path, { method: 'POST' });
      assert.deepEqual([reply.status, reply.headers.get('allow')], [405, 'GET, HEAD'], path);
    }
  });

  test('a fault behind a page tells the reader nothing', async () => {
    const reply = await get('/broken');
    const text = await reply.text();
    assert.equal(reply.status, 500);
    assert.ok(!text.includes('secret'));
    assert.ok(open.lines.some((line) => line.includes('secret detail')));
  });
});
