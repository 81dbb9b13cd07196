/** For tests that pay: a carrier with prices at the outside edge, applications that send by it. */
import { z } from 'zod';
import type { Adapter, OutgoingMessage, Receipt, SendOutcome } from '../channels/index.ts';
import type { TestApp, TestReply } from './app.ts';
import { bodyOf, openApplication, type TestApplication } from './application.ts';

export const smsMicros = 100_000;
export const whatsappMicros = 30_000;

export type Answer = (message: OutgoingMessage) => SendOutcome | Promise<SendOutcome>;

const accepts: Answer = ({ messageId, attempt }) => ({ kind: 'accepted', upstreamId: `${messageId}-${attempt}` });
export const refuses: Answer = () => ({
  kind: 'refused',
  temporary: false,
  reason: 'unreachable',
  errorCode: 5012,
  detail: 'out of reach',
});

/** Answers as told, by address; every adapter of it is opened once per node. */
export class PricedCarrier {
  readonly answers = new Map<string, Answer>();
  /** Accepted once the gate opens. */
  hold(about: string, gate: Promise<void>): void {
    this.answers.set(about, (message) => gate.then(() => accepts(message)));
  }

  private report: ((receipt: Receipt) => Promise<boolean>) | undefined;

  adapter(): Adapter {
    const adapter: Adapter<Record<string, never>> = {
      id: 'priced',
      title: 'Carrier with prices',
      channels: ['sms', 'whatsapp'],
      settings: z.strictObject({}),
      limits: { maxConcurrency: 1_000, idempotent: false },
      open: (_settings, ports) => {
        this.report = ports.onReceipt;
        return {
          send: async (message) => (this.answers.get(`${message.channel} ${message.to}`) ?? accepts)(message),
          close: async () => undefined,
        };
      },
    };
    return adapter as Adapter;
  }

  async delivered(messageId: string, attempt: number): Promise<void> {
    await this.report?.({ upstreamId: `${messageId}-${attempt}`, outcome: { kind: 'delivered' } });
  }

  async undelivered(messageId: string, attempt: number): Promise<void> {
    const outcome = { kind: 'undelivered', reason: 'unreachable', errorCode: 5018, detail: 'off' } as const;
    await this.report?.({ upstreamId: `${messageId}-${attempt}`, outcome });
  }
}

export interface Payer extends TestApplication {
  organizationId: string;
  balance(): Promise<{ balance: number; reserved: number; threshold: number; mode: string }>;
  pay(micros: number): Promise<TestReply>;
  budget(body: Record<string, unknown>): Promise<{ id: string; spent_micros: number }>;
  budgets(): Promise<{ id: string; spent_micros: number }[]>;
}

/** The provider and its prices, once per app. */
export async function openCarrier(box: TestApp): Promise<void> {
  const operate = async (path: string, body: object) => bodyOf(await box.operator({ path: `/admin/v1/${path}`, body }));
  await operate('providers', { id: 'priced', adapter: 'priced', title: 'Priced', settings: {} });
  for (const [channel, price] of [
    ['sms', smsMicros],
    ['whatsapp', whatsappMicros],
  ])
    await operate('routes', { channel, entries: [{ provider: 'priced', priority: 1, price_micros: price }] });
}

/** An application on that carrier; `prepaid` with so much paid, or unlimited. */
export async function openPayer(box: TestApp, paidMicros: number | null): Promise<Payer> {
  const application = await openApplication(box, {
    network: 'live',
    policy: { resend_policy: { mode: 'rotate', resend_after: 0 }, request_rate: 10_000_000 },
    templates: [{}, { template_id: 'chain', send_channel_strategy: 'whatsapp|sms' }],
  });
  const found = await box.app.accounts.application(application.id);
  const organizationId = found?.organizationId ?? '';
  const path = `/admin/v1/organizations/${organizationId}/balance`;
  const budgets = `/admin/v1/applications/${application.id}/budgets`;
  const payer: Payer = {
    ...application,
    organizationId,
    balance: async () => bodyOf(await application.call({ path: '/v1/balance' })),
    pay: (micros) => box.operator({ path: `${path}/top-ups`, body: { amount: micros } }),
    budget: async (body) => bodyOf(await box.operator({ path: budgets, body })),
    budgets: async () => bodyOf(await box.operator({ path: budgets })).budgets,
  };
  if (paidMicros !== null) {
    bodyOf(await box.operator({ path, method: 'PATCH', body: { mode: 'prepaid' } }));
    if (paidMicros > 0) bodyOf(await payer.pay(paidMicros));
  }
  return payer;
}
