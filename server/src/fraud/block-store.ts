/**
 * The SQL on blocks. One row for a subject and what closed it; the statement that closes looks whether it is closed already, so any
 * number of nodes may ask for the same and it happens once. An automatic block comes for an hour, again within seven days after its
 * end for a day, and then until it is lifted. A lift by hand is taken as a word: the ladder begins anew, an hour later at the earliest.
 */
import { eventRows } from '../events/index.ts';
import type { SubjectKind } from '../fraud-rules/index.ts';
import type { Queryable } from '../platform/db.ts';
import { raw, relation, type Sql, sql } from '../platform/sql.ts';
import { noted, told } from './store.ts';

export interface Block {
  id: string;
  applicationId: string;
  kind: SubjectKind;
  subject: string;
  /** 'automatic', or a rule. */
  source: string;
  level: number;
  channels: string[];
  reasons: BlockReasons;
  since: Date;
  /** Null: until lifted. */
  until: Date | null;
  liftedAt: Date | null;
  liftedBy: string | null;
  active: boolean;
}

export interface BlockReasons {
  because: string;
  codes?: number;
  verified?: number;
  window_minutes?: number;
}

export interface NewBlock {
  applicationId: string;
  kind: SubjectKind;
  subject: string;
  source: string;
  channels: readonly string[];
  reasons: BlockReasons;
  /** Of a rule; an automatic one has the ladder's. */
  seconds: number;
}

interface BlockRow {
  id: string;
  application_id: string;
  kind: SubjectKind;
  subject: string;
  source: string;
  level: number;
  channels: string[];
  reasons: BlockReasons;
  since: Date;
  until: Date | null;
  lifted_at: Date | null;
  lifted_by: string | null;
  active: boolean;
}

const isOpen = raw('lifted_at is null and (until is null or until > clock_now())');
const stored = raw(
  'id, application_id, kind, subject, source, level, channels, reasons, since, until, lifted_at, lifted_by',
);
const columns = sql`${stored}, ${isOpen} as active`;
const toBlock = (row: BlockRow): Block => ({
  id: row.id,
  applicationId: row.application_id,
  kind: row.kind,
  subject: row.subject,
  source: row.source,
  level: row.level,
  channels: row.channels,
  reasons: row.reasons,
  since: row.since,
  until: row.until,
  liftedAt: row.lifted_at,
  liftedBy: row.lifted_by,
  active: row.active,
});

const begins = raw(`kept.lifted_at is not null or kept.until < clock_now() - interval '7 days'`);
const nextLevel = sql`case when kept.source <> 'automatic' then 0 when ${begins} then 1 else least(kept.level + 1, 3) end`;
const nextUntil = sql`case when kept.source <> 'automatic' or ${begins} then excluded.until
  when kept.level = 1 then clock_now() + interval '24 hours' end`;
/** Over by itself; or lifted, by hand, long enough ago. */
const mayClose = raw(
  `(kept.lifted_at is null and kept.until <= clock_now()) or kept.lifted_at <= clock_now() - interval '1 hour'`,
);

/** Closes what is not closed; resolves with how many. No two of one subject and source. */
export async function insertBlocks(db: Queryable, blocks: readonly NewBlock[]): Promise<number> {
  if (blocks.length === 0) return 0;
  const input = relation(blocks, {
    application_id: ['bigint', ({ applicationId }) => applicationId],
    kind: ['text', ({ kind }) => kind],
    subject: ['text', ({ subject }) => subject],
    source: ['text', ({ source }) => source],
    channels: ['jsonb', ({ channels }) => channels],
    reasons: ['jsonb', ({ reasons }) => reasons],
    seconds: ['integer', ({ seconds }) => seconds],
  });
  const rows = await db.query(sql`
    with made as (
      insert into fraud_blocks as kept (application_id, kind, subject, source, level, channels, reasons, until)
      select application_id, kind, subject, source, case when source = 'automatic' then 1 else 0 end,
        array(select jsonb_array_elements_text(channels)), reasons, clock_now() + seconds * interval '1 second'
      from (${input}) as asked order by application_id, kind, subject, source
      on conflict (application_id, kind, subject, source) do update set level = ${nextLevel}, until = ${nextUntil},
        channels = excluded.channels, reasons = excluded.reasons, since = clock_now(), lifted_at = null, lifted_by = null
      where ${mayClose}
      returning ${columns}
    ), noted as (${noted} and exists (select 1 from made)),
    logged as (${eventRows(eventOf('fraud_blocked', sql`jsonb_build_object('reasons', reasons, 'level', level, 'until', until)`, raw('made')))})
    select id, ${told} from made`);
  return rows.length;
}

const eventOf = (cause: string, data: Sql, from: Sql): Sql => sql`
  select application_id, 0::bigint as message_id, ${cause}::text as cause, null::text as status, null::integer as sequence,
    null::smallint as step, null::smallint as attempt, null::text as channel, null::integer as error_code,
    jsonb_build_object('kind', kind, 'subject', subject, 'source', source) || ${data} as data from ${from}`;

/** Ends a block by hand. One that is over stays as it is; null when there is none. */
export async function liftBlock(db: Queryable, id: string, by: string, actor: { ip: string }): Promise<Block | null> {
  await db.query(sql`
    with lifted as (
      update fraud_blocks set lifted_at = clock_now(), lifted_by = ${by} where id = ${id} and ${isOpen} returning ${stored}
    ), noted as (${noted} and exists (select 1 from lifted)),
    logged as (${eventRows(
      eventOf(
        'fraud_unblocked',
        sql`jsonb_build_object('author', lifted_by, 'operator', jsonb_build_object('ip_address', ${actor.ip}::text))`,
        raw('lifted'),
      ),
    )})
    select id, ${told} from lifted`);
  const rows = await db.query<BlockRow>(sql`select ${columns} from fraud_blocks where id = ${id}`);
  return rows.map(toBlock)[0] ?? null;
}

/** What is closed now. */
export async function listOpenBlocks(db: Queryable): Promise<Block[]> {
  const rows = await db.query<BlockRow>(sql`
    select ${columns} from fraud_blocks where lifted_at is null and until > clock_now()
    union all
    select ${columns} from fraud_blocks where lifted_at is null and until is null`);
  return rows.map(toBlock);
}

export interface BlockFilter {
  application: string | null;
  active: boolean | null;
  limit: number;
  before: string | null;
}

/** Newest first. */
export async function listBlocks(db: Queryable, { application, active, limit, before }: BlockFilter): Promise<Block[]> {
  const rows = await db.query<BlockRow>(sql`
    select ${columns} from fraud_blocks
    where (${application}::bigint is null or application_id = ${application}::bigint)
      and (${active}::boolean is null or (${isOpen}) = ${active}::boolean)
      and (${before}::bigint is null or id < ${before}::bigint)
    order by id desc limit ${limit}`);
  return rows.map(toBlock);
}

/** Forgets blocks that were over thirty days ago; resolves with how many. */
export async function sweepBlocks(db: Queryable, limit: number): Promise<number> {
  const rows = await db.query(sql`
    delete from fraud_blocks where ctid = any(array(
      select ctid from fraud_blocks where coalesce(lifted_at, until) < clock_now() - interval '30 days' limit ${limit}))
    returning id`);
  return rows.length;
}
