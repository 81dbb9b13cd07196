/** Answers that are streams: how they begin, break and end. What flows through them is tested in events/. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { z } from 'zod';
import { openTestDatabase, type TestDatabase } from '../testing/database.ts';
import { good, type OpenDoor, openDoor, talk } from '../testing/open-door.ts';
import { until } from '../testing/until.ts';
import type { Answered } from './exchange.ts';
import { defineOperation, EventStream } from './operation.ts';

const shape = {
  method: 'GET',
  tag: 'x',
  auth: 'key',
  permission: 'read',
  summary: 'x',
  input: {},
  errors: [],
} as const;

describe('a stream', () => {
  let database: TestDatabase;
  let open: OpenDoor;
  let address: string;
  let waiting = 0;
  let ended = 0;
  const answered: Answered[] = [];

  async function* words(signal: AbortSignal, fails: boolean): AsyncGenerator<string> {
    try {
      yield 'data: one\n\n';
      if (fails) throw new Error('the source broke');
      yield 'data: two\n\n';
      waiting++;
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    } finally {
      ended++;
    }
  }
  const operation = (id: string, handle: () => EventStream) =>
    defineOperation({ ...shape, id, path: `/v1/${id}`, output: z.object({}) }, handle);

  before(async () => {
    database = await openTestDatabase('pglite');
    const operations = [
      operation('follow', () => new EventStream((signal) => words(signal, false))),
      operation('break', () => new EventStream((signal) => words(signal, true))),
    ];
    open = openDoor(database, { operations, onAnswered: (one) => void answered.push(one) });
    address = await open.door.listen('127.0.0.1', 0);
  });
  after(() => database.close());

  const get = (path: string): Promise<string> =>
    talk(address, `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${good}\r\n\r\n`);

  test('that breaks is cut off, so that nobody takes it for whole, and is told to the log', async () => {
    const text = await get('/v1/break');
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
    assert.ok(!text.endsWith('0\r\n\r\n'), 'the last chunk is missing');
    assert.ok(open.lines.some((line) => line.includes('the source broke') && line.includes('request failed')));
    assert.equal(ended, 1);
  });

  test('ends whole when the server stops, and counts as answered when it has ended', async () => {
    const heard = get('/v1/follow');
    await until('the stream to be open', () => waiting === 1);
    await open.door.close();
    const text = await heard;
    assert.match(text, /\r\nConnection: close\r\n/i);
    assert.match(text, /data: one[\s\S]*data: two[\s\S]*\r\n0\r\n\r\n$/);
    assert.equal(ended, 2);
    assert.deepEqual(
      answered.map(({ path, status, code, method }) => [method, path, status, code]),
      [
        ['GET', '/v1/break', 200, 0],
        ['GET', '/v1/follow', 200, 0],
      ],
    );
  });
});
