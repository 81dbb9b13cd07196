/** The SQL on rule sets, and on what tells that something changed. */
import { eventRows } from '../events/index.ts';
import type { Db, Queryable } from '../platform/db.ts';
import { json, raw, sql } from '../platform/sql.ts';

export const changesChannel = 'fraud';
/** For the last select of a writing statement: tells every node. */
export const told = sql`pg_notify(${raw(`'${changesChannel}'`)}, '')`;
/** An update for a `with` clause of every change; ends in a condition. */
export const noted = raw('update fraud_state set changes = changes + 1 where one');

export interface Beat {
  nowMs: number;
  changes: string;
  installedAtMs: number;
  /** Transactions below it are over: readers of the ledger come so far. */
  horizon: bigint;
  /** Every later transaction has this number or a higher one. */
  nextTxid: bigint;
}

interface BeatRow {
  now_ms: number;
  changes: string;
  installed_ms: number;
  horizon: string;
  next_txid: string;
}

/** The database's time, whether something changed, and how far the ledger can be read. */
export async function readBeat(db: Queryable): Promise<Beat> {
  const [row] = await db.query<BeatRow>(sql`
    select (extract(epoch from clock_now()) * 1000)::double precision as now_ms, changes,
      (extract(epoch from installed_at) * 1000)::double precision as installed_ms, pg_snapshot_xmin(snapshot)::text as horizon,
      pg_snapshot_xmax(snapshot)::text as next_txid
    from fraud_state cross join pg_current_snapshot() as snapshot where one`);
  if (!row) throw new Error('the state of the fraud room has one row');
  return {
    nowMs: row.now_ms,
    changes: row.changes,
    installedAtMs: row.installed_ms,
    horizon: BigInt(row.horizon),
    nextTxid: BigInt(row.next_txid),
  };
}

export interface StoredRuleSet {
  applicationId: string;
  version: number;
  /** Null: the shipped rules. */
  document: unknown;
  author: string;
  createdAt: Date;
}

interface SetRow {
  application_id: string;
  version: number;
  document: unknown;
  author: string;
  created_at: Date;
}
const columns = raw('application_id, version, document, author, created_at');
const toSet = (row: SetRow): StoredRuleSet => ({
  applicationId: row.application_id,
  version: row.version,
  document: row.document,
  author: row.author,
  createdAt: row.created_at,
});

/** The newest version of every application that ever had its own. */
export async function listRuleSets(db: Queryable): Promise<StoredRuleSet[]> {
  const rows = await db.query<SetRow>(sql`
    select distinct on (application_id) ${columns} from fraud_rule_sets order by application_id, version desc`);
  return rows.map(toSet);
}

export async function findRuleSet(db: Queryable, applicationId: string): Promise<StoredRuleSet | null> {
  return (await listVersions(db, applicationId, null, 1))[0] ?? null;
}

/** Newest first, those below a version. */
export async function listVersions(
  db: Queryable,
  applicationId: string,
  below: number | null,
  limit: number,
): Promise<StoredRuleSet[]> {
  const rows = await db.query<SetRow>(sql`
    select ${columns} from fraud_rule_sets
    where application_id = ${applicationId} and (${below}::integer is null or version < ${below}::integer)
    order by version desc limit ${limit}`);
  return rows.map(toSet);
}

/** A version more; `document` null goes back to the shipped rules. */
export function insertRuleSet(
  db: Db,
  set: { applicationId: string; document: unknown; author: string },
  actor: { ip: string },
): Promise<StoredRuleSet> {
  const document = set.document === null ? null : json(set.document);
  return db.transaction(async (tx) => {
    // Two that change one set at the same moment make two versions.
    await tx.query(sql`lock table fraud_rule_sets in share row exclusive mode`);
    const [row] = await tx.query<SetRow>(sql`
      with made as (
        insert into fraud_rule_sets (application_id, version, document, author)
        select ${set.applicationId}::bigint, coalesce(max(version), 0) + 1, ${document}::jsonb, ${set.author}
        from fraud_rule_sets where application_id = ${set.applicationId}
        returning ${columns}
      ), noted as (${noted}),
      logged as (${eventRows(sql`
        select application_id, 0::bigint as message_id, 'fraud_rules_changed' as cause, null::text as status,
          null::integer as sequence, null::smallint as step, null::smallint as attempt, null::text as channel,
          null::integer as error_code, jsonb_build_object('action', case when document is null then 'reset' else 'replace' end,
            'version', version, 'author', author, 'operator', jsonb_build_object('ip_address', ${actor.ip}::text)) as data
        from made`)})
      select ${columns}, ${told} from made`);
    if (!row) throw new Error('an insert returns its row');
    return toSet(row);
  });
}
