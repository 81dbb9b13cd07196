import { describeConformance } from '../conformance.ts';
import { openGraphEmulator, secrets } from './fixture.ts';
import { whatsappCloud } from './whatsapp-cloud.ts';

describeConformance('WhatsApp Cloud API', async () => {
  const meta = await openGraphEmulator();
  meta.approve(['en']);
  meta.behave('+6590000001', { refuse: 131026 });
  meta.behave('+6590000002', 'silent');
  meta.plan('+6590000003', ['sent', 'delivered'], 2);
  const { settings } = meta;
  const { access_token: _, ...withoutToken } = settings;
  return {
    adapter: whatsappCloud,
    settings,
    badSettings: [
      {},
      withoutToken,
      { ...settings, phone_number_id: '+15550783881' },
      { ...settings, api_version: '24' },
      { ...settings, button: 'one_tap' },
      { ...settings, code_map: { 131026: { reason: 'no_such_reason', temporary: false } } },
      { ...settings, another_field: true },
    ],
    secrets: Object.values(secrets),
    channel: 'whatsapp',
    accepted: '+6590000000',
    refused: '+6590000001',
    silent: '+6590000002',
    receiptedTwice: '+6590000003',
    whenSilent: meta.whenSilent,
    async reportReceipts(hookUrl) {
      await meta.report(hookUrl);
    },
    close: meta.close,
  };
});
