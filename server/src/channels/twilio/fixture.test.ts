import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTwiml } from './emulated-call.ts';
import { callFault, feedbackFault, messageFault } from './emulated-rules.ts';
import { sign } from './emulated-webhook.ts';
import { accountSid, authToken, openTwilio, senders } from './fixture.ts';

const message = { To: '+6591234567', From: '+15005550006', Body: 'x' };
const call = { To: '+6591234567', From: '+15005550006', Url: 'https://otp.example.com/a' };

test('the emulator refuses messages Twilio would refuse', () => {
  const faultOf = (fields: object): number | null =>
    messageFault(new URLSearchParams({ ...message, ...fields }), senders);
  assert.equal(faultOf({}), null);
  for (const [fields, code] of [
    [{ To: '' }, 21604],
    [{ To: '6591234567' }, 21211],
    [{ Body: '' }, 21602],
    [{ Body: 'x'.repeat(1_601) }, 21617],
    [{ From: '' }, 21603],
    [{ From: '+15005550099' }, 21606],
    [{ From: '', MessagingServiceSid: `MG${'9'.repeat(32)}` }, 21705],
    [{ StatusCallback: 'https://my_host.example/a' }, 21609],
    [{ StatusCallback: 'https://host.example/a#rc=9' }, 21609],
    [{ StatusCallback: 'https://host.example/a#rp=sometimes' }, 21609],
    [{ ValidityPeriod: '0' }, 20001],
    [{ ValidityPeriod: '36001' }, 20001],
    [{ ProvideFeedback: 'yes' }, 20001],
    [{ Reference: '1' }, 20001],
  ] as const)
    assert.equal(faultOf(fields), code, JSON.stringify(fields).slice(0, 80));
});

test('the emulator refuses calls and feedback Twilio would refuse', () => {
  const faultOf = (fields: object): number | null => callFault(new URLSearchParams({ ...call, ...fields }), senders);
  assert.equal(faultOf({}), null);
  assert.equal(faultOf({ Twiml: '<Response/>' }), 21205);
  assert.equal(faultOf({ Url: 'ftp://host.example' }), 21205);
  assert.equal(faultOf({ From: '+15005550099' }), 21210);
  assert.equal(faultOf({ Timeout: '601' }), 20001);
  assert.equal(faultOf({ StatusCallbackEvent: 'answering' }), 20001);
  const events = new URLSearchParams({ ...call, StatusCallbackEvent: 'answered' });
  events.append('StatusCallbackEvent', 'completed');
  assert.equal(callFault(events, senders), null);
  assert.equal(feedbackFault(new URLSearchParams({ Outcome: 'fine' })), 20001);
});

test('the emulator refuses requests by address, encoding and credentials', async () => {
  const twilio = await openTwilio();
  const authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`;
  const good = { authorization, 'content-type': 'application/x-www-form-urlencoded' };
  const path = `/2010-04-01/Accounts/${accountSid}/Messages.json`;
  const body = new URLSearchParams(message).toString();
  const statusOf = async (at: string, headers: Record<string, string>, method = 'POST'): Promise<number> => {
    const answer = await fetch(twilio.url + at, { method, headers, ...(method === 'POST' && { body }) });
    await answer.arrayBuffer();
    return answer.status;
  };
  assert.equal(await statusOf(path, good), 201);
  assert.equal(await statusOf(path, { ...good, authorization: 'Basic eDp5' }), 401);
  assert.equal(await statusOf(path, { ...good, 'content-type': 'application/json' }), 400);
  assert.equal(await statusOf(path, good, 'GET'), 405);
  assert.equal(await statusOf(path.replace(accountSid, 'AC0'), good), 404);
  assert.equal(await statusOf(path.replace('Messages', 'Message'), good), 404);
  await twilio.close();
});

test('the emulator signs as the golden values say', () => {
  const pairs: [string, string][] = [
    ['To', '+15005550006'],
    ['MessageStatus', 'delivered'],
    ['MessageSid', 'SM00000000000000000000000000000001'],
    ['AccountSid', 'AC00000000000000000000000000000001'],
    ['From', '+15005550001'],
  ];
  assert.equal(sign('12345', 'https://otp.example.com/in/twilio?v=1', pairs), 'VvPzKXic6UAwT2PadwtcGqnlVu8=');
});

test('the emulator speaks no document that is not TwiML', () => {
  parseTwiml('<Response><Say language="en-US">A &amp; B</Say><Hangup/></Response>');
  for (const bad of [
    '',
    'Hello',
    '<Response>',
    '<Say>x</Say>',
    '<Response><Say>x</Response></Say>',
    '<Response><Speak>x</Speak></Response>',
    '<Response><Say lang="en">x</Say></Response>',
    '<Response><Say>A & B</Say></Response>',
    '<Response><Say>&nbsp;</Say></Response>',
    '<Response><Say>1 < 2</Say></Response>',
    '<Response/><Response/>',
  ])
    assert.throws(() => parseTwiml(bad), bad);
});
