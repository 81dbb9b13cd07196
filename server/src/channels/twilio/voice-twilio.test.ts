import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Receipt } from '../contract.ts';
import { undelivered } from '../outcome.ts';
import { writeToken } from './call-token.ts';
import { authToken, type Bench, type Held, openBench, outgoing } from './fixture.ts';
import { voiceTwilio } from './voice-twilio.ts';

const open = (settings?: object, onReceipt?: (receipt: Receipt) => Promise<boolean>): Promise<Bench> =>
  openBench(voiceTwilio, settings, onReceipt);

/** An accepted call, ready to be answered. */
async function called(bench: Bench, other?: Parameters<Bench['send']>[0]): Promise<Held> {
  const outcome = await bench.send({ channel: 'voice', ...other });
  assert.equal(outcome.kind, 'accepted');
  return bench.twilio.last();
}

const ended = async ({ twilio }: Bench, call: Held, CallStatus = 'completed', more = {}): Promise<number> =>
  (await twilio.report(call, { CallStatus, ...more })).status;

const spelled = '4, 8, 2, 9, 1, 3';
const saidIn = (said: readonly { text: string }[]): string => said.map(({ text }) => text).join(' | ');
const unreachable = (detail: string) => undelivered('unreachable', detail);

test('a hand-over holds addresses and limits, and neither text nor code', async () => {
  await using bench = await open({ ring_seconds: 40 });
  const { sid, form } = await called(bench);
  const { Url = '', ...rest } = Object.fromEntries(form);
  assert.deepEqual(rest, {
    To: '+6591234567',
    From: '+15005550006',
    Method: 'POST',
    StatusCallback: `${bench.ports.hookUrl('/status')}?reference=2072832692843446272-1-0#rc=5&rp=all`,
    StatusCallbackMethod: 'POST',
    StatusCallbackEvent: 'completed',
    Timeout: '40',
    TimeLimit: '120',
    MachineDetection: 'Enable',
  });
  assert.ok(Url.startsWith(bench.ports.hookUrl('/call/ask/')));
  const [payload = ''] = Url.slice(bench.ports.hookUrl('/call/ask/').length).split('.');
  const readable = `${Buffer.from(payload, 'base64url')}`;
  for (const secret of ['482913', '6591234567', 'Acme']) assert.ok(!readable.includes(secret));
  assert.match(sid, /^CA/);
});

test('it rings no longer than the code lives, with the caller id of the route', async () => {
  await using bench = await open({ machine_detection: false });
  const { form } = await called(bench, { expiresAtMs: Date.now() + 12_500, sender: '+15005550007' });
  assert.deepEqual([form.get('Timeout'), form.get('From'), form.get('MachineDetection')], ['12', '+15005550007', null]);
});

test('an expired code makes no call', async () => {
  await using bench = await open();
  const outcome = await bench.send({ expiresAtMs: Date.now() });
  assert.ok(outcome.kind === 'refused' && !outcome.temporary && outcome.reason === 'expired');
  assert.equal(bench.twilio.held.length, 0);
});

for (const [code, reason] of [
  [21214, 'number_invalid'],
  [21217, 'number_invalid'],
  [21215, 'geo_denied'],
  [21216, 'carrier_filtered'],
  [21210, 'sender_invalid'],
] as const) {
  test(`error ${code} at the hand-over is ${reason}`, async () => {
    await using bench = await open();
    bench.twilio.on('+6591234567', { kind: 'error', status: 400, code });
    const outcome = await bench.send();
    assert.ok(outcome.kind === 'refused' && outcome.reason === reason);
  });
}

test('who presses the key hears the code three times, and the call is delivered once', async () => {
  await using bench = await open();
  const call = await called(bench);
  const { said, documents, faults } = await bench.twilio.play(call, { presses: ['1'] });
  assert.deepEqual(faults, []);
  assert.equal(documents.length, 2);
  for (const secret of ['482913', spelled, 'Acme']) assert.ok(!documents[0]?.includes(secret));
  assert.equal(
    saidIn(said),
    'Press 1 to hear your code. | Press 1 to hear your code. | ' +
      `${spelled} is your Acme verification code. | Once again: ${spelled} | Once again: ${spelled} | Goodbye.`,
  );
  const receipt = { upstreamId: call.sid, reference: '2072832692843446272-1-0', outcome: { kind: 'delivered' } };
  assert.deepEqual(bench.ports.receipts, [receipt]);
  assert.deepEqual([await ended(bench, call), await ended(bench, call)], [204, 204]);
  assert.deepEqual(bench.ports.receipts, [receipt]);
});

