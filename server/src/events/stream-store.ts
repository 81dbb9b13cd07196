/**
 * SQL for those who follow the events of an application.
 *
 * Entries are read in the order (txid, position), and only those of transactions below the oldest that is still under way. Position
 * alone would lose entries: it is handed out at the insert, so a transaction may hold a lower one and commit later, after a reader has
 * gone past it. Below the oldest running transaction nothing is ever added, so who has read up to there has read everything, and every
 * later entry has a higher txid. A transaction that runs for long holds this horizon back, and with it every reader.
 */
import type { Queryable } from '../platform/db.ts';
import { raw, relation, type Sql, sql } from '../platform/sql.ts';
import type { Place } from './cursor.ts';
import type { MessageFacts, ToldEntry } from './row.ts';
import { type LedgerRow, toEntry } from './store.ts';

export interface PageRequest {
  applicationId: string;
  after: Place;
}

export interface StoredEntry {
  place: Place;
  entry: ToldEntry;
  /** Null for entries of no message, and of one that is forgotten. */
  facts: MessageFacts | null;
}

export interface StoredPage {
  entries: StoredEntry[];
  /** Everything before it is read, if the page was not full. */
  horizon: Place;
}

interface PageRow extends LedgerRow {
  ord: string;
  horizon: string;
  txid: string;
  status: string;
  recipient: string | null;
  template_id: string;
  custom_args: Record<string, string> | null;
  created_at: Date;
  expires_at: Date | null;
}

/**
 * Up to `limit` entries behind each place, in the order of `requests`. `facts` is the relation of what is known of messages:
 * application_id, message_id, recipient, template_id, custom_args, created_at, expires_at.
 */
export async function readPages(
  db: Queryable,
  facts: Sql,
  requests: readonly PageRequest[],
  limit: number,
): Promise<StoredPage[]> {
  // From entry to entry, each a look into the index. Asked for in one go, a plan made while the ledger was small gathers and sorts all
  // that lies behind the place: 39 ms for a page of 500 before a hundred thousand entries, growing with them, against 4.
  const entries = sql`
    with recursive step as (
      (${nextEntry(raw('place'))})
      union all
      select next_entry.* from step cross join lateral (${nextEntry(raw('step'))}) next_entry
    )
    select * from step limit ${limit}`;
  const rows = await db.query<PageRow>(pageStatement(facts, requests, entries));
  return pagesOf(rows, requests.length);
}

/** The entry behind the place or entry that the outer relation holds. */
const nextEntry = (behind: Sql): Sql => sql`
  select * from events where application_id = ${behind}.application_id and status is not null
    and (txid, position) > (${behind}.txid, ${behind}.position) and txid < now_at.horizon
  order by txid, position limit 1`;

/** All entries of one message behind the place, found by the message: never more than one message has. */
export async function readMessagePage(
  db: Queryable,
  facts: Sql,
  request: PageRequest,
  messageId: string,
  limit: number,
): Promise<StoredPage> {
  // The fence keeps to the index by message: in the order wanted, all of the application would be gone through.
  const rows = await db.query<PageRow>(
    pageStatement(
      facts,
      [request],
      sql`
      select * from (
        select * from events where application_id = place.application_id and message_id = ${messageId} offset 0
      ) of_message
      where status is not null and (txid, position) > (place.txid, place.position) and txid < now_at.horizon
      order by txid, position limit ${limit}`,
    ),
  );
  const [page] = pagesOf(rows, 1);
  if (!page) throw new Error('a statement that returns one page returned none');
  return page;
}

/** A row per entry, and one without an entry for a place behind which there is none. */
function pageStatement(facts: Sql, requests: readonly PageRequest[], entries: Sql): Sql {
  const places = relation(requests, {
    application_id: ['bigint', ({ applicationId }) => applicationId],
    txid: ['xid8', ({ after }) => after.txid],
    position: ['bigint', ({ after }) => after.position],
  });
  // The limit fences the facts: they are looked up by message, never joined as a whole.
  return sql`
    select place.ord, now_at.horizon::text as horizon, event.position, event.txid::text as txid, event.at,
      event.application_id, event.message_id, event.cause, event.status, event.sequence, event.step, event.attempt,
      event.channel, event.error_code, event.data,
      fact.recipient, fact.template_id, fact.custom_args, fact.created_at, fact.expires_at
    from (${places}) place
    cross join (select pg_snapshot_xmin(pg_current_snapshot()) as horizon) now_at
    left join lateral (${entries}) event on true
    left join lateral (
      select known.recipient, known.template_id, known.custom_args, known.created_at, known.expires_at from (${facts}) known
      where known.application_id = event.application_id and known.message_id = event.message_id limit 1
    ) fact on true
    order by place.ord, event.txid, event.position`;
}

function pagesOf(rows: readonly PageRow[], count: number): StoredPage[] {
  const horizon = { txid: BigInt(rows[0]?.horizon ?? 0), position: 0n };
  const pages = Array.from({ length: count }, (): StoredPage => ({ entries: [], horizon }));
  for (const row of rows) {
    if (row.position === null) continue;
    pages[Number(row.ord) - 1]?.entries.push({
      place: { txid: BigInt(row.txid), position: BigInt(row.position) },
      entry: { ...toEntry(row), status: row.status },
      facts: row.recipient === null ? null : factsOf(row, row.recipient),
    });
  }
  return pages;
}

const factsOf = (row: PageRow, to: string): MessageFacts => ({
  to,
  templateId: row.template_id,
  customArgs: row.custom_args,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
});

/** Behind everything there is: what a later look finds is new. */
export async function findHorizon(db: Queryable): Promise<Place> {
  const [row] = await db.query<{ horizon: string }>(
    sql`select pg_snapshot_xmin(pg_current_snapshot())::text as horizon`,
  );
  return { txid: BigInt(row?.horizon ?? 0), position: 0n };
}

/**
 * Before the application's entries of the last so many seconds. Times have no index, but go along with txids as far as matters here:
 * the place is searched by halves, some forty looks into the index.
 */
export async function findPlaceOfAge(db: Queryable, applicationId: string, seconds: number): Promise<Place> {
  const [row] = await db.query<{ txid: string }>(sql`
    with recursive search (low, high) as (
      select coalesce((
          select txid from events where application_id = ${applicationId} and status is not null
          order by txid, position limit 1
        )::text::numeric, 0), pg_snapshot_xmin(pg_current_snapshot())::text::numeric
      union all
      select case when probe.is_old then probe.middle + 1 else low end, case when probe.is_old then high else probe.middle end
      from search cross join lateral (
        select trunc((low + high) / 2) as middle, coalesce((
          select at < clock_now() - ${seconds} * interval '1 second' from events
          where application_id = ${applicationId} and status is not null and txid >= trunc((low + high) / 2)::text::xid8
          order by txid, position limit 1
        ), false) as is_old
      ) probe
      where low < high
    )
    select low::text as txid from search where low >= high limit 1`);
  return { txid: BigInt(row?.txid ?? 0), position: 0n };
}
