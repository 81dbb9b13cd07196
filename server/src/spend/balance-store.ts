/** The SQL on balances and their entries that no other room's statement contains. The sums are kept by triggers (0021). */
import { eventRows } from '../events/index.ts';
import type { Queryable } from '../platform/db.ts';
import { json, raw, type Sql, sql } from '../platform/sql.ts';

export const modes = ['unlimited', 'prepaid'] as const;
export type Mode = (typeof modes)[number];

export interface Balance {
  mode: Mode;
  balanceMicros: number;
  reservedMicros: number;
  thresholdMicros: number;
}

interface BalanceRow {
  mode: Mode;
  balance_micros: string;
  reserved_micros: string;
  threshold_micros: string;
}
const balanceColumns = raw('mode, balance_micros, reserved_micros, threshold_micros');
const toBalance = (row: BalanceRow): Balance => ({
  mode: row.mode,
  balanceMicros: Number(row.balance_micros),
  reservedMicros: Number(row.reserved_micros),
  thresholdMicros: Number(row.threshold_micros),
});

/** Of an organization whose balance nobody has touched. */
const untouched: Balance = { mode: 'unlimited', balanceMicros: 0, reservedMicros: 0, thresholdMicros: 0 };

export async function findBalance(db: Queryable, organizationId: string): Promise<Balance> {
  const rows = await db.query<BalanceRow>(
    sql`select ${balanceColumns} from balances where organization_id = ${organizationId}`,
  );
  return rows.map(toBalance)[0] ?? untouched;
}

/** Who did it, for the ledger. */
export interface Actor {
  ip: string;
  author: string;
}

/** One ledger entry about an organization, which belongs to no application. */
const told = (organizationId: string, action: string, { ip, author }: Actor, from: Sql, data: Sql): Sql =>
  eventRows(sql`
    select 0::bigint as application_id, 0::bigint as message_id, 'balance_managed' as cause, null::text as status, null::integer as sequence,
      null::smallint as step, null::smallint as attempt, null::text as channel, null::integer as error_code,
      ${json({ organization: organizationId, action, author, operator: { ip_address: ip } })}::jsonb || ${data} as data from ${from}`);

export interface BalanceChange {
  mode?: Mode | undefined;
  thresholdMicros?: number | undefined;
}

export async function changeBalance(
  db: Queryable,
  organizationId: string,
  { mode, thresholdMicros }: BalanceChange,
  actor: Actor,
): Promise<Balance> {
  const rows = await db.query<BalanceRow>(sql`
    with changed as (
      insert into balances as b (organization_id, mode, threshold_micros)
      values (${organizationId}, coalesce(${mode ?? null}::text, 'unlimited'), coalesce(${thresholdMicros ?? null}::bigint, 0))
      on conflict (organization_id) do update set mode = coalesce(${mode ?? null}::text, b.mode),
        threshold_micros = coalesce(${thresholdMicros ?? null}::bigint, b.threshold_micros), updated_at = clock_now()
      returning ${balanceColumns}
    ), logged as (${told(
      organizationId,
      'change',
      actor,
      raw('changed'),
      raw(`jsonb_build_object('mode', mode, 'threshold_micros', threshold_micros)`),
    )})
    select ${balanceColumns} from changed`);
  const [balance] = rows.map(toBalance);
  if (!balance) throw new Error('an upsert returns its row');
  return balance;
}

export type EntryKind = 'top_up' | 'charge' | 'refund' | 'adjustment';

export interface Entry {
  id: string;
  kind: EntryKind;
  amountMicros: number;
  applicationId: string | null;
  messageId: string | null;
  attempt: number | null;
  refundedId: string | null;
  note: string;
  author: string;
  key: string | null;
  at: Date;
}

interface EntryRow {
  id: string;
  kind: EntryKind;
  amount_micros: string;
  application_id: string | null;
  message_id: string | null;
  attempt: number | null;
  refunded_id: string | null;
  note: string;
  author: string;
  key: string | null;
  at: Date;
}
const entryColumns = raw(
  'id, kind, amount_micros, application_id, message_id, attempt, refunded_id, note, author, key, at',
);
const toEntry = (row: EntryRow): Entry => ({
  id: row.id,
  kind: row.kind,
  amountMicros: Number(row.amount_micros),
  applicationId: row.application_id,
  messageId: row.message_id,
  attempt: row.attempt,
  refundedId: row.refunded_id,
  note: row.note,
  author: row.author,
  key: row.key,
  at: row.at,
});

export interface NewEntry {
  kind: 'top_up' | 'adjustment';
  amountMicros: number;
  note: string;
  /** Written once under a key, however often it is asked for; null: every time. */
  key: string | null;
}

