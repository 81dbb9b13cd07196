import { generateKeyPairSync } from 'node:crypto';
import { describeConformance } from '../conformance.ts';
import { json } from './fixture.ts';
import { openSmsApi } from './sms-api/fixture.ts';
import { smsVonage } from './sms-vonage.ts';
import { openVoiceApi } from './voice-api/fixture.ts';
import { voiceVonage } from './voice-vonage.ts';

describeConformance('sms-vonage', async () => {
  const signing = { secret: 'signature-secret-one', method: 'sha256' } as const;
  const account = { key: 'abcd1234', secret: 'S3cretS3cretS3cr', signing };
  const api = await openSmsApi(account);
  api.treat('+447700900002', { statuses: ['6'] });
  api.treat('+447700900003', { reply: 'hang' });
  api.treat('+447700900004', { times: 2 });
  const settings = {
    api_url: api.url,
    conversion_api_url: api.url,
    api_key: account.key,
    api_secret: account.secret,
    from: 'Acme',
    signature_secret: signing.secret,
    signature_method: signing.method,
  };
  const { api_secret: _, ...withoutSecret } = settings;
  return {
    adapter: smsVonage,
    settings,
    badSettings: [
      null,
      {},
      withoutSecret,
      { ...settings, api_url: 'rest.nexmo.com' },
      { ...settings, from: '' },
      { ...settings, signature_method: 'rot13' },
      { ...settings, color: 'red' },
      { ...settings, signature_secret: undefined, require_signature: true },
      { ...settings, code_map: { 7: { reason: 'funds', temporary: false } } },
      { ...settings, code_map: { 'status:7': { reason: 'bad luck', temporary: false } } },
    ],
    secrets: [account.secret, signing.secret],
    channel: 'sms',
    accepted: '+447700900001',
    refused: '+447700900002',
    silent: '+447700900003',
    receiptedTwice: '+447700900004',
    whenSilent: api.whenHanging,
    async reportReceipts(hookUrl) {
      await api.report(hookUrl);
    },
    close: api.close,
  };
});

describeConformance('voice-vonage', async () => {
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const account = {
    applicationId: 'aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab',
    publicKey: keys.publicKey,
    apiKey: 'abcd1234',
    signatureSecret: 'signature-secret-one',
  };
  const api = await openVoiceApi(account);
  api.be('+447700900002', { reply: json(403, { type: 'https://developer.nexmo.com/api-errors#low-balance' }) });
  api.be('+447700900003', { reply: 'hang' });
  api.be('+447700900004', { twice: true });
  const pem = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const settings = {
    api_url: api.url,
    application_id: account.applicationId,
    private_key: pem,
    from: '+447700900999',
    api_key: account.apiKey,
    signature_secret: account.signatureSecret,
  };
  const { api_key: _, ...withoutKey } = settings;
  return {
    adapter: voiceVonage,
    settings,
    badSettings: [
      null,
      {},
      withoutKey,
      { ...settings, application_id: 'my application' },
      { ...settings, private_key: 'private.key' },
      { ...settings, private_key: generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) },
      { ...settings, from: 'Acme' },
      { ...settings, ringing_timer: 121 },
      { ...settings, color: 'red' },
      { ...settings, signature_secret: undefined, require_signature: true },
      { ...settings, code_map: { busy: { reason: 'funds', temporary: false } } },
    ],
    secrets: [pem, account.signatureSecret],
    channel: 'voice',
    accepted: '+447700900001',
    refused: '+447700900002',
    silent: '+447700900003',
    receiptedTwice: '+447700900004',
    whenSilent: api.whenHanging,
    reportReceipts: api.run,
    close: api.close,
  };
});
