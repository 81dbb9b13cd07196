// Waiting for a code in a test: which code is taken, how the server is asked, and when the waiting ends.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { OTPClient } from '../src/index.ts';
import { type Reply, startServer } from './support/server.ts';

const to = '+10000000000';

function handset(...entries: [id: string, code: string | null][]): Reply {
  return { body: { messages: entries.map(([message_id, code]) => ({ message_id, code, to })) } };
}

async function setUp(t: TestContext, replies: Reply[]) {
  t.mock.timers.enable({ apis: ['Date'], now: 1783036800000 });
  const { url, requests } = await startServer(t, replies);
  const sleep = (ms: number) => Promise.resolve(t.mock.timers.tick(ms));
  return { sandbox: new OTPClient('k', 's', { baseUrl: url, sleep }).sandbox, requests };
}

test('the newest code is taken', async (t) => {
  const { sandbox } = await setUp(t, [handset(['3', null], ['2', '222222'], ['1', '111111'])]);
  assert.equal(await sandbox.waitForCode(to), '222222');
});

test('an empty handset is asked again', async (t) => {
  const { sandbox, requests } = await setUp(t, [handset(), handset(['1', '111111'])]);
  assert.equal(await sandbox.waitForCode(to, { timeoutMs: 90_000 }), '111111');
  assert.deepEqual(
    requests.map(({ query }) => query['wait']),
    ['30', '30'],
  );
});

test('the code of one message is told apart from codes of earlier tests', async (t) => {
  const { sandbox, requests } = await setUp(t, [
    handset(['2072832692843466760', '222222'], ['2072832692843466759', '111111']),
  ]);
  assert.equal(await sandbox.waitForCode(to, { messageId: '2072832692843466759' }), '111111');
  assert.equal(requests[0]?.query['after'], '2072832692843466758');
});

test('other messages on the handset do not make it ask without a pause', async (t) => {
  const others = Array<Reply>(9).fill(handset(['9', null]));
  const { sandbox, requests } = await setUp(t, others);
  await assert.rejects(sandbox.waitForCode(to, { timeoutMs: 1000 }), { code: 0, retryable: true, reason: 'timeout' });
  assert.equal(requests.length, 5);
});

test('the end of the time is an error that names neither phone nor code', async (t) => {
  const { sandbox } = await setUp(t, [handset()]);
  await assert.rejects(sandbox.waitForCode(to, { timeoutMs: 0 }), {
    message: 'no code on the sandbox handset within 0 ms',
  });
});
