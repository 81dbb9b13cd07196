/** API calls as events: for who wants them, by the pattern of the path, never because of reading events. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { ApiError } from '../errors.ts';
import { defineOperation } from '../http/operation.ts';
import { onEachEngine } from '../testing/database.ts';
import { expired, good, openDoor, other, sendOnly } from '../testing/open-door.ts';
import { mine, openEvents, theirs } from './fixture.ts';
import { listEvents } from './index.ts';

onEachEngine('api_call', (get) => {
  test('is written for each answer to a key of an application that wants it', async () => {
    const house = await openEvents(get(), { wantsCalls: (applicationId) => applicationId === mine });
    const common = { method: 'GET', tag: 'x', summary: 'x', output: z.object({}), errors: [4001] } as const;
    const params = z.object({ to: z.string() });
    const operations = [
      defineOperation(
        { ...common, id: 'find', path: '/v1/things/{to}', auth: 'key', permission: 'read', input: { params } },
        (call) => {
          if (call.params.to !== '+6591234567') throw new ApiError(4001);
          return {};
        },
      ),
      defineOperation({ ...common, id: 'open', path: '/v1/open', auth: 'none', input: {} }, () => ({})),
    ];
    const { door } = openDoor(get(), { operations, onAnswered: house.events.noteCall });
    const call = (url: string, authorization: string, id = 'r-1') =>
      door.inject({ url, headers: { authorization, 'x-request-id': id } });
    await call('/v1/things/+6591234567?page=2', good, 'r-1');
    await call('/v1/things/nobody', good, 'r-2');
    await call('/v1/things/+6591234567', sendOnly, 'r-3');
    for (const authorization of [other, expired, 'Basic nonsense']) await call('/v1/things/+6591234567', authorization);
    await call('/v1/open', good);
    await call('/v1/nowhere', good);
    assert.equal((await house.list()).status, 200);
    await house.events.stop();
    const facts = (http_status: number, code: number, request_id: string, api_key: string) => ({
      org_id: '1',
      operator: { api_key, ip_address: '127.0.0.1' },
      api_call: { api_path: '/v1/things/{to}', method: 'GET', http_status, code, request_id },
    });
    const written = await listEvents(get().db, mine, '0');
    assert.deepEqual(
      written.map(({ cause, status, data }) => [cause, status, data]),
      [
        ['api_called', 'api_call', facts(200, 0, 'r-1', 'dk_1')],
        ['api_called', 'api_call', facts(400, 4001, 'r-2', 'dk_1')],
        ['api_called', 'api_call', facts(403, 2004, 'r-3', 'dk_2')],
      ],
    );
    assert.deepEqual(await listEvents(get().db, theirs, '0'), []);
    await house.close();
    await door.close();
  });
});