test('who presses nothing hears no code, and the call is not delivered', async () => {
  await using bench = await open();
  const call = await called(bench);
  const { said, documents } = await bench.twilio.play(call, {});
  assert.equal(documents.length, 1);
  assert.equal(saidIn(said), 'Press 1 to hear your code. | Press 1 to hear your code.');
  assert.equal(await ended(bench, call), 204);
  assert.deepEqual(
    bench.ports.receipts.map(({ outcome }) => outcome),
    [unreachable('nobody pressed the key to hear the code')],
  );
});

test('another key is asked again', async () => {
  await using bench = await open();
  const call = await called(bench);
  const { said, faults } = await bench.twilio.play(call, { presses: ['7', '#', '1'] });
  assert.deepEqual(faults, []);
  assert.equal(said.filter(({ text }) => text.startsWith('Press 1')).length, 6);
  assert.equal(said.filter(({ text }) => text.includes(spelled)).length, 3);
});

for (const answeredBy of ['machine_start', 'machine_end_beep', 'fax']) {
  test(`nothing is said to ${answeredBy}, whatever keys it sends`, async () => {
    await using bench = await open();
    const call = await called(bench);
    const { said, faults } = await bench.twilio.play(call, { answeredBy, presses: ['1'] });
    assert.deepEqual([said, faults], [[], []]);
    assert.equal(await ended(bench, call, 'completed', { AnsweredBy: answeredBy }), 204);
    assert.deepEqual(bench.ports.receipts[0]?.outcome, unreachable('a machine answered the call'));
  });
}

for (const [status, more, outcome] of [
  ['busy', {}, unreachable('the line was busy')],
  ['no-answer', {}, unreachable('nobody answered the call')],
  ['canceled', {}, undelivered('expired', 'the call was cancelled before it was answered')],
  ['failed', {}, unreachable('the call could not be put through')],
  ['failed', { ErrorCode: '21217' }, undelivered('number_invalid', 'Twilio 21217: the number is not valid')],
] as const) {
  test(`a call that ends as ${status} ${Object.values(more)} is ${outcome.reason}`, async () => {
    await using bench = await open();
    const call = await called(bench);
    assert.equal(await ended(bench, call, status, more), 204);
    assert.deepEqual(bench.ports.receipts, [{ upstreamId: call.sid, reference: '2072832692843446272-1-0', outcome }]);
  });
}

test('states on the way have no effect, garbage is refused', async () => {
  await using bench = await open();
  const call = await called(bench);
  for (const state of ['queued', 'initiated', 'ringing', 'in-progress', ''])
    assert.equal(await ended(bench, call, state), 204);
  const post = async (path: string, fields: [string, string][]): Promise<number> =>
    (await bench.twilio.webhook(bench.ports.hookUrl(path), fields)).status;
  assert.equal(await post('/status', [['CallStatus', 'busy']]), 400);
  assert.equal(await post('/call/ask/', [['CallSid', call.sid]]), 404);
  assert.equal(await post('/call/ask/x.y', [['CallSid', call.sid]]), 403);
  assert.equal(await post('/call/ask/', []), 404);
  assert.deepEqual(bench.ports.receipts, []);
});

test('a failure is reported until it is taken, and stays the same failure', async () => {
  const seen: Receipt['outcome'][] = [];
  const answers = [() => false, (): boolean => assert.fail('the ledger is away'), () => false, () => true];
  await using bench = await open({}, async ({ outcome }) => {
    seen.push(outcome);
    return (answers.shift() ?? (() => true))();
  });
  const call = await called(bench);
  await bench.twilio.play(call, {});
  const statuses: number[] = [];
  for (let round = 0; round < 4; round++) statuses.push(await ended(bench, call));
  assert.deepEqual(statuses, [503, 503, 503, 204]);
  assert.deepEqual(new Set(seen.map(({ kind }) => kind)), new Set(['undelivered']));
});

