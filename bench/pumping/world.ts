/** An installation on PostgreSQL with one carrier that learns codes from texts, dear destinations among its prices, and a past. */
import { z } from 'zod';
import type { Adapter } from '../../server/src/channels/index.ts';
import { sql } from '../../server/src/platform/sql.ts';
import { openTestApp } from '../../server/src/testing/app.ts';
import { bodyOf, openApplication } from '../../server/src/testing/application.ts';
import { openTestDatabase } from '../../server/src/testing/database.ts';
import { send } from '../../server/src/testing/traffic.ts';
import type { Person } from './people.ts';

const day = 86_400_000;
/** In micros per message; where nothing is said, the price of the route. */
const routePrice = 35_000;
const dear = { LV: 140_000, CU: 190_000, TN: 260_000, AZ: 280_000, LB: 240_000, ID: 310_000, GB: 45_000, DE: 90_000 };

/** Hands over at once and keeps the code of each message, as a telephone would show it. */
function createCarrier(): { adapter: Adapter; codes: Map<string, string> } {
  const codes = new Map<string, string>();
  const adapter: Adapter = {
    id: 'simulated',
    title: 'Simulated carrier',
    channels: ['sms'],
    settings: z.strictObject({}),
    limits: { maxConcurrency: 1_000, idempotent: false },
    open: () => ({
      async send({ messageId, content: { text } }) {
        const [code] = /\d{6}/.exec(text) ?? [];
        if (code !== undefined) codes.set(messageId, code);
        return { kind: 'accepted', upstreamId: `${messageId}-${codes.size}` };
      },
      async close() {},
    }),
  };
  return { adapter, codes };
}

export type World = Awaited<ReturnType<typeof openWorld>>;

/** Protected: with the limits, rules and automatic blocks that an application has by default, a week after it began. */
export async function openWorld(isProtected: boolean, past: readonly Person[]) {
  const carrier = createCarrier();
  const database = await openTestDatabase('postgres');
  const { db, clock } = database;
  await clock.freeze();
  const box = await openTestApp(database, { adapters: [carrier.adapter] });
  const operate = async (method: 'POST' | 'PUT', path: string, body: object) =>
    bodyOf(await box.operator({ method, path: `/admin/v1/${path}`, body }));
  await operate('POST', 'providers', { id: 'carrier', title: 'Carrier', adapter: 'simulated', settings: {} });
  const entries = [{ provider: 'carrier', priority: 1, price_micros: routePrice }];
  await operate('POST', 'routes', { channel: 'sms', entries });
  for (const [country, price_micros] of Object.entries(dear))
    await operate('POST', 'prices', {
      ...{ provider: 'carrier', channel: 'sms', country, prefix: '', refund: 'none', valid_from: null },
      price_micros,
    });
  const policy = { request_rate: 1_000_000, limits: isProtected ? null : [] };
  const application = await openApplication(box, { network: 'live', policy });
  if (!isProtected)
    await operate('PUT', `applications/${application.id}/fraud-rules`, {
      rules: [],
      automatic_blocks: { enabled: 'never' },
    });

  /** A week and a day, hour by hour on the last: the first and the last of them stand for all. */
  async function remember(): Promise<void> {
    const sendsOf = (people: readonly Person[]) =>
      people.map(({ to, country, verifies }) => ({ to, country, verified: verifies }));
    await send(db, application.id, sendsOf(past));
    await clock.travel(7 * day);
    const byHour = Map.groupBy(past, ({ minute }) => Math.floor(minute / 60));
    for (let hour = 0; hour < 24; hour++) {
      await send(db, application.id, sendsOf(byHour.get(hour) ?? []));
      await clock.travel(day / 24);
    }
    await box.app.insights.count();
    await box.app.fraud.round();
  }

  /** What hand-overs cost until now, in micros, to numbers that begin so. */
  async function costOf(prefixes: readonly string[]): Promise<{ attack: number; honest: number }> {
    const attacked = sql`split_part(m.recipient, '+', 2) like any(${prefixes.map((prefix) => `${prefix}%`)}::text[])`;
    const [row] = await db.query<{ attack: string; honest: string }>(sql`
      select coalesce(sum(cost_micros) filter (where ${attacked}), 0) as attack,
        coalesce(sum(cost_micros) filter (where not ${attacked}), 0) as honest
      from attempts a join messages m on m.application_id = a.application_id and m.id = a.message_id
      where a.application_id = ${application.id}`);
    return { attack: Number(row?.attack), honest: Number(row?.honest) };
  }

  /** Which rules refused, by recipient. */
  async function rulesOf(): Promise<{ recipient: string; rule: string }[]> {
    await box.app.refusals.flush();
    return db.query<{ recipient: string; rule: string }>(sql`
      select distinct r.id, r.recipient, fired->>'rule' as rule from refusals r
      cross join lateral jsonb_array_elements(coalesce(r.decision->'rules', '[]')) fired
      where r.application_id = ${application.id} and r.code = 5015 and fired->>'mode' = 'enforce'`);
  }

  await remember();
  return {
    application,
    codes: carrier.codes,
    costOf,
    rulesOf,
    /** The next minute: what is due by then, and what the node's own loops would have done in it. */
    async nextMinute(minute: number): Promise<void> {
      await box.app.delivery.runUntilIdle();
      await clock.travel(60_000);
      await box.app.verifications.expireDue();
      await box.app.fraud.round();
      if (minute % 60 === 0) await box.app.insights.count();
    },
    async close(): Promise<void> {
      await box.close();
      await database.close();
    },
  };
}
