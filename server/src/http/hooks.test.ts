/** Webhooks of upstreams: bytes as they came in, the room's answer out, nothing learned by a caller without the token. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { DatabaseUnavailable } from '../platform/db.ts';
import { openTestDatabase, type TestDatabase } from '../testing/database.ts';
import { type OpenDoor, openDoor } from '../testing/open-door.ts';
import type { HookCall } from './hooks.ts';

describe('webhooks', () => {
  let database: TestDatabase;
  let open: OpenDoor;
  let address: string;
  const calls: HookCall[] = [];
  let fault: Error | undefined;

  before(async () => {
    database = await openTestDatabase('pglite');
    open = openDoor(database, {
      operations: [],
      findHook(provider, token) {
        if (provider !== 'carrier' || token !== 'token') return null;
        return async (call) => {
          if (fault) throw fault;
          calls.push(call);
          return { status: 200, type: 'text/xml', body: '<Response/>' };
        };
      },
    });
    address = await open.door.listen('127.0.0.1', 0);
  });
  after(async () => {
    await open.door.close();
    await database.close();
  });
  const hook = (path: string, init?: RequestInit): Promise<Response> => fetch(`${address}/hooks/${path}`, init);

  test('any content type arrives byte by byte with path, query and headers, and the answer is the room’s', async () => {
    const body = Buffer.from([0, 255, 10, 0xc3, 0x28]);
    const init = { method: 'POST', body, headers: { 'content-type': 'application/x-odd', 'X-Signature': 's=1' } };
    const reply = await hook('carrier/token/status/42?a=1&a=2%20b', init);
    assert.deepEqual(
      [reply.status, reply.headers.get('content-type'), await reply.text()],
      [200, 'text/xml', '<Response/>'],
    );
    const call = calls.at(-1);
    assert.deepEqual(call?.body, body);
    assert.deepEqual(
      [call?.method, call?.path, call?.pathAndQuery, call?.query.getAll('a'), call?.headers['x-signature']],
      ['POST', '/status/42', '/hooks/carrier/token/status/42?a=1&a=2%20b', ['1', '2 b'], 's=1'],
    );
    assert.equal((await hook('carrier/token?hub.challenge=1')).status, 200);
    assert.deepEqual([calls.at(-1)?.method, calls.at(-1)?.path], ['GET', '']);
  });

  test('without the token a webhook looks like any unknown address', async () => {
    const known = calls.length;
    const wrong = await hook('carrier/guess', { method: 'POST' });
    const nowhere = await fetch(`${address}/nowhere`, { method: 'POST' });
    const shape = async (reply: Response): Promise<unknown> => {
      const { code, message } = (await reply.json()) as { code: number; message: string };
      return [reply.status, code, message];
    };
    assert.deepEqual(await shape(wrong), await shape(nowhere));
    assert.equal(calls.length, known);
  });

  test('without the token a body is not waited for: the answer comes on the address alone', async (t) => {
    const headers = { 'content-length': 3 * 1024 * 1024 };
    const asking = request(`${address}/hooks/carrier/guess`, { method: 'POST', headers });
    t.after(() => asking.destroy());
    asking.on('error', () => undefined);
    asking.flushHeaders();
    const [reply] = await once(asking, 'response');
    assert.equal(reply.statusCode, 404);
  });

  test('what cannot be stored now is answered 503, so that the upstream repeats it', async () => {
    fault = new DatabaseUnavailable(new Error('gone'));
    try {
      assert.equal((await hook('carrier/token', { method: 'POST', body: '{}' })).status, 503);
    } finally {
      fault = undefined;
    }
  });

  test('a body of 3 MB is taken, a larger one refused with 413', async () => {
    const size = 3 * 1024 * 1024;
    assert.equal((await hook('carrier/token', { method: 'POST', body: Buffer.alloc(size) })).status, 200);
    const known = calls.length;
    const reply = await hook('carrier/token', { method: 'POST', body: Buffer.alloc(size + 1) }).catch(() => null);
    assert.ok(reply === null || reply.status === 413);
    assert.equal(calls.length, known);
  });

  test('another method is refused and names those that are allowed', async () => {
    const reply = await hook('carrier/token', { method: 'DELETE' });
    assert.equal(reply.status, 404);
  });
});
