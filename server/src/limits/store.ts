/**
 * All SQL on `targets`, and the look at `opt_outs` inside the accepting statement. Every path locks the target's row first, then verifications, then deliveries: one order, no deadlock.
 */
import type { Queryable } from '../platform/db.ts';
import { allSettled, type Share, verdictsOf } from '../platform/share.ts';
import { join, raw, relation, type Sql, sql } from '../platform/sql.ts';
import { type GrantRow, grantColumns, type Verdict } from './grant.ts';
import { listedRows, toHit } from './list-store.ts';
import type { LimitNotes, RefusalRow } from './refusal.ts';

const epochMs = (time: string): string => `floor(extract(epoch from ${time}) * 1000)::bigint`;

/**
 * Clauses of a `with`: `verdicts` (every input row, judged against its locked target and by the shares of other rooms), `grants`
 * (the counted rows that passed, written) and `granted` (what passed, counted or not), for which the shares write.
 * `input` names a relation of `items` with the columns of `grantColumns`, those of the shares and `ord`, one row per target.
 * A row passed only if its verdict is granted and it is uncounted or stands in `grants`: a target that somebody else made
 * at the same moment is not in `grants`, and the caller asks again. So it does where the target changed while its lock was waited
 * for: the rest of the statement cannot see what that other statement wrote.
 */
export function grantRows<Item>(items: readonly Item[], input: Sql, shares: readonly Share<Item>[]): Sql {
  return sql`held as materialized (
    select i.ord, t.version, t.send_times, t.wrong_times, t.locks
    from ${input} i join targets t on t.application_id = i.application_id and t.target = i.target
    where i.counted order by t.application_id, t.target for update of t
  ), ${join(
    // Each after the one before it: who locks for both of them, in two statements, does it in the same order.
    shares.map((share, i) => {
      const before = shares[i - 1];
      return sql`${share.judge(items, input, before ? verdictsOf(before) : raw('held'))}, `;
    }),
    '',
  )}verdicts as materialized (
    select i.*, coalesce(h.version, 0) as version, sends.times as sends, wrongs.times as wrongs, coalesce(h.locks, '{}') as locks,
      lock.message_id as lock_message_id, lock.known_message_id as previous_message_id, lock.verification_id as previous_verification_id,
      coalesce(nullif(judged.verdict, 'granted'), ${join(
        shares.map(({ word }) => raw(`${word}_found.verdict, `)),
        '',
      )}'granted') as verdict,
      opted.targets as opted_out, blocked.hits as listed,
      ${notesOf(shares)} as notes,
      ceil(case judged.verdict
        when 'code_still_valid' then lock.left_ms / 1000.0
        when 'resend_too_soon' then lock.gap_ms / 1000.0
        when 'target_send_limit' then extract(epoch from sends.times[cardinality(sends.times) - i.max_sends + 1] - clock_now()) + i.window_seconds
        when 'rate_limited' then limited.retry_after
        when 'target_locked' then extract(epoch from wrongs.times[cardinality(wrongs.times) - i.target_attempts + 1] - clock_now()) + i.target_window_seconds
        ${join(shares.length === 0 ? [] : [sql`when 'granted' then coalesce(${join(shares.map(({ word }) => raw(`${word}_found.retry_after`)))})`])}
      end)::integer as retry_after
    from ${input} i left join held h on h.ord = i.ord
    ${join(
      shares.map(
        (share) => sql`left join ${verdictsOf(share)} ${raw(share.word)}_found on ${raw(share.word)}_found.ord = i.ord`,
      ),
      ' ',
    )}
    left join targets seen on seen.application_id = i.application_id and seen.target = i.target
    cross join lateral (
      -- With the offset it is asked once per row, about 1 µs, not once per mention.
      select array(select o.target from opt_outs o
        where o.application_id = i.application_id and o.target in (i.first_address, i.second_address)) as targets offset 0
    ) opted
    cross join lateral (select array(${listedRows}) as hits offset 0) blocked
    cross join lateral (
      -- A day of them, whatever window this send is judged by: another template of the target may look further back.
      select coalesce(array_agg(s order by s), '{}') as times from unnest(h.send_times) s where s > clock_now() - interval '1 day'
    ) sends
    cross join lateral (
      select coalesce(array_agg(s order by s), '{}') as times from unnest(h.wrong_times) s
      where s > clock_now() - i.target_window_seconds * interval '1 second'
    ) wrongs
    cross join lateral (${limitedBy}) limited
    cross join lateral (
      select (entry->>'m')::bigint as known_message_id, (entry->>'v')::bigint as verification_id,
        case when (entry->>'e')::bigint > now_ms then (entry->>'m')::bigint end as message_id,
        (entry->>'e')::bigint - now_ms as left_ms,
        (entry->>'s')::bigint + i.resend_after * 1000 - now_ms as gap_ms
      from (select h.locks->i.template_id as entry, ${raw(epochMs('clock_now()'))} as now_ms) e
    ) lock
    cross join lateral (
      select case
        when blocked.hits <> '{}' then 'listed'
        when opted.targets <> '{}' then 'unsubscribed'
        when not i.counted then 'granted'
        when cardinality(wrongs.times) >= i.target_attempts then 'target_locked'
        when lock.message_id is not null and i.mode = 'compat' then 'code_still_valid'
        -- A transaction that waited for the row has an older clock than the send before it.
        when lock.message_id is not null and i.resend_after > 0 and lock.gap_ms > 0 then 'resend_too_soon'
        when sends.times[cardinality(sends.times) - i.max_sends + 1] > clock_now() - i.window_seconds * interval '1 second' then 'target_send_limit'
        when limited.retry_after is not null then 'rate_limited'
        when i.expected_message_id is not null and (coalesce(lock.message_id, 0) <> i.expected_message_id
          or i.lock_id <> i.message_id and lock.verification_id is distinct from i.lock_id) then 'changed'
        when h.version is distinct from seen.version then 'changed'
        else 'granted' end as verdict
    ) judged
  ), grants as (
    insert into targets as t (application_id, target, version, send_times, wrong_times, locks)
    select application_id, target, version + 1, sends || clock_now(), wrongs,
      locks || jsonb_build_object(template_id, jsonb_build_object('m', message_id, 'v', lock_id,
        'e', case when holds_lock then coalesce(${raw(epochMs('lives_until'))}, ${raw(epochMs('clock_now()'))} + ttl_ms) else 0 end, 's', ${raw(epochMs('clock_now()'))}))
    from verdicts where counted and verdict = 'granted' order by application_id, target
    on conflict (application_id, target) do update
      set version = excluded.version, send_times = excluded.send_times, wrong_times = excluded.wrong_times, locks = excluded.locks
      where t.version = excluded.version - 1
    returning application_id, target
  ), granted as materialized (
    select v.* from verdicts v where v.verdict = 'granted'
      and (not v.counted or exists (select 1 from grants g where g.application_id = v.application_id and g.target = v.target))
  )${join(
    shares.map((share) => sql`, ${share.write(raw('granted'))}`),
    '',
  )}`;
}

