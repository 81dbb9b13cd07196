import { describeConformance } from '../conformance.ts';
import type { Answering } from './emulated-call.ts';
import { accountSid, apiKey, apiKeySecret, authToken, type Held, openTwilio, type Twilio } from './fixture.ts';
import { smsTwilio } from './sms-twilio.ts';
import { voiceTwilio } from './voice-twilio.ts';

const accepted = '+6590000000';
const refused = '+6590000001';
const silent = '+6590000002';
const receiptedTwice = '+6590000003';
const addresses = { accepted, refused, silent, receiptedTwice };

const account = { account_sid: accountSid, auth_token: authToken, from: '+15005550006' };
const keyed = { api_key: apiKey, api_key_secret: apiKeySecret };

async function openMisbehaving(code: number): Promise<Twilio> {
  const twilio = await openTwilio();
  twilio.on(refused, { kind: 'error', status: 400, code });
  twilio.on(silent, { kind: 'hang' });
  return twilio;
}

/** Reports what is owed to webhooks under `hookUrl`, and again what was not taken. */
function reporting(twilio: Twilio, prepare: (held: Held) => Promise<void>, final: Readonly<Record<string, string>>) {
  const owed = new Map<Held, number>();
  return async (hookUrl: string): Promise<void> => {
    for (const held of twilio.held) {
      if (!held.form.get('StatusCallback')?.startsWith(hookUrl)) continue;
      if (!owed.has(held)) {
        owed.set(held, held.form.get('To') === receiptedTwice ? 2 : 1);
        await prepare(held);
      }
      const left = owed.get(held) ?? 0;
      if (left === 0) continue;
      const { status } = await twilio.report(held, final);
      if (status < 300) owed.set(held, left - 1);
    }
  };
}

describeConformance('Twilio SMS', async () => {
  const twilio = await openMisbehaving(21211);
  const settings = { ...account, ...keyed, api_url: twilio.url };
  return {
    adapter: smsTwilio,
    settings,
    badSettings: [
      null,
      {},
      { ...settings, account_sid: 'AC1' },
      { ...settings, auth_token: '' },
      { ...settings, api_key_secret: undefined },
      { ...settings, messaging_service_sid: `MG${'0'.repeat(32)}` },
      { ...settings, from: undefined },
      { ...settings, from: 'much too long a name' },
      { ...settings, api_url: 'ftp://api.twilio.com' },
      { ...settings, code_map: { many: { reason: 'funds' } } },
      { ...settings, password: 'x' },
    ],
    secrets: [authToken, apiKeySecret],
    channel: 'sms',
    ...addresses,
    whenSilent: twilio.whenHanging,
    reportReceipts: reporting(twilio, async () => undefined, { MessageStatus: 'delivered' }),
    close: twilio.close,
  };
});

describeConformance('Twilio Voice', async () => {
  const twilio = await openMisbehaving(21217);
  const settings = { ...account, api_url: twilio.url };
  const listener: Answering = { presses: ['1'] };
  return {
    adapter: voiceTwilio,
    settings,
    badSettings: [
      null,
      {},
      { ...settings, from: 'Acme' },
      { ...settings, from: undefined },
      { ...settings, ring_seconds: 3 },
      { ...settings, voices: { 'en-US': '<Polly>' } },
      { ...settings, api_key: apiKey },
    ],
    secrets: [authToken],
    channel: 'voice',
    ...addresses,
    whenSilent: twilio.whenHanging,
    reportReceipts: reporting(twilio, async (held) => void (await twilio.play(held, listener)), {
      CallStatus: 'completed',
    }),
    close: twilio.close,
  };
});
