/** Whether money adds up: balances, reservations, budgets and charges, recounted from what they are made of. */
import assert from 'node:assert/strict';
import type { Db } from '../platform/db.ts';
import { sql } from '../platform/sql.ts';

interface Sums {
  organization_id: string;
  balance: string;
  entries: string;
  reserved: string;
  reservations: string;
}

/** Everything that must add up at any moment, in one snapshot. */
export async function assertAddsUp(db: Db): Promise<void> {
  const rows = await db.query<Sums>(sql`
    select b.organization_id, b.balance_micros as balance, b.reserved_micros as reserved,
      coalesce((select sum(amount_micros) from balance_entries e where e.organization_id = b.organization_id), 0)::bigint as entries,
      coalesce((select sum(micros) from balance_reservations r where r.organization_id = b.organization_id), 0)::bigint as reservations
    from balances b`);
  for (const { organization_id: id, balance, entries, reserved, reservations } of rows) {
    assert.equal(balance, entries, `the balance of ${id} is the sum of its entries`);
    assert.equal(reserved, reservations, `what ${id} has reserved is the sum of its reservations`);
  }
  const counters = await db.query<{ counter_id: string; spent: string; counted: string }>(sql`
    select c.counter_id, c.spent_micros as spent, coalesce((
      select sum(greatest(coalesce(x.held_micros, u.open_micros) + u.cost_micros - coalesce(x.from_micros, 0), 0)) from budget_uses u
      cross join lateral unnest(u.counter_ids, u.period_starts, u.from_micros, u.held_micros) x(counter_id, period_start, from_micros, held_micros)
      where x.counter_id = c.counter_id and x.period_start = c.period_start), 0)::bigint as counted
    from budget_counters c`);
  for (const { counter_id: id, spent, counted } of counters)
    assert.equal(spent, counted, `the budget ${id} has spent what its messages cost`);
}

/** Every accepted attempt of a prepaid organization has one charge, and there is no other charge. */
export async function assertChargedOnce(db: Db): Promise<number> {
  const rows = await db.query<{ message_id: string; cost: string | null; charged: string | null }>(sql`
    select coalesce(a.message_id, e.message_id)::text as message_id, a.cost_micros as cost, -e.amount_micros as charged
    from (
      select t.* from attempts t join applications p on p.id = t.application_id
      join balances b on b.organization_id = p.organization_id and b.mode = 'prepaid'
      where t.outcome = 'accepted' and t.cost_micros > 0
    ) a full join (select * from balance_entries where kind = 'charge') e
      on e.application_id = a.application_id and e.message_id = a.message_id and e.attempt = a.attempt and e.try = a.try`);
  for (const { message_id: id, cost, charged } of rows) assert.equal(charged, cost, `the charge of message ${id}`);
  return rows.length;
}

/** What a counter has in its period, in micros, once everything adds up. */
export async function countedAt(db: Db, counterId: string): Promise<number> {
  await assertAddsUp(db);
  const [row] = await db.query<{ spent: string }>(
    sql`select spent_micros as spent from budget_counters where counter_id = ${counterId}`,
  );
  return Number(row?.spent ?? 0);
}
