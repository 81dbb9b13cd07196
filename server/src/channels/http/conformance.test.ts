/** Both adapters with both worked examples of their setup pages, over the emulated gateway. */
import { describeConformance } from '../conformance.ts';
import type { Adapter } from '../contract.ts';
import { account, openGatewayFixture } from './fixture.ts';
import { exampleOf } from './fixtures.ts';
import { smsHttp } from './sms-http.ts';
import { voiceHttp } from './voice-http.ts';

const subjects: [adapter: Adapter, example: 'json' | 'text', refusal: string][] = [
  [smsHttp, 'json', 'BAD_NUMBER'],
  [smsHttp, 'text', '105'],
  [voiceHttp, 'json', 'BAD_NUMBER'],
  [voiceHttp, 'text', '105'],
];

for (const [adapter, example, refusal] of subjects)
  describeConformance(`${adapter.id}, ${example} gateway`, async () => {
    const gateway = await openGatewayFixture();
    gateway.behave('+6591230002', { error: refusal });
    gateway.behave('+6591230003', 'hang');
    gateway.willReport('+6591230004', { times: 2 });
    const settings = exampleOf(adapter.id, example, gateway.url);
    return {
      adapter,
      settings,
      badSettings: [
        null,
        {},
        { ...settings, unknown_setting: 1 },
        { ...settings, url: 'https://{{to}}.example/' },
        { ...settings, id: { pointer: 'id' } },
        { ...settings, id: {} },
      ],
      secrets: Object.values(account),
      channel: adapter.channels[0] ?? 'sms',
      accepted: '+6591230001',
      refused: '+6591230002',
      silent: '+6591230003',
      receiptedTwice: '+6591230004',
      whenSilent: () => gateway.whenHanging(),
      reportReceipts: (hookUrl) => gateway.report(hookUrl),
      close: () => gateway.close(),
    };
  });
