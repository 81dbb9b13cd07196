/** Both adapters of Twilio, each with an account of its own. */
import assert from 'node:assert/strict';
import { accountSid, authToken, openTwilio, type Reaction, type Twilio } from '../../../twilio/fixture.ts';
import { lastOf, numberBehind, type Vendor } from '../vendor.ts';

const prefix = '6591';

/** What messages and calls have in common. */
function commonOf(twilio: Twilio, refusal: number) {
  const error = (status: number, code: number): Reaction => ({ kind: 'error', status, code });
  const heldFor = (to: string) => twilio.held.filter(({ form }) => form.get('To') === to);
  return {
    settings: { api_url: twilio.url, account_sid: accountSid, auth_token: authToken, from: '+15005550006' },
    secrets: [authToken],
    prefix,
    newAddress: () => ({ to: numberBehind(prefix) }),
    accept: (to: string) => twilio.on(to, { kind: 'accept' }),
    refuse: (to: string) => twilio.on(to, error(400, refusal)),
    throttle: (to: string) => twilio.on(to, error(429, 20429)),
    hang: (to: string) => twilio.on(to, { kind: 'hang' }),
    throttled: { detail: /20429/, waitSeconds: 1 },
    heldFor,
    taken: (to: string) => heldFor(to).map(({ sid }) => sid),
    close: () => twilio.close(),
  };
}

export async function openSmsTwilio(): Promise<Vendor> {
  const twilio = await openTwilio();
  const common = commonOf(twilio, 21610);
  return {
    ...common,
    adapter: 'sms-twilio',
    channel: 'sms',
    next: { channel: 'voice', adapter: 'voice-twilio' },
    refusal: { errorCode: 5019, detail: /21610/, state: 'failed' },
    failure: { errorCode: 5018, detail: /30003/ },
    async report(to, kind) {
      const failed = { MessageStatus: 'undelivered', ErrorCode: '30003' };
      const fields = kind === 'failed' ? failed : { MessageStatus: 'delivered' };
      assert.equal((await twilio.report(lastOf(common.heldFor(to)), fields)).status, 204);
    },
  };
}

export async function openVoiceTwilio(): Promise<Vendor> {
  const twilio = await openTwilio();
  const common = commonOf(twilio, 21216);
  return {
    ...common,
    adapter: 'voice-twilio',
    channel: 'voice',
    next: { channel: 'sms', adapter: 'sms-twilio' },
    refusal: { errorCode: 5015, detail: /21216/, state: 'failed' },
    // The end of a call names no number unless Twilio itself failed; then it is one of the table messages have too.
    failure: { errorCode: 5012, detail: /busy/ },
    // A call that has ended without the code being told tells it no more.
    failureIsFinal: true,
    async report(to, kind) {
      const held = lastOf(common.heldFor(to));
      if (kind === 'delivered') await twilio.play(held, { presses: ['1'] });
      const status = kind === 'delivered' ? 'completed' : 'busy';
      assert.equal((await twilio.report(held, { CallStatus: status })).status, 204);
    },
  };
}
