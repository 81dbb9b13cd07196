/**
 * The one statement that checks codes: many requests at once, each compared, counted and consumed atomically.
 * Digests are compared after hashing both with a nonce of this check, so the time of the comparison tells nothing about them.
 */
import type { ApiError } from '../errors.ts';
import { eventRows } from '../events/index.ts';
import type { Queryable } from '../platform/db.ts';
import { randomPortion } from '../platform/random.ts';
import { allSettled, type Share, verdictsOf } from '../platform/share.ts';
import { join, raw, relation, type Sql, sql } from '../platform/sql.ts';

export interface CheckItem {
  applicationId: string;
  messageId: string;
  /** Null until the verification behind the message is known to be another one than the message id. */
  verificationId: string | null;
  /** Hash of the code as typed and folded to lower case. */
  exactHash: Buffer;
  foldedHash: Buffer;
  purpose: string | null;
  /** The limits it meets. */
  rates: readonly unknown[];
}

export type Finding =
  | 'right'
  | 'wrong'
  /** The verification has another id: hash with that and ask again. */
  | 'moved'
  /** Another check of the same target acted in this statement: ask again. */
  | 'again'
  | 'purpose_mismatch'
  | 'target_locked'
  | 'rate_limited'
  | 'verified'
  | 'exhausted'
  | 'expired'
  | 'cancelled'
  | 'superseded';

export interface CheckRow {
  ord: string;
  finding: Finding;
  verification_id: string;
  target: string;
  purpose: string | null;
  attempts_remaining: number;
  retry_after: number | null;
  note: unknown;
}

/** What other rooms add to the statement, handed over by app.ts. */
export interface CheckPorts {
  /** What counts checks beside the target; judged before a code is compared. */
  limits: Share<CheckItem>;
  /** The error of a check that meets a spent limit, from what the share noted. */
  limitRefusal(note: unknown, retryAfter: number): ApiError;
  /** Relation of all targets: application_id, target, version, wrong_times. */
  targets: Sql;
  /**
   * Counts wrong and clears after right, for targets that still have the version read: relation (application_id, target, template_id,
   * target_window, version, verified, exhausted_id); returns application_id, target of those done.
   */
  settleTargets(rows: Sql): Sql;
  /** Clauses: ends deliveries of a relation (application_id, message_id, reason, numbered, spares_expired); the clause `ended` has those and sequence, channel, step, attempt, silent, current_to, waiting, waiting_step, waiting_channel. */
  endDeliveries(rows: Sql): Sql;
}

/**
 * Rows in no order; a request whose message has no verification has no row. Nothing is locked before it is written: a request acts
 * only if its target and then its verification are still as they were read, which the two updates check; else it is asked again.
 * Whatever ends or renews a counted verification also changes its target, so the target's version guards both.
 */
export function checkCodes(db: Queryable, items: readonly CheckItem[], ports: CheckPorts): Promise<CheckRow[]> {
  const shares = [ports.limits].filter((share) => share.concerns(items));
  return db.query<CheckRow>(sql`
    with input as materialized (${relation(items, {
      application_id: ['bigint', (item) => item.applicationId],
      message_id: ['bigint', (item) => item.messageId],
      hashed_for: ['bigint', (item) => item.verificationId ?? item.messageId],
      exact_hash: ['bytea', (item) => item.exactHash],
      folded_hash: ['bytea', (item) => item.foldedHash],
      asked_purpose: ['text', (item) => item.purpose],
      nonce: ['bytea', () => randomPortion(16)],
    })}),
    ${join(
      shares.map((share) => sql`${share.judge(items, raw('input'), raw('input'))}, `),
      '',
    )}
    -- A step of its own, so that no plan can read an application's verifications to find one.
    named as materialized (
      select i.*, coalesce((select m.verification_id from verification_messages m
        where m.application_id = i.application_id and m.message_id = i.message_id), i.message_id) as named_id
      from input i
    ),
    judged as materialized (
      select n.ord, n.message_id, v.*, t.version, ${findingBy(shares)} as finding, wrong.recent,
        ${join(shares.length > 0 ? [raw('l.retry_after, l.note')] : [raw('null::integer as retry_after, null::jsonb as note')])}
      from named n
      join verifications v on v.application_id = n.application_id and v.id = n.named_id
      left join (${ports.targets}) t on v.counted and t.application_id = v.application_id and t.target = v.target
      ${join(
        shares.map((share) => sql`left join ${verdictsOf(share)} l on l.ord = n.ord`),
        '',
      )}
      cross join lateral (
        select count(*)::integer as recent from unnest(t.wrong_times) w where w > clock_now() - v.target_window
      ) wrong
    ),
    acting as materialized (${acting}),
    settled as (${ports.settleTargets(sql`select application_id, target, template_id, target_window, version, verified,
      case when ends_as = 'exhausted' then id end as exhausted_id from acting where version is not null`)}),
    changed as (${changeVerifications}),
    ${ports.endDeliveries(sql`select application_id, unnest(message_ids) as message_id, ends_as as reason,
      unnest(message_ids) = message_id as numbered, false as spares_expired from changed where ends_as is not null`)},
    logged as (${eventRows(checkEvents)})${join(
      shares.map((share) => sql`, ${share.write(raw('changed'))}`),
      '',
    )}
    select j.ord, j.retry_after, j.note, case when c.ord is null and j.finding in ('right', 'wrong', 'changed') then 'again' else j.finding end as finding,
      j.id as verification_id, j.target, j.purpose, coalesce(c.attempts_remaining, 0)::integer as attempts_remaining
    from judged j left join changed c on c.ord = j.ord where ${allSettled(shares)}`);
}