test('a delivery that could not be taken while the code was spoken is reported when the call has ended', async () => {
  const seen: Receipt['outcome'][] = [];
  const answers = [(): boolean => assert.fail('the ledger is away'), () => false, () => true];
  await using bench = await open({}, async ({ outcome }) => {
    seen.push(outcome);
    return (answers.shift() ?? (() => true))();
  });
  const call = await called(bench);
  const { said, faults } = await bench.twilio.play(call, { presses: ['1'] });
  assert.deepEqual(faults, []);
  assert.ok(saidIn(said).includes(spelled));
  assert.deepEqual([await ended(bench, call), await ended(bench, call)], [503, 204]);
  assert.deepEqual(seen, [{ kind: 'delivered' }, { kind: 'delivered' }, { kind: 'delivered' }]);
});

test('another node, or the same after a restart, knows that the code was told', async () => {
  await using bench = await open();
  const call = await called(bench);
  await bench.twilio.play(call, { presses: ['1'] });
  await bench.upstream.close();
  const settings = { api_url: bench.twilio.url, account_sid: `AC${'0'.repeat(31)}1`, auth_token: authToken };
  bench.ports.serve(
    await voiceTwilio.open(voiceTwilio.settings.parse({ ...settings, from: '+15005550006' }), bench.ports),
  );
  assert.equal(await ended(bench, call), 204);
  assert.deepEqual(
    bench.ports.receipts.map(({ outcome }) => outcome.kind),
    ['delivered'],
  );
});

test('the code is given out once: the same addresses asked again are silent', async () => {
  await using bench = await open();
  const call = await called(bench);
  const { asked } = await bench.twilio.play(call, { presses: ['1'] });
  const again = await bench.twilio.play(call, { presses: ['1'] });
  assert.deepEqual(again.said, []);
  const [, tell = ''] = asked;
  const answer = await bench.twilio.webhook(tell, Object.entries({ CallSid: call.sid, Digits: '1' }));
  assert.ok(answer.status === 200 && !answer.body.includes('Say'));
  assert.equal(bench.ports.receipts.length, 1);
});

test('once the end of a call was reported, its code is not told any more', async () => {
  await using bench = await open();
  const call = await called(bench);
  const { documents } = await bench.twilio.play(call, {});
  const [, tell = ''] = /action="([^"]+)"/.exec(documents[0] ?? '') ?? [];
  assert.equal(await ended(bench, call), 204);
  const answer = await bench.twilio.webhook(tell, Object.entries({ CallSid: call.sid, Digits: '1' }));
  assert.ok(answer.status === 200 && !answer.body.includes('Say'));
  assert.deepEqual(
    bench.ports.receipts.map(({ outcome }) => outcome.kind),
    ['undelivered'],
  );
});

test('a code that is gone when the phone is answered is told as gone, in the language of the text', async () => {
  await using bench = await open();
  const call = await called(bench, { content: { text: '482913 es tu clave de Acme.', language: 'es' } });
  bench.ports.sent.clear();
  const { said, faults } = await bench.twilio.play(call, { presses: ['1'] });
  assert.deepEqual(faults, []);
  assert.deepEqual(said, [{ text: 'Este código ya no es válido. Adiós.', language: 'es-ES' }]);
  await ended(bench, call);
  assert.equal(bench.ports.receipts[0]?.outcome.kind, 'undelivered');
});

