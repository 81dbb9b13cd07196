/** Both adapters of Vonage: an SMS account with signed webhooks, and an application that calls. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { callHook, json } from '../../../vonage/fixture.ts';
import { openSmsApi } from '../../../vonage/sms-api/fixture.ts';
import { openVoiceApi, type PhoneCall, signedHook } from '../../../vonage/voice-api/fixture.ts';
import { lastOf, numberBehind, type Vendor } from '../vendor.ts';

const prefix = '4474';
const newAddress = () => ({ to: numberBehind(`${prefix}00`) });
const digitsOf = (to: string): string => to.slice(1);

export async function openSmsVonage(): Promise<Vendor> {
  const signing = { secret: 'signature-secret-one', method: 'sha256' } as const;
  const account = { key: 'abcd1234', secret: 'S3cretS3cretS3cr', signing };
  const api = await openSmsApi(account);
  const receiptsOf = (to: string) => api.owed.filter(({ fields }) => fields['msisdn'] === digitsOf(to));
  return {
    adapter: 'sms-vonage',
    channel: 'sms',
    settings: {
      api_url: api.url,
      conversion_api_url: api.url,
      api_key: account.key,
      api_secret: account.secret,
      from: 'Acme',
      signature_secret: signing.secret,
      signature_method: signing.method,
    },
    secrets: [account.secret, signing.secret],
    prefix,
    next: { channel: 'voice', adapter: 'voice-vonage' },
    newAddress,
    accept: (to) => api.treat(to, {}),
    refuse: (to) => api.treat(to, { statuses: ['7'] }),
    throttle: (to) => api.treat(to, { statuses: ['1'] }),
    hang: (to) => api.treat(to, { reply: 'hang' }),
    refusal: { errorCode: 5019, detail: /status 7\b/, state: 'failed' },
    throttled: { detail: /status 1\b/, waitSeconds: 1 },
    failure: { errorCode: 5018, detail: /err-code 2\b/ },
    // The text of these tests has one part; parts are the matter of the adapter's own tests.
    taken: (to) => receiptsOf(to).map(({ fields }) => fields['messageId'] ?? ''),
    async report(to, kind) {
      const { url, fields } = lastOf(receiptsOf(to));
      const failed = { status: 'failed', 'err-code': '2' };
      const { status } = await api.tell(url, { ...fields, ...(kind === 'failed' && failed) });
      assert.equal(status, 204);
    },
    close: api.close,
  };
}

export async function openVoiceVonage(): Promise<Vendor> {
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const account = {
    applicationId: 'aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab',
    publicKey: keys.publicKey,
    apiKey: 'abcd1234',
    signatureSecret: 'signature-secret-one',
  };
  const api = await openVoiceApi(account);
  const callsTo = (to: string) =>
    api.placed.filter(({ request }) => JSON.stringify(request['to']).includes(digitsOf(to)));
  const eventOf = async ({ uuid, request }: PhoneCall, status: string): Promise<void> => {
    const [url] = request['event_url'] as [string];
    const hook = { method: 'POST', url, headers: { 'content-type': 'application/json' } } as const;
    const reply = await callHook(signedHook({ ...hook, body: JSON.stringify({ uuid, status }) }, account));
    assert.equal(reply.status, 204);
  };
  return {
    adapter: 'voice-vonage',
    channel: 'voice',
    settings: {
      api_url: api.url,
      application_id: account.applicationId,
      private_key: pem,
      from: '+447700900999',
      api_key: account.apiKey,
      signature_secret: account.signatureSecret,
    },
    secrets: [account.signatureSecret, pem.slice(100, 140)],
    prefix,
    next: { channel: 'sms', adapter: 'sms-vonage' },
    newAddress,
    accept: (to) => api.be(to, {}),
    refuse: (to) => api.be(to, { reply: json(403, { type: 'https://developer.nexmo.com/api-errors#low-balance' }) }),
    throttle: (to) => api.be(to, { reply: json(429, { type: 'https://developer.nexmo.com/api-errors#throttled' }) }),
    hang: (to) => api.be(to, { reply: 'hang' }),
    // About one recipient Vonage refuses no call at hand-over, only by its events: what is refused here is the account.
    refusal: { errorCode: 5016, detail: /403 low-balance/, state: 'failed', shuts: true },
    throttled: { detail: /429 throttled/, waitSeconds: 1 },
    failure: { errorCode: 5012, detail: /busy/ },
    taken: (to) => callsTo(to).map(({ uuid }) => uuid),
    async report(to, kind) {
      const call = lastOf(callsTo(to));
      const [eventUrl] = call.request['event_url'] as [string];
      if (kind === 'failed') return eventOf(call, 'busy');
      // A call is heard once; its end may be told again.
      if (call.calls.length > 0) return eventOf(call, 'completed');
      await api.run(eventUrl.replace(/\/event\/.*/, ''));
      assert.deepEqual(call.faults, []);
    },
    close: api.close,
  };
}
