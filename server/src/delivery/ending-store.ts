/** How deliveries end or stop inside the statements of other rooms: the twins of ending.ts for the hot paths of a check and a send. */
import { type Sql, sql } from '../platform/sql.ts';
import { type Charges, givesBack } from './charge-store.ts';

/** Index of the first step that could still start: the planned one, else the next usable behind the newest. */
const waitingStep = sql`(case when not d.in_flight and d.plan ? 'active' then d.plan #>> '{active,step}'
  else d.plan #>> '{hints,next}' end)`;

const waitingColumns = sql`${waitingStep}::smallint + 1 as waiting_step,
      d.plan #>> array['steps', ${waitingStep}, 'channel'] as waiting_channel`;

const stateAtRest = sql`case when d.in_flight or d.state not in ('queued', 'sending') then d.state
        else d.plan #>> '{hints,rest}' end`;

/**
 * Ends open deliveries: the twin of `end`. `rows` is a relation (application_id, message_id, reason, numbered, spares_expired);
 * `numbered` counts a status row that the caller writes, `spares_expired` leaves to its verification what has run out.
 * `overtaken`, a relation (application_id, message_id), is the twin of `stopWaiting`, and makes the clause `stopped`.
 * Makes the clause `ended`.
 */
export function endDeliveries(rows: Sql, charges: Charges | undefined, overtaken?: Sql): Sql {
  return sql`${overtaken ? stopWaiting(overtaken) : sql``}ended as (update deliveries as d set ended = ended.reason, version = d.version + 1,
      sequence = d.sequence + case when ended.numbered and not d.silent then 1 else 0 end,
      content = null,
      due_at = case when d.in_flight then d.due_at end,
      state = case when ended.reason = 'cancelled' and d.state in ('queued', 'sending', 'sent') then 'cancelled' else ${stateAtRest} end
    from (${rows}) as ended
    where d.application_id = ended.application_id and d.message_id = ended.message_id and d.ended is null
      and (not ended.spares_expired or d.deadline_at > clock_now())
    returning d.application_id, d.message_id, d.sequence, d.silent, d.channel, d.in_flight,
      (d.plan #>> '{current,step}')::smallint + 1 as step, (d.plan #>> '{current,attempt}')::smallint as attempt,
      d.plan #>> '{hints,otherAddress}' as current_to, d.waiting_steps as waiting, ${waitingColumns})${givesBack(
        charges,
        sql`select application_id, message_id from ended where not in_flight${
          overtaken ? sql` union all select application_id, message_id from stopped where not in_flight` : sql``
        }`,
      )}`;
}

/** Only those are written that something would follow for. Read under their locks: what was waiting is gone after the write. */
const stopWaiting = (rows: Sql): Sql => sql`waiting as materialized (
      select d.application_id, d.message_id, d.waiting_steps as waiting, ${waitingColumns}
      from (${rows}) as r join deliveries d on d.application_id = r.application_id and d.message_id = r.message_id
      where d.ended is null and d.deadline_at > clock_now() and (d.waiting_steps > 0 or d.plan ? 'request')
      order by d.application_id, d.message_id for no key update of d
    ), stopped as (update deliveries as d set version = d.version + 1, waiting_steps = 0,
      plan = ((case when d.in_flight then d.plan else d.plan - 'active' end) - '{request,promised}'::text[]) || jsonb_build_object(
        'position', jsonb_array_length(d.plan->'steps') - 1, 'hints', (d.plan->'hints') - 'next'),
      due_at = case when d.in_flight then d.due_at end,
      state = ${stateAtRest}
    from waiting w where d.application_id = w.application_id and d.message_id = w.message_id
    returning d.application_id, d.message_id, d.in_flight, w.waiting, w.waiting_step, w.waiting_channel), `;