/** What was found about the limits, by who looked; null where nothing was counted. */
const notesOf = (shares: readonly Pick<Share<never>, 'word'>[]): Sql => sql`nullif(jsonb_strip_nulls(jsonb_build_object(
  'target', limited.note${join(
    shares.map(({ word }) => raw(`, '${word}', ${word}_found.note`)),
    '',
  )})), '{}')`;

/**
 * The limits per target, as `grantColumns` carries them. What one allows is spent while the send that many places from the end lies
 * in its window.
 */
const limitedBy = raw(`
  select case when i.target_limits is not null then (
      select max(ceil(extract(epoch from sends.times[cardinality(sends.times) - l."limit" + 1] - clock_now()) + l."windowSeconds"))
      from jsonb_to_recordset(i.target_limits) as l("limit" integer, "windowSeconds" integer, shadow boolean)
      where not l.shadow
        and sends.times[cardinality(sends.times) - l."limit" + 1] > clock_now() - l."windowSeconds" * interval '1 second'
    ) end as retry_after,
    case when i.target_limits is not null then (
      select jsonb_agg(jsonb_strip_nulls(jsonb_build_object('policy', l.policy,
        'count', (select count(*) from unnest(sends.times) s where s > clock_now() - l."windowSeconds" * interval '1 second'),
        'limit', l."limit", 'window_seconds', l."windowSeconds", 'mode', case when l.shadow then 'shadow' end)))
      from jsonb_to_recordset(i.target_limits) as l(policy text, "limit" integer, "windowSeconds" integer, shadow boolean)
    ) end as note`);

/** A resend or next-channel of a living message asks for its grant; the lock entry becomes that message's. Own statement, inside `tx`. */
export async function grantAgain<Item extends { grant: GrantRow }>(
  tx: Queryable,
  item: Item,
  shares: readonly Share<Item>[] = [],
): Promise<RefusalRow> {
  const concerned = shares.filter((share) => share.concerns([item]));
  // Asked once more, the row is held since the first time.
  const first = await askAgain(tx, item, concerned);
  return first.verdict === 'changed' ? askAgain(tx, item, concerned) : first;
}

async function askAgain<Item extends { grant: GrantRow }>(
  tx: Queryable,
  item: Item,
  shares: readonly Share<Item>[],
): Promise<RefusalRow> {
  const columns = Object.assign({}, grantColumns, ...shares.map((share) => share.columns));
  const rows = await tx.query<VerdictRow>(sql`
    with input as materialized (${relation([item], columns)}), ${grantRows([item], raw('input'), shares)}
    select ${verdictColumns}, exists (select 1 from granted) as granted from verdicts v where ${allSettled(shares)}`);
  const [row] = rows;
  if (!row) throw new Error('a grant statement answers every row');
  return toRefusalRow(row);
}

/** What the statements with `grantRows` return of each row, beside `granted`: whether it stands in the clause of that name. */
export const verdictColumns = raw('v.verdict, v.retry_after, v.lock_message_id, v.opted_out, v.listed, v.notes');

