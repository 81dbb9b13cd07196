/**
 * What hand-overs and endings cost, as clauses of the statements that record them: so that a charge is made exactly when its
 * attempt is written as accepted, whatever dies in between. Relations handed in carry application_id and message_id.
 *
 * Locks: `lock` takes balances before anything else, as the accepting statement does; counters of budgets are written only where a
 * cost is not its estimate, last, because every send of the budget waits for them. That, and what ends a delivery that still has a
 * reservation without any hand-over under way, is rare and may be a deadlock's victim, which is run again.
 */
import { type Sql, sql } from '../platform/sql.ts';

export interface Charges {
  /** Clauses that lock what `rows` will change, with `costs` where a call was accepted. The last one is `charge_locks`, to be read from before rows are written. */
  lock(rows: Sql): Sql;
  /**
   * Clauses. `accepted`: attempt, try, cost_micros of calls written as accepted just now; `over`: nothing more goes out by itself;
   * `corrected`: attempt, try and micros that receipts give back (or take again, below zero), null for none.
   */
  settle(accepted: Sql, over: Sql, corrected: Sql | null): Sql;
  /** Clauses for deliveries ended with nothing under way. */
  giveBack(ended: Sql): Sql;
}

/** `organizations`: relation of application_id and organization_id. */
export const createCharges = (organizations: Sql): Charges => ({
  lock: (rows) => sql`charge_rows as materialized (
      select r.application_id, r.message_id, r.costs from (${rows}) r
    ), charge_balances as materialized (
      select b.organization_id
      from (
        select o.organization_id from charge_rows r join (${organizations}) o on o.application_id = r.application_id where r.costs
        union
        select s.organization_id from charge_rows r
        join balance_reservations s on s.application_id = r.application_id and s.message_id = r.message_id
      ) a join balances b on b.organization_id = a.organization_id
      where b.mode = 'prepaid' order by b.organization_id for no key update of b
    ), charge_locks as materialized (select organization_id from charge_balances)`,
  settle: (accepted, over, corrected) => sql`charged as (
      insert into balance_entries (organization_id, kind, application_id, message_id, attempt, try, amount_micros)
      select b.organization_id, 'charge', a.application_id, a.message_id, a.attempt, a.try, -a.cost_micros
      from (${accepted}) a join (${organizations}) o on o.application_id = a.application_id
      join charge_balances b on b.organization_id = o.organization_id
      where a.cost_micros > 0
    ), ${corrected ? sql`${correct(corrected, organizations)}, ` : sql``}${release(sql`select application_id, message_id, cost_micros, false as over from (${accepted}) a
      union all select application_id, message_id, 0, true from (${over}) o${
        corrected ? sql` union all select application_id, message_id, -micros, false from (${corrected}) r` : sql``
      }`)}`,
  giveBack: (ended) =>
    release(sql`select application_id, message_id, 0 as cost_micros, true as over from (${ended}) e`),
});

/** What receipts give back; nothing of what the operator has given back by hand. */
const correct = (corrected: Sql, organizations: Sql): Sql => sql`charge_corrected as (
    insert into balance_entries (organization_id, kind, application_id, message_id, attempt, try, amount_micros)
    select b.organization_id, 'receipt', c.application_id, c.message_id, c.attempt, c.try, c.micros
    from (${corrected}) c join (${organizations}) o on o.application_id = c.application_id
    join charge_balances b on b.organization_id = o.organization_id
    where exists (select from balance_entries e where e.kind = 'charge'
        and e.application_id = c.application_id and e.message_id = c.message_id and e.attempt = c.attempt
        and e.try = c.try)
      and not exists (select from balance_entries e where e.kind = 'refund' and e.organization_id = b.organization_id
        and e.message_id = c.message_id and e.attempt = c.attempt and e.try = c.try)
  )`;

/**
 * Ends reservations, and puts the cost in the place of the estimate that budgets were counted by. `rows` has cost_micros, and `over`
 * where nothing more goes out by itself: until then, what was sent again keeps of its estimates what no cost has taken the place of,
 * and keys hold what the steps to come may cost. What is given back meanwhile they hold too: it may be taken again.
 */
const release = (rows: Sql): Sql => sql`charge_released as (
    delete from balance_reservations r using (${rows}) e where r.application_id = e.application_id and r.message_id = e.message_id
  ), charge_spent as (
    update budget_uses u set cost_micros = u.cost_micros + e.cost_micros,
      open_micros = case when u.from_micros is null or e.over then 0 else greatest(u.open_micros - greatest(e.cost_micros, 0), 0) end,
      held_micros = case when not e.over then (
        select array_agg(case when h.micros is not null then greatest(h.micros - e.cost_micros, 0) end order by h.n)
        from unnest(u.held_micros) with ordinality as h(micros, n)) end
    from (select application_id, message_id, sum(cost_micros)::bigint as cost_micros, bool_or(over) as over from (${rows}) r group by 1, 2) e
    where u.application_id = e.application_id and u.message_id = e.message_id
      and (u.open_micros > 0 or u.held_micros is not null or e.cost_micros <> 0)
  )`;