const written = raw(
  `jsonb_build_object('entry', id::text, 'kind', kind, 'amount_micros', amount_micros, 'note', note, 'message', message_id::text)`,
);

/** Makes sure that there is a row to count in. */
const ensureBalance = (tx: Queryable, organizationId: string) =>
  tx.query(sql`insert into balances (organization_id) values (${organizationId}) on conflict do nothing`);

/** Null where an entry of that key is there already. */
export async function insertEntry(
  tx: Queryable,
  organizationId: string,
  made: NewEntry,
  actor: Actor,
): Promise<Entry | null> {
  await ensureBalance(tx, organizationId);
  const rows = await tx.query<EntryRow>(sql`
    with made as (
      insert into balance_entries (organization_id, kind, amount_micros, note, author, key)
      values (${organizationId}, ${made.kind}, ${made.amountMicros}, ${made.note}, ${actor.author}, ${made.key})
      on conflict (organization_id, key) do nothing
      returning ${entryColumns}
    ), logged as (${told(organizationId, 'entry', actor, raw('made'), written)})
    select ${entryColumns} from made`);
  return rows.map(toEntry)[0] ?? null;
}

export async function findEntryByKey(db: Queryable, organizationId: string, key: string): Promise<Entry | null> {
  const rows = await db.query<EntryRow>(
    sql`select ${entryColumns} from balance_entries where organization_id = ${organizationId} and key = ${key}`,
  );
  return rows.map(toEntry)[0] ?? null;
}

/** Gives a charge back, once; also to whom it was given back before. Null where there is no such charge, or receipts gave it back. */
export async function refundCharge(
  tx: Queryable,
  organizationId: string,
  chargeId: string,
  note: string,
  actor: Actor,
): Promise<Entry | null> {
  const rows = await tx.query<EntryRow>(sql`
    with made as (
      insert into balance_entries (organization_id, kind, amount_micros, application_id, message_id, attempt, try, refunded_id, note, author)
      select c.organization_id, 'refund', -c.amount_micros - given.micros, c.application_id, c.message_id, c.attempt, c.try, c.id, ${note}, ${actor.author}
      from balance_entries c cross join lateral (
        -- What receipts have given back of it already.
        select coalesce(sum(r.amount_micros), 0) as micros from balance_entries r where r.kind = 'receipt'
          and r.organization_id = c.organization_id and r.message_id = c.message_id and r.attempt = c.attempt and r.try = c.try
      ) given
      where c.organization_id = ${organizationId} and c.id = ${chargeId} and c.kind = 'charge' and -c.amount_micros > given.micros
      on conflict (refunded_id) do nothing
      returning ${entryColumns}
    ), logged as (${told(organizationId, 'refund', actor, raw('made'), written)})
    select ${entryColumns} from made`);
  if (rows.length > 0) return rows.map(toEntry)[0] ?? null;
  const before = await tx.query<EntryRow>(sql`
    select ${entryColumns} from balance_entries where organization_id = ${organizationId} and refunded_id = ${chargeId}`);
  return before.map(toEntry)[0] ?? null;
}

/** Newest first. */
export async function listEntries(
  db: Queryable,
  organizationId: string,
  { before, limit }: { before: string | null; limit: number },
): Promise<Entry[]> {
  const rows = await db.query<EntryRow>(sql`
    select ${entryColumns} from balance_entries
    where organization_id = ${organizationId} and (${before}::bigint is null or id < ${before}::bigint)
    order by id desc limit ${limit}`);
  return rows.map(toEntry);
}

/** For who holds an application; null where nothing binds its organization. `organizations`: application_id, organization_id. */
export async function findBindingBalance(
  db: Queryable,
  applicationId: string,
  organizations: Sql,
): Promise<number | null> {
  const rows = await db.query<{ balance_micros: string }>(sql`
    select b.balance_micros from (${organizations}) o join balances b on b.organization_id = o.organization_id
    where o.application_id = ${applicationId} and b.mode = 'prepaid'`);
  const [row] = rows;
  return row ? Number(row.balance_micros) : null;
}

/** Removes up to `limit` marks of messages below the id; resolves with how many. Entries stay. */
export async function forgetUses(
  db: Queryable,
  applicationId: string,
  belowId: string,
  limit: number,
): Promise<number> {
  const [row] = await db.query<{ removed: number }>(sql`
    with gone as (
      delete from budget_uses where ctid = any(array(
        select ctid from budget_uses where application_id = ${applicationId} and message_id < ${belowId} limit ${limit}))
      returning message_id
    )
    select count(*)::integer as removed from gone`);
  return row?.removed ?? 0;
}