export interface VerdictRow {
  verdict: Verdict;
  retry_after: number | null;
  lock_message_id: string | null;
  opted_out: string[];
  listed: string[];
  notes: LimitNotes | null;
  granted: boolean;
}

export const toRefusalRow = (row: VerdictRow): RefusalRow => ({
  verdict: row.verdict === 'granted' && !row.granted ? 'changed' : row.verdict,
  retryAfter: row.retry_after,
  lockMessageId: row.lock_message_id,
  optedOut: row.opted_out,
  listed: row.listed.map(toHit),
  notes: row.notes,
});

export interface LiveLock {
  messageId: string;
  verificationId: string;
}

/** The message whose code of this template lives for the target, null for none. A hint: the grant decides. */
export async function findLock(
  db: Queryable,
  applicationId: string,
  target: string,
  templateId: string,
): Promise<LiveLock | null> {
  const rows = await db.query<{ m: string; v: string }>(sql`
    select locks->${templateId}::text->>'m' as m, locks->${templateId}::text->>'v' as v from targets
    where application_id = ${applicationId} and target = ${target}
      and (locks->${templateId}::text->>'e')::bigint > ${raw(epochMs('clock_now()'))}`);
  const [row] = rows;
  return row ? { messageId: row.m, verificationId: row.v } : null;
}

const unlocked = (templateId: string): string =>
  `case when locks ? ${templateId} then jsonb_set(locks, array[${templateId}, 'e'], '0') else locks end`;

export interface Released {
  applicationId: string;
  messageId: string;
  target: string;
  templateId: string;
  /** Given where the code itself has ended: then the lock of any message of that verification ends. */
  verificationId?: string;
}

/** Ends the lock early but remembers its message, so that the next send can supersede that code. A newer message's lock stays. */
export async function release(tx: Queryable, rows: readonly Released[]): Promise<void> {
  if (rows.length === 0) return;
  const input = relation(rows, {
    application_id: ['bigint', (row) => row.applicationId],
    message_id: ['bigint', (row) => row.messageId],
    target: ['text', (row) => row.target],
    template_id: ['text', (row) => row.templateId],
    verification_id: ['bigint', (row) => row.verificationId ?? null],
  });
  await tx.query(sql`
    with input as materialized (${input}), ordered as materialized (
      select t.application_id, t.target, i.template_id from input i
      join targets t on t.application_id = i.application_id and t.target = i.target
      where (t.locks->i.template_id->>'m')::bigint = i.message_id or (t.locks->i.template_id->>'v')::bigint = i.verification_id
      order by t.application_id, t.target for update of t
    )
    update targets t set version = version + 1, locks = ${raw(unlocked('o.template_id'))}
    from ordered o where t.application_id = o.application_id and t.target = o.target`);
}

/** The targets as a check reads them; whoever writes one names the version read. */
export const targetRows = sql`select application_id, target, version, wrong_times from targets`;

/**
 * Clause for the checking statement: `rows` has application_id, target, template_id, target_window, version, verified, exhausted_id
 * (the verification that ends with it, or null). A right code
 * clears the wrong ones and ends the lock; a wrong one is counted. A target changed since it was read is left alone.
 * The lock of an exhausted code stays, but no send joins that verification any more.
 */
export function settleTargets(rows: Sql): Sql {
  return sql`update targets t set version = t.version + 1,
      wrong_times = case when r.verified then '{}' else
        array(select w from unnest(t.wrong_times) w where w > clock_now() - r.target_window order by w) || clock_now() end,
      locks = case when r.verified then ${raw(unlocked('r.template_id').replaceAll('locks', 't.locks'))}
        when (t.locks->r.template_id->>'v')::bigint = r.exhausted_id then jsonb_set(t.locks, array[r.template_id, 'v'], '0')
        else t.locks end
    from (${rows}) r where t.application_id = r.application_id and t.target = r.target and t.version = r.version
    returning t.application_id, t.target`;
}

/** Wrong codes within the target's window: for views; checks count on the locked row. */
export async function countWrongCodes(
  db: Queryable,
  applicationId: string,
  target: string,
  windowSeconds: number,
): Promise<number> {
  const rows = await db.query<{ count: number }>(sql`
    select count(*)::integer as count from targets t cross join lateral unnest(t.wrong_times) w
    where t.application_id = ${applicationId} and t.target = ${target}
      and w > clock_now() - ${windowSeconds}::integer * interval '1 second'`);
  return rows[0]?.count ?? 0;
}

/** Removes rows that no rule can need any more; resolves with how many. */
export async function sweepTargets(db: Queryable, limit: number): Promise<number> {
  const rows = await db.query<{ target: string }>(sql`
    delete from targets where (application_id, target) in (
      select application_id, target from targets
      where coalesce(send_times[cardinality(send_times)], '-infinity') < clock_now() - interval '2 days'
        and coalesce(wrong_times[cardinality(wrong_times)], '-infinity') < clock_now() - interval '2 days'
      limit ${limit} for update skip locked)
    returning target`);
  return rows.length;
}
