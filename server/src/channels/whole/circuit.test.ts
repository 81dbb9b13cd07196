import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engines } from '../../testing/database.ts';
import { accountSid, authToken, openTwilio, type Twilio } from '../twilio/fixture.ts';
import { openWhole } from './fixture.ts';

const account = (twilio: Twilio) => ({
  api_url: twilio.url,
  account_sid: accountSid,
  auth_token: authToken,
  from: '+15005550006',
});
const numbers = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `+659${1_000_000 + from + i}`);

for (const engine of engines) {
  test(`a provider that fails half of its hand-overs opens its circuit, traffic moves, and a probe closes it again (${engine})`, async () => {
    await using first = await openTwilio();
    await using second = await openTwilio();
    await using whole = await openWhole(engine, []);
    await whole.provider('first', 'sms-twilio', account(first));
    await whole.provider('second', 'sms-twilio', account(second));
    await whole.route('sms', ['first', 'second']);
    await whole.application.addTemplate({});
    const health = async (): Promise<string> => {
      const reply = await whole.box.operator({ path: '/admin/v1/providers/first/health' });
      return reply.body.health?.[0]?.circuit ?? JSON.stringify(reply.body);
    };

    // Every other recipient gets an answer that says nothing.
    const failing = numbers(0, 30);
    for (const [i, to] of failing.entries()) if (i % 2 === 0) first.on(to, { kind: 'bare', status: 503 });
    for (const to of failing) await whole.send(to);
    assert.equal(await health(), 'open');
    const reached = first.held.length;
    assert.ok(reached < 15, `${reached} of 30 by the failing one`);
    assert.ok(second.held.length >= 15, 'every message found its way');
    assert.equal(reached + second.held.length, 30, 'one hand-over each, besides those nobody answered');

    for (const to of numbers(100, 5)) await whole.send(to);
    assert.equal(first.held.length, reached, 'while it is open nothing is asked of it');

    await whole.database.clock.travel(16_000);
    for (const to of numbers(200, 5)) await whole.send(to);
    assert.ok(first.held.length > reached, 'the probe went through');
    assert.equal(await health(), 'closed');
    const after = second.held.length;
    for (const to of numbers(300, 5)) await whole.send(to);
    assert.equal(second.held.length, after, 'and the first has the traffic back');
  });
}

test('with the only provider of a channel down, the send is planned by the next channel and says why', async () => {
  await using twilio = await openTwilio();
  await using whole = await openWhole('pglite', []);
  await whole.provider('sms-only', 'sms-twilio', { ...account(twilio), auth_token: 'w'.repeat(32) });
  await whole.provider('calls', 'voice-twilio', account(twilio));
  await whole.route('sms', ['sms-only']);
  await whole.route('voice', ['calls']);
  await whole.application.addTemplate({ send_channel_strategy: 'sms|voice' });
  // A wrong key is a fault of the account: one refusal is enough.
  await whole.send('+6591234567');
  const reply = await whole.application.send('+6591234568');
  assert.equal(reply.body.send_channel, 'voice', JSON.stringify(reply.body));
  const story = await whole.story(reply.body.message_id);
  assert.deepEqual(story.steps[0], { step: 1, channel: 'sms', state: 'skipped' });
  await whole.application.addTemplate({ template_id: 'alone', send_channel_strategy: 'sms' });
  const alone = await whole.application.send('+6591234569', { template: { id: 'alone' } });
  assert.deepEqual(
    [alone.status, alone.body.code, alone.body.message],
    [400, 5001, 'sms send fail'],
    'worth trying again',
  );
});