/** What a request finds, in the contract's order: purpose, state, target lock, limits, comparison. */
const findingBy = (shares: readonly unknown[]): Sql =>
  raw(`case
      when n.hashed_for <> v.id then 'moved'
      when n.asked_purpose is not null and n.asked_purpose is distinct from v.purpose then 'purpose_mismatch'
      when v.state <> 'pending' then v.state
      when v.expires_at <= clock_now() then 'expired'
      when wrong.recent >= v.target_attempts then 'target_locked'
      ${shares.length > 0 ? 'when l.verdict is not null then l.verdict' : ''}
      when exists (
        select 1 from unnest(v.code_hashes, v.code_expiries) as live(hash, expires_at)
        where live.expires_at > clock_now()
          and sha256(live.hash || n.nonce) = sha256(case when v.code_type & 6 = 6 then n.exact_hash else n.folded_hash end || n.nonce)
      ) then 'right'
      else 'wrong' end`);

/** Of the requests that change something, the first per target (or verification, where none is counted) acts. */
const acting = raw(`
  select *, finding = 'right' as verified,
    case when finding = 'right' then 'verified' when rest = 0 then 'exhausted' end as ends_as, rest as attempts_remaining
  from (
    select *, least(max_attempts - attempts - 1, case when counted then target_attempts - recent - 1 else max_attempts end) as rest,
      row_number() over (partition by application_id, case when counted then target else id::text end order by ord) as place
    from judged where finding in ('right', 'wrong')
  ) candidate where place = 1`);

const changeVerifications = raw(`
  update verifications v set
    attempts = v.attempts + case when a.verified then 0 else 1 end,
    state = coalesce(a.ends_as, v.state),
    ended_at = case when a.ends_as is not null then clock_now() end,
    code_hashes = case when a.ends_as is null then v.code_hashes else '{}' end,
    code_expiries = case when a.ends_as is null then v.code_expiries else '{}' end
  from acting a left join settled s on s.application_id = a.application_id and s.target = a.target
  where v.application_id = a.application_id and v.id = a.id and (a.version is null or s.target is not null)
    and v.ended_at is null and v.attempts = a.attempts and v.code_hashes = a.code_hashes
  returning a.ord, v.application_id, a.message_id, v.message_ids, a.verified, a.ends_as, a.attempts_remaining`);

/** verified and verified_failed under the submitted id with its next sequence number; wrong codes in the timeline alone. */
const checkEvents = raw(`
  select a.application_id, a.message_id,
    case a.ends_as when 'verified' then 'verified' when 'exhausted' then 'attempts_exhausted' else 'wrong_code' end as cause,
    case when e.silent then null when a.ends_as = 'verified' then 'verified' when a.ends_as = 'exhausted' then 'verified_failed' end as status,
    case when not e.silent and a.ends_as is not null then e.sequence end as sequence, e.step, e.attempt, e.channel,
    case when a.ends_as = 'exhausted' then 3003 end as error_code,
    nullif(jsonb_strip_nulls(jsonb_build_object('current_to', e.current_to,
      'attempts_remaining', case when not a.verified then a.attempts_remaining end)), '{}') as data
  from changed a left join ended e on e.application_id = a.application_id and e.message_id = a.message_id
  union all
  select e.application_id, e.message_id, 'fallback_cancelled', null, null, e.waiting_step, null, e.waiting_channel, null,
    jsonb_build_object('steps', e.waiting) from ended e where e.waiting > 0`);
