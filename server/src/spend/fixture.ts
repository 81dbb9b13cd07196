/** For the tests of this room: a carrier with prices at the outside edge, applications that send by it, and the sums as a witness. */
import assert from 'node:assert/strict';
import { z } from 'zod';
import type { Adapter, OutgoingMessage, Receipt, SendOutcome } from '../channels/index.ts';
import type { Db } from '../platform/db.ts';
import { sql } from '../platform/sql.ts';
import type { TestApp, TestReply } from '../testing/app.ts';
import { bodyOf, openApplication, type TestApplication } from '../testing/application.ts';

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

interface Sums {
  organization_id: string;
  balance: string;
  entries: string;
  reserved: string;
  reservations: string;
}

/** Everything that must add up at any moment, in one snapshot. */
export async function assertAddsUp(db: Db): Promise<void> {
  const rows = await db.query<Sums>(sql`
    select b.organization_id, b.balance_micros as balance, b.reserved_micros as reserved,
      coalesce((select sum(amount_micros) from balance_entries e where e.organization_id = b.organization_id), 0)::bigint as entries,
      coalesce((select sum(micros) from balance_reservations r where r.organization_id = b.organization_id), 0)::bigint as reservations
    from balances b`);
  for (const { organization_id: id, balance, entries, reserved, reservations } of rows) {
    assert.equal(balance, entries, `the balance of ${id} is the sum of its entries`);
    assert.equal(reserved, reservations, `what ${id} has reserved is the sum of its reservations`);
  }
  const counters = await db.query<{ counter_id: string; spent: string; counted: string }>(sql`
    select c.counter_id, c.spent_micros as spent, coalesce((
      select sum(u.open_micros + u.cost_micros) from budget_uses u
      cross join lateral unnest(u.counter_ids, u.period_starts) x(counter_id, period_start)
      where x.counter_id = c.counter_id and x.period_start = c.period_start), 0)::bigint as counted
    from budget_counters c`);
  for (const { counter_id: id, spent, counted } of counters)
    assert.equal(spent, counted, `the budget ${id} has spent what its messages cost`);
}

/** Every accepted attempt of a prepaid organization has one charge, and there is no other charge. */
export async function assertChargedOnce(db: Db): Promise<number> {
  const rows = await db.query<{ message_id: string; cost: string | null; charged: string | null }>(sql`
    select coalesce(a.message_id, e.message_id)::text as message_id, a.cost_micros as cost, -e.amount_micros as charged
    from (
      select t.* from attempts t join applications p on p.id = t.application_id
      join balances b on b.organization_id = p.organization_id and b.mode = 'prepaid'
      where t.outcome = 'accepted' and t.cost_micros > 0
    ) a full join (select * from balance_entries where kind = 'charge') e
      on e.application_id = a.application_id and e.message_id = a.message_id and e.attempt = a.attempt and e.try = a.try`);
  for (const { message_id: id, cost, charged } of rows) assert.equal(charged, cost, `the charge of message ${id}`);
  return rows.length;
}
