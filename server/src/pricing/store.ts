/**
 * The statements on prices. A change takes the one row of `price_book` first and keeps it until its commit, so that changes come one
 * after the other; it puts its line into the ledger and tells the nodes in the same transaction.
 */
import { eventRows } from '../events/index.ts';
import type { Db, Queryable } from '../platform/db.ts';
import { json, raw, relation, type Sql, sql } from '../platform/sql.ts';
import type { Plan } from './plan.ts';
import type { Price, PriceKey } from './price.ts';
import type { NewPrice } from './rows.ts';

export const changesChannel = 'prices';

interface PriceRow {
  id: string;
  provider: string;
  channel: Price['channel'];
  country: string;
  prefix: string;
  price_micros: string;
  refund: Price['refund'];
  valid_from: Date;
  updated_at: Date;
}
const columns = raw('id, provider, channel, country, prefix, price_micros, refund, valid_from, updated_at');
const toPrice = (row: PriceRow): Price => ({
  id: row.id,
  provider: row.provider,
  channel: row.channel,
  country: row.country,
  prefix: row.prefix,
  priceMicros: Number(row.price_micros),
  refund: row.refund,
  validFrom: row.valid_from,
  updatedAt: row.updated_at,
});

/** Who did it, for the ledger. */
export interface Actor {
  ip: string;
}

/** The lock of every change. */
async function takeBook(tx: Queryable): Promise<Date> {
  const [row] = await tx.query<{ now: Date }>(
    sql`select date_trunc('milliseconds', clock_now()) as now from price_book for update`,
  );
  if (!row) throw new Error('the price book has one row');
  return row.now;
}

/** Something was changed: nodes read again. */
const turnBook = (tx: Queryable): Promise<unknown> =>
  tx.query(sql`update price_book set version = version + 1 returning pg_notify(${raw(`'${changesChannel}'`)}, '')`);

/** One line of the ledger for each row of `changed`, which `about` is made of. */
const logged = (changed: Sql, action: string, { ip }: Actor, about: Sql): Sql =>
  eventRows(sql`
    select 0::bigint as application_id, 0::bigint as message_id, 'price_managed' as cause, null::text as status,
      null::integer as sequence, null::smallint as step, null::smallint as attempt, null::text as channel, null::integer as error_code,
      jsonb_build_object('action', ${action}::text, 'operator', jsonb_build_object('ip_address', ${ip}::text)) || ${about} as data
    from ${changed}`);

const told = raw(`jsonb_build_object('price', id::text, 'provider', provider, 'channel', channel, 'country', country,
  'prefix', prefix, 'price_micros', price_micros, 'refund', refund, 'valid_from', valid_from)`);

/** Keeps a price; one of the same key and moment gets the new amount. Without a moment it begins now. */
export function savePrice(db: Db, made: NewPrice, actor: Actor): Promise<Price> {
  return db.transaction(async (tx) => {
    const now = await takeBook(tx);
    const [row] = await tx.query<PriceRow>(sql`
      with changed as (
        insert into prices (provider, channel, country, prefix, price_micros, refund, valid_from)
        values (${made.provider}, ${made.channel}, ${made.country}, ${made.prefix}, ${made.priceMicros}, ${made.refund},
          ${made.validFrom ?? now})
        on conflict (channel, provider, country, prefix, valid_from) do update
          set price_micros = excluded.price_micros, refund = excluded.refund, updated_at = clock_now()
        returning ${columns}
      ), event as (${logged(raw('changed'), 'set price', actor, told)})
      select ${columns} from changed`);
    if (!row) throw new Error('an upsert returns its row');
    await turnBook(tx);
    return toPrice(row);
  });
}

/** Null when there was none. */
export function deletePrice(db: Db, id: string, actor: Actor): Promise<Price | null> {
  return db.transaction(async (tx) => {
    await takeBook(tx);
    const rows = await tx.query<PriceRow>(sql`
      with changed as (delete from prices where id = ${id} returning ${columns}),
      event as (${logged(raw('changed'), 'delete price', actor, told)})
      select ${columns} from changed`);
    if (rows.length > 0) await turnBook(tx);
    return rows.map(toPrice)[0] ?? null;
  });
}

