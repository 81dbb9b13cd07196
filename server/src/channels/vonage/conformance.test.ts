import { describeConformance } from '../conformance.ts';
import { openSmsApi } from './sms-api/fixture.ts';
import { smsVonage } from './sms-vonage.ts';

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
