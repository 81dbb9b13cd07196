import { describeConformance } from '../channels/conformance.ts';
import { engines, openTestDatabase } from '../testing/database.ts';
import { keyring, noWebhooks, onSms } from './fixture.ts';
import { createSandbox } from './sandbox.ts';

for (const engine of engines) {
  describeConformance(`virtual phone network (${engine})`, async (log) => {
    const { db, clock, close } = await openTestDatabase(engine, 1);
    const sandbox = createSandbox({ db, clock, keyring, log, webhooks: noWebhooks });
    await sandbox.scriptRecipient('42', '+6590000001', onSms({ handOver: 'refuse', receipt: 'none' }));
    await sandbox.scriptRecipient('42', '+6590000002', onSms({ handOver: 'no_answer', receipt: 'none' }));
    await sandbox.scriptRecipient('42', '+6590000003', onSms({ receiptTimes: 2 }));
    return {
      adapter: sandbox.adapter,
      settings: {},
      badSettings: [null, 'virtual', { url: 'https://example.com' }],
      secrets: [],
      channel: 'sms',
      accepted: '+6590000000',
      refused: '+6590000001',
      silent: '+6590000002',
      receiptedTwice: '+6590000003',
      async reportReceipts() {
        await clock.travel(120_000);
        await sandbox.runUntilIdle();
      },
      async close() {
        await sandbox.stop();
        await close();
      },
    };
  });
}
