import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engines } from '../../testing/database.ts';
import { accountSid, authToken, openTwilio, type Twilio } from '../twilio/fixture.ts';
import { type GraphEmulator, openGraphEmulator } from '../whatsapp-cloud/fixture.ts';
import { openWhole, type Whole } from './fixture.ts';

const chain = { template_id: 'chain', send_channel_strategy: 'whatsapp|sms|voice' };
const simple = { template_id: 'login', send_channel_strategy: 'sms|voice' };
const to = '+6591234567';

interface Scene extends AsyncDisposable {
  whole: Whole;
  graph: GraphEmulator;
  twilio: Twilio;
}

async function openScene(engine: 'pglite' | 'postgres'): Promise<Scene> {
  const [graph, twilio] = [await openGraphEmulator(), await openTwilio()];
  graph.approve(['en']);
  const whole = await openWhole(engine, []);
  await whole.provider('meta', 'whatsapp-cloud', graph.settings);
  const account = { api_url: twilio.url, account_sid: accountSid, auth_token: authToken, from: '+15005550006' };
  await whole.provider('twilio-sms', 'sms-twilio', account);
  await whole.provider('twilio-voice', 'voice-twilio', account);
  await whole.route('whatsapp', ['meta']);
  await whole.route('sms', ['twilio-sms']);
  await whole.route('voice', ['twilio-voice']);
  for (const template of [chain, simple]) await whole.application.addTemplate(template);
  return {
    whole,
    graph,
    twilio,
    async [Symbol.asyncDispose]() {
      await whole[Symbol.asyncDispose]();
      await Promise.all([graph.close(), twilio.close()]);
    },
  };
}

const codeIn = (text: string): string => /\b\d{6}\b/.exec(text)?.[0] ?? '';

for (const engine of engines) {
  test(`a chain whose first two channels fail ends in a call with the same code, which verifies (${engine})`, async () => {
    await using scene = await openScene(engine);
    const { whole, graph, twilio } = scene;
    graph.behave(to, { refuse: 131026, details: 'Message undeliverable' });
    const id = await whole.send(to, 'chain');
    const sms = twilio.last();
    const code = codeIn(sms.form.get('Body') ?? '');
    assert.match(code, /^\d{6}$/);
    assert.ok(Number(sms.form.get('ValidityPeriod')) <= 300, 'the carrier keeps it no longer than the code lives');
    assert.equal((await twilio.report(sms, { MessageStatus: 'undelivered', ErrorCode: '30008' })).status, 204);
    await whole.box.settle();
    const call = twilio.last();
    assert.match(call.sid, /^CA/);
    assert.ok(!call.form.has('Twiml'), 'the code is not in what the vendor logs');
    const played = await twilio.play(call, { presses: ['1'] });
    assert.deepEqual(played.faults, []);
    assert.ok(
      played.said
        .map(({ text }) => text.replace(/\D/g, ''))
        .join(' ')
        .includes(code),
      'the same code is spoken',
    );
    await whole.box.settle();
    const verified = await whole.application.verify(id, code);
    assert.equal(verified.body.verified, true, JSON.stringify(verified.body));
    const story = await whole.story(id);
    assert.deepEqual(
      story.steps.map(({ channel, state }) => [channel, state]),
      [
        ['whatsapp', 'rejected'],
        ['sms', 'undelivered'],
        ['voice', 'delivered'],
      ],
    );
    assert.deepEqual(
      story.attempts.map(({ provider, outcome, receipt, cost }) => [provider, outcome, receipt?.state, cost.amount]),
      [
        ['meta', 'refused', undefined, 0],
        ['twilio-sms', 'accepted', 'undelivered', 0.0412],
        ['twilio-voice', 'accepted', 'delivered', 0.0412],
      ],
    );
    assert.equal(story.cost.amount, 0.0824);
    assert.match(story.attempts[0]?.detail ?? '', /131026/);
    assert.match(story.attempts[1]?.route ?? '', /default/i);
    assert.equal(story.explanation.cause, 'The right code was entered.');
    const told = whole.logged();
    for (const secret of [code, to, authToken, graph.settings.access_token]) assert.ok(!told.includes(secret));
  });

  test(`a code that is verified between two steps stops the chain, and the vendor hears that it was used (${engine})`, async () => {
    await using scene = await openScene(engine);
    const { whole, twilio } = scene;
    const id = await whole.send(to);
    const sms = twilio.last();
    assert.equal((await whole.application.verify(id, codeIn(sms.form.get('Body') ?? ''))).body.verified, true);
    await whole.pass(120);
    assert.equal(twilio.held.length, 1, 'no call follows');
    assert.deepEqual((await whole.story(id)).steps.at(-1), { step: 2, channel: 'voice', state: 'cancelled' });
    await whole.box.app.feedback.idle();
    assert.deepEqual(twilio.feedback, [{ sid: sms.sid, outcome: 'confirmed' }]);
  });

  test(`forged, replayed, late and disordered webhooks change no more than they may (${engine})`, async () => {
    await using scene = await openScene(engine);
    const { whole, twilio, graph } = scene;
    const id = await whole.send(to);
    const sms = twilio.last();
    const callback = sms.form.get('StatusCallback') ?? '';
    const before = await whole.box.statusesOf(id, whole.application.id);
    const forged = await fetch(callback.replace(/#.*/, ''), {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': 'AAAA' },
      body: `MessageSid=${sms.sid}&MessageStatus=delivered`,
    });
    assert.ok([401, 403].includes(forged.status), String(forged.status));
    const guessed = callback.replace(/(\/hooks\/[^/]+\/)[^/]+/, '$1guess').replace(/#.*/, '');
    assert.equal((await fetch(guessed, { method: 'POST' })).status, 404);
    assert.deepEqual(await whole.box.statusesOf(id, whole.application.id), before);
    for (const status of ['delivered', 'delivered', 'sent', 'undelivered'])
      assert.equal((await twilio.report(sms, { MessageStatus: status, ErrorCode: '30008' })).status, 204);
    await whole.box.settle();
    assert.deepEqual(await whole.box.statusesOf(id, whole.application.id), [...before, 'delivered(sms)']);
    assert.equal(graph.accepted.length, 0);
  });
}
