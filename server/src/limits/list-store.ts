/**
 * All SQL on `list_entries`. A change takes the table for itself until its commit: sends that looked before are accepted before it,
 * and one that waits takes its snapshot only afterwards. So nothing is accepted after a block's commit that it would refuse,
 * on any node, and the sends pay nothing for that.
 */
import { eventRows } from '../events/index.ts';
import type { Db, Queryable } from '../platform/db.ts';
import { raw, relation, type Sql, sql } from '../platform/sql.ts';
import {
  canonicalIp,
  type ListEntry,
  type ListHit,
  type ListKind,
  type ListType,
  listKeys,
  type NewListEntry,
} from './lists.ts';

interface EntryRow {
  id: string;
  application_id: string | null;
  kind: ListKind;
  type: ListType;
  value: string;
  reason: string;
  author: string;
  expires_at: Date | null;
  created_at: Date;
}
const columns = raw('id, application_id, kind, type, value, reason, author, expires_at, created_at');
const toEntry = (row: EntryRow): ListEntry => ({
  id: row.id,
  applicationId: row.application_id,
  kind: row.kind,
  type: row.type,
  value: row.value,
  reason: row.reason,
  author: row.author,
  expiresAt: row.expires_at,
  createdAt: row.created_at,
});

/** Who did it, for the ledger. */
export interface ListActor {
  ip: string;
}

function change(db: Db, action: 'add' | 'remove', { ip }: ListActor, write: Sql): Promise<ListEntry | null> {
  return db.transaction(async (tx) => {
    await tx.query(sql`lock table list_entries in access exclusive mode`);
    const rows = await tx.query<EntryRow>(sql`
      with changed as (${write} returning ${columns}),
      logged as (${eventRows(sql`
        select coalesce(application_id, 0) as application_id, 0::bigint as message_id, 'list_managed' as cause, null::text as status,
          null::integer as sequence, null::smallint as step, null::smallint as attempt, null::text as channel, null::integer as error_code,
          jsonb_build_object('action', ${action}::text, 'entry', id::text, 'kind', kind, 'type', type, 'value', value, 'reason', reason,
            'author', author, 'expires_at', expires_at, 'operator', jsonb_build_object('ip_address', ${ip}::text)) as data
        from changed`)})
      select ${columns} from changed`);
    return rows.map(toEntry)[0] ?? null;
  });
}

/** One that stands already gets the new reason, author and expiry. With `seconds` it ends so long from now. */
export async function insertListEntry(
  db: Db,
  made: NewListEntry & { seconds?: number },
  actor: ListActor,
): Promise<ListEntry> {
  const network = made.type === 'ip' ? made.value : null;
  const entry = await change(
    db,
    'add',
    actor,
    sql`insert into list_entries (application_id, kind, type, value, network, reason, author, expires_at)
      values (${made.applicationId}, ${made.kind}, ${made.type}, ${made.value}, ${network}::inet, ${made.reason}, ${made.author},
        coalesce(${made.expiresAt}::timestamptz, clock_now() + ${made.seconds ?? null}::integer * interval '1 second'))
      on conflict (type, value, application_id, kind) do update
        set reason = excluded.reason, author = excluded.author, expires_at = excluded.expires_at`,
  );
  if (!entry) throw new Error('an upsert returns its row');
  return entry;
}

/** Null when there was none. */
export const deleteListEntry = (db: Db, id: string, actor: ListActor): Promise<ListEntry | null> =>
  change(db, 'remove', actor, sql`delete from list_entries where id = ${id}`);

export async function findListEntry(db: Queryable, id: string): Promise<ListEntry | null> {
  const rows = await db.query<EntryRow>(sql`select ${columns} from list_entries where id = ${id}`);
  return rows.map(toEntry)[0] ?? null;
}

export interface ListFilter {
  /** Null: every entry; 'global': those for every application. */
  application: string | null;
  kind: ListKind | null;
  type: ListType | null;
  value: string | null;
  limit: number;
  before: string | null;
}

