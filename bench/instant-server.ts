/**
 * The product with an SMS upstream inside the process that accepts at once and reports delivered soon after, so that the engine alone
 * is measured. Prints `ready ADDRESS`; at SIGUSR2 `statements N`, all SQL statements so far.
 */
import pg from 'pg';
import { z } from 'zod';
import { openApp } from '../server/src/app.ts';
import type { Adapter } from '../server/src/channels/index.ts';
import { readConfig } from '../server/src/config.ts';
import { code } from './product.ts';

const receiptAfterMs = 50;
let handed = 0;
let statements = 0;

const instant: Adapter = {
  id: 'instant',
  title: 'Instant',
  channels: ['sms'],
  settings: z.strictObject({ receipts: z.boolean().default(true) }),
  limits: { maxConcurrency: 1_000, idempotent: false },
  open(settings, ports) {
    const { receipts } = settings as { receipts: boolean };
    return {
      async send() {
        const upstreamId = `${process.pid}-${++handed}`;
        const report = (): void => void ports.onReceipt({ upstreamId, outcome: { kind: 'delivered' } });
        if (receipts) setTimeout(report, receiptAfterMs);
        return { kind: 'accepted', upstreamId };
      },
      async close() {},
    };
  },
};

const query = pg.Client.prototype.query;
pg.Client.prototype.query = function (this: pg.Client, ...given: never[]) {
  statements++;
  return Reflect.apply(query, this, given);
} as typeof query;

const app = await openApp(readConfig(process.env), { drawCode: () => code, adapters: [instant] });
process.on('SIGUSR2', () => process.stdout.write(`statements ${statements}\n`));
process.once('SIGTERM', () => {
  void app.stop().then(() => process.exit(0));
});
process.stdout.write(`ready ${await app.start()}\n`);
