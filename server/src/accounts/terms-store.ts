/**
 * SQL on what a change of an agent key's terms does to its approval. An operator approved the terms as they were: narrower ones
 * stay approved, wider ones begin anew.
 */
import { json, raw, type Sql, sql } from '../platform/sql.ts';
import type { AgentTerms } from '../policy.ts';

/** The key's approval once its terms are changed so: an expression over its row. */
export function approvalAfter(change: Partial<AgentTerms>): Sql {
  const changes = Object.keys(change).length > 0;
  return sql`case
    when approval <> 'none' and ${wider(change)} then 'none'
    when approval = 'refused' and ${changes}::boolean then 'none'
    else approval end`;
}

/** Whether the change lets the key do what it could not before. */
function wider(change: Partial<AgentTerms>): Sql {
  const { mode, countries, recipients, unattended } = change;
  const higher = (name: 'perRecipientPerDay' | 'sendsPerDay' | 'spendPerDayMicros'): Sql =>
    sql`coalesce(${change[name] ?? null}::bigint > (agent ->> ${name}::text)::bigint, false)`;
  const longer = (name: 'countries' | 'recipients', list: readonly string[] | undefined): Sql =>
    list === undefined ? raw('false') : sql`not (agent -> ${name}::text) @> ${json(list)}::jsonb`;
  return sql`(
    (${mode === 'live'}::boolean and agent ->> 'mode' <> 'live')
    or ${longer('countries', countries)} or ${longer('recipients', recipients)}
    or ${higher('perRecipientPerDay')} or ${higher('sendsPerDay')} or ${higher('spendPerDayMicros')}
    or (${unattended === true}::boolean and not coalesce((agent -> 'unattended')::boolean, false)))`;
}

/** Beside a change of a key whose row is held already: what was asked about terms that are not in force any more. */
export const outdateRequests = raw(`, outdated as (
    update approval_requests set state = 'outdated', decided_at = clock_now()
    where state = 'pending' and api_key_id in (select id from changed where approval = 'none'))`);