/** Newest first, also those that have ended. */
export async function listListEntries(db: Queryable, filter: ListFilter): Promise<ListEntry[]> {
  const { application, kind, type, value, limit, before } = filter;
  const rows = await db.query<EntryRow>(sql`
    select ${columns} from list_entries
    where (${application}::text is null or coalesce(application_id::text, 'global') = ${application}::text)
      and (${kind}::text is null or kind = ${kind}::text) and (${type}::text is null or type = ${type}::text)
      and (${value}::text is null or value = ${value}::text) and (${before}::bigint is null or id < ${before}::bigint)
    order by id desc limit ${limit}`);
  return rows.map(toEntry);
}

/** What the lists are asked about one send. */
export interface ListAsk {
  applicationId: string;
  /** Two at most. */
  addresses: readonly string[];
  /** Of the phone number. */
  country?: string | null;
  /** Where the caller's user is. */
  ip?: string | null;
}

const keysOf = ({ addresses, country = null }: ListAsk, place: 0 | 1): string | null => {
  const address = addresses[place];
  return address === undefined ? null : listKeys(address, country).join(' ');
};

/** To be merged with application_id, first_address and second_address into the relation that `listedRows` reads as `i`. */
export const listColumns = {
  first_keys: ['text', (ask: ListAsk) => keysOf(ask, 0)],
  second_keys: ['text', (ask: ListAsk) => keysOf(ask, 1)],
  asked_ip: ['text', ({ ip }: ListAsk) => (ip ? canonicalIp(ip) : null)],
} as const;

const lives = raw(
  '(l.application_id is null or l.application_id = i.application_id) and (l.expires_at is null or l.expires_at > clock_now())',
);

/** `<entry id> <type> <address>` of the block entries that decide about the row `i`. An empty table costs one look per statement. */
export const listedRows = sql`
  select hit.id || ' ' || hit.type || ' ' || asked.address as hit
  from (values (i.first_address, i.first_keys), (i.second_address, i.second_keys)) asked(address, keys)
  cross join lateral (
    select l.id, l.type, l.kind from list_entries l
    where (l.type, l.value) in (select split_part(k, ':', 1), substr(k, strpos(k, ':') + 1) from unnest(string_to_array(asked.keys, ' ')) k)
      and ${lives}
    order by array_position(array['number', 'email_domain', 'prefix', 'country'], l.type), length(l.value) desc,
      l.application_id nulls last, l.kind limit 1
  ) hit
  where asked.keys is not null and hit.kind = 'block' and (select exists (select 1 from list_entries))
  union all
  select hit.id || ' ip ' from (
    select l.id, l.kind from list_entries l where l.network >>= i.asked_ip::inet and ${lives}
    order by masklen(l.network) desc, l.application_id nulls last, l.kind limit 1
  ) hit
  where i.asked_ip is not null and hit.kind = 'block' and (select exists (select 1 from list_entries))`;

export function toHit(text: string): ListHit {
  const [entryId = '', type = '', address = ''] = text.split(' ');
  return { entryId, type: type as ListType, address };
}

/** The same outside a send's statement. A hint for sends: the accepting statement decides. */
export async function findListed(db: Queryable, ask: ListAsk): Promise<ListHit[]> {
  if (ask.addresses.length === 0 && !ask.ip) return [];
  const input = relation([ask], {
    application_id: ['bigint', ({ applicationId }) => applicationId],
    first_address: ['text', ({ addresses }) => addresses[0] ?? null],
    second_address: ['text', ({ addresses }) => addresses[1] ?? null],
    ...listColumns,
  });
  const rows = await db.query<{ hit: string }>(
    sql`select hits.hit from (${input}) i cross join lateral (${listedRows}) hits`,
  );
  return rows.map(({ hit }) => toHit(hit));
}