/** What an import would change by what is there now. */
export async function planOn(db: Queryable, plan: (there: readonly Price[], now: Date) => Plan): Promise<Plan> {
  const { now } = await findBook(db);
  return plan(await listAllPrices(db), now);
}

/** Plans on what is there and writes it, with nobody in between. */
export function applyPlan(
  db: Db,
  plan: (there: readonly Price[], now: Date) => Plan,
  about: object,
  actor: Actor,
): Promise<Plan> {
  return db.transaction(async (tx) => {
    const now = await takeBook(tx);
    const made = plan(await listAllPrices(tx), now);
    const { added, changed, removed } = made;
    if (added.length + changed.length + removed.length === 0) return made;
    await writePlan(tx, made);
    await turnBook(tx);
    const counts = { added: added.length, changed: changed.length, removed: removed.length };
    const one = raw('(values (1)) as import (n)');
    await tx.query(
      sql`with event as (${logged(one, 'import prices', actor, sql`${json({ ...about, ...counts })}::jsonb`)}) select`,
    );
    return made;
  });
}

async function writePlan(tx: Queryable, { added, changed, removed }: Plan): Promise<void> {
  if (removed.length > 0) await tx.query(sql`delete from prices where id = any(${removed}::bigint[])`);
  if (changed.length > 0) {
    const given = relation(changed, {
      id: ['bigint', ({ id }) => id],
      price_micros: ['bigint', ({ priceMicros }) => priceMicros],
      refund: ['text', ({ refund }) => refund],
    });
    await tx.query(sql`
      update prices p set price_micros = given.price_micros, refund = given.refund, updated_at = clock_now()
      from (${given}) as given where p.id = given.id`);
  }
  if (added.length > 0) {
    const given = relation(added, {
      provider: ['text', (row: NewPrice) => row.provider],
      channel: ['text', (row: NewPrice) => row.channel],
      country: ['text', (row: NewPrice) => row.country],
      prefix: ['text', (row: NewPrice) => row.prefix],
      price_micros: ['bigint', (row: NewPrice) => row.priceMicros],
      refund: ['text', (row: NewPrice) => row.refund],
      valid_from: ['timestamptz', (row: NewPrice) => row.validFrom],
    });
    await tx.query(sql`
      insert into prices (provider, channel, country, prefix, price_micros, refund, valid_from)
      select provider, channel, country, prefix, price_micros, refund, valid_from from (${given}) as given order by ord
      on conflict (channel, provider, country, prefix, valid_from) do update
        set price_micros = excluded.price_micros, refund = excluded.refund, updated_at = clock_now()`);
  }
}

/** Changes with every change of prices; and the time of the database. */
export async function findBook(db: Queryable): Promise<{ version: string; now: Date }> {
  const [row] = await db.query<{ version: string; now: Date }>(
    sql`select version, date_trunc('milliseconds', clock_now()) as now from price_book`,
  );
  if (!row) throw new Error('the price book has one row');
  return row;
}

/** In the order of an export: what belongs together stands together, in time. */
export async function listAllPrices(db: Queryable): Promise<Price[]> {
  const rows = await db.query<PriceRow>(
    sql`select ${columns} from prices order by channel, provider, country, prefix, valid_from`,
  );
  return rows.map(toPrice);
}

export interface PriceFilter {
  provider: string | null;
  channel: PriceKey['channel'] | null;
  country: string | null;
  /** Prices of this prefix and longer ones. */
  prefix: string | null;
  limit: number;
  before: string | null;
}

/** Newest first, also those that begin later and those that were followed by others. */
export async function listPrices(db: Queryable, filter: PriceFilter): Promise<Price[]> {
  const { provider, channel, country, prefix, limit, before } = filter;
  const rows = await db.query<PriceRow>(sql`
    select ${columns} from prices
    where (${provider}::text is null or provider = ${provider}::text) and (${channel}::text is null or channel = ${channel}::text)
      and (${country}::text is null or country = ${country}::text)
      and (${prefix}::text is null or starts_with(prefix, ${prefix}::text)) and (${before}::bigint is null or id < ${before}::bigint)
    order by id desc limit ${limit}`);
  return rows.map(toPrice);
}