test('addresses serve their own purpose, call and time only', async () => {
  await using bench = await open();
  const call = await called(bench);
  const { asked } = await bench.twilio.play(call, { presses: ['7'] });
  const [ask = '', tell = ''] = asked;
  const post = async (url: string, fields: Record<string, string>) =>
    bench.twilio.webhook(url, Object.entries({ CallSid: call.sid, Digits: '1', ...fields }));
  assert.equal((await post(ask.replace('/ask/', '/tell/'), {})).status, 403);
  assert.equal((await post(tell.replace('/tell/', '/ask/'), {})).status, 403);
  assert.equal((await post(tell, { CallSid: `CA${'0'.repeat(32)}` })).status, 403);
  assert.equal((await post(`${tell}x`, {})).status, 403);
  const { reference, applicationId, messageId, attempt } = outgoing();
  const over = {
    applicationId,
    messageId,
    attempt,
    reference,
    language: 'en',
    call: call.sid,
    expiresAtMs: Date.now(),
  };
  for (const purpose of ['ask', 'tell'] as const) {
    const url = bench.ports.hookUrl(`/call/${purpose}/${writeToken(bench.ports, purpose, over)}`);
    assert.match((await post(url, {})).body, /no longer valid/);
  }
  assert.deepEqual(bench.ports.receipts, []);
});

test('requests during a call and about its end are nothing without a signature', async () => {
  await using bench = await open();
  const call = await called(bench);
  const { asked } = await bench.twilio.play(call, { presses: ['7'] });
  const fields = Object.entries({ CallSid: call.sid, Digits: '1', CallStatus: 'busy' });
  for (const url of [...asked, call.form.get('StatusCallback') ?? ''])
    for (const options of [{ signature: null }, { signedWith: 'guessed' }, { signedUrl: bench.ports.hookUrl('') }]) {
      const answer = await bench.twilio.webhook(url, fields, options);
      assert.deepEqual([answer.status, answer.body], [403, '']);
    }
  assert.deepEqual(bench.ports.receipts, []);
});

for (const [language, twilio, prompt] of [
  ['default', 'en-US', 'Press 1'],
  ['en', 'en-US', 'Press 1'],
  ['es', 'es-ES', 'Pulse 1'],
  ['zh_CN', 'cmn-CN', '请按 1'],
  ['zh_HK', 'yue-HK', '請按 1'],
  ['ja', 'ja-JP', '1 を押して'],
  ['th', 'th-TH', 'กด 1'],
  ['fr', 'fr', 'Press 1'],
] as const) {
  test(`${language} is spoken by a voice of ${twilio}`, async () => {
    await using bench = await open();
    const call = await called(bench, { content: { text: `<482913> & "Acme"`, language } });
    const { said, faults } = await bench.twilio.play(call, { presses: ['1'] });
    assert.deepEqual(faults, []);
    assert.ok(said[0]?.text.includes(prompt));
    assert.deepEqual(said[2], { text: `< ${spelled} > & "Acme"`, language: twilio });
  });
}

test('a voice of the settings speaks, slowed only where it takes SSML', async () => {
  for (const [voice, slowed] of [
    ['Polly.Matthew-Neural', true],
    ['woman', false],
    ['Google.en-US-Chirp3-HD-Aoede', false],
    ['Polly.Danielle-Generative', false],
  ] as const) {
    await using bench = await open({ voices: { 'en-US': voice } });
    const { documents } = await bench.twilio.play(await called(bench), { presses: ['1'] });
    assert.ok(documents.every((document) => document.includes(`voice="${voice}"`)));
    assert.equal(documents[1]?.includes('<prosody rate="90%">'), slowed);
  }
});

test('a text without a code is spoken whole, after the key', async () => {
  await using bench = await open();
  const call = await called(bench, { code: null, content: { text: 'Your order 4711 has left.', language: 'en' } });
  const { said } = await bench.twilio.play(call, { presses: ['1'] });
  assert.equal(saidIn(said.slice(2)), 'Your order 4711 has left. | Once again: Your order 4711 has left. | Goodbye.');
});

test('no code, text or number is logged during a whole call', async () => {
  await using bench = await open({}, async () => assert.fail('the ledger is away'));
  const call = await called(bench);
  await bench.twilio.play(call, { presses: ['1'] });
  await ended(bench, call);
  const text = bench.logged.join('');
  assert.match(text, /waits for its end/);
  for (const secret of ['482913', spelled, 'Acme', '6591234567', authToken]) assert.ok(!text.includes(secret));
});
