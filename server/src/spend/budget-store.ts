/** The SQL on budgets that is not in the accepting statement. */
import { eventRows } from '../events/index.ts';
import type { Queryable } from '../platform/db.ts';
import { json, raw, type Sql, sql } from '../platform/sql.ts';
import type { Actor } from './balance-store.ts';
import type { Budget, NewBudget, Period, RungAction } from './budgets.ts';
import { periodStart } from './share-store.ts';

interface BudgetRow {
  id: string;
  application_id: string;
  scope: 'all' | 'country' | 'calling_code';
  scope_value: string | null;
  period: Period;
  cap_micros: string;
  ladder: { at_percent: number; action: RungAction }[];
  enabled: boolean;
  period_start: Date;
  spent_micros: string;
  created_at: Date;
  updated_at: Date;
}

const toBudget = (row: BudgetRow): Budget => ({
  id: row.id,
  applicationId: row.application_id,
  scope: row.scope === 'all' ? { kind: 'all' } : { kind: row.scope, value: row.scope_value ?? '' },
  period: row.period,
  capMicros: Number(row.cap_micros),
  ladder: row.ladder.map(({ at_percent, action }) => ({ atPercent: at_percent, action })),
  enabled: row.enabled,
  spentMicros: Number(row.spent_micros),
  periodStart: row.period_start,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

/** Budgets of the relation `from` with what the period that now lies in has spent. */
const shown = (from: Sql): Sql => sql`
  select g.id, g.application_id, g.scope, g.scope_value, g.period, g.cap_micros, g.ladder, g.enabled, g.created_at, g.updated_at,
    p.starts as period_start, case when c.period_start = p.starts then c.spent_micros else 0 end as spent_micros
  from ${from} g cross join lateral (select ${periodStart('g.period')} as starts) p
  left join budget_counters c on c.counter_id = g.id`;

const ladderJson = (ladder: NewBudget['ladder']): string =>
  json(ladder.map(({ atPercent, action }) => ({ at_percent: atPercent, action })));

const logged = (action: string, { ip, author }: Actor): Sql =>
  eventRows(sql`
    select application_id, 0::bigint as message_id, 'budget_managed' as cause, null::text as status, null::integer as sequence,
      null::smallint as step, null::smallint as attempt, null::text as channel, null::integer as error_code,
      ${json({ action, author, operator: { ip_address: ip } })}::jsonb || jsonb_build_object('budget', id::text, 'scope', scope,
        'scope_value', scope_value, 'period', period, 'cap_micros', cap_micros, 'ladder', ladder, 'enabled', enabled) as data
    from changed`);

/** The change, its ledger entry, and the budget as it is afterwards (or was, for a deletion). */
async function change(db: Queryable, action: string, actor: Actor, write: Sql): Promise<Budget | null> {
  const rows = await db.query<BudgetRow>(sql`
    with changed as (${write} returning *), logged as (${logged(action, actor)}) ${shown(raw('changed'))}`);
  return rows.map(toBudget)[0] ?? null;
}

export async function insertBudget(
  db: Queryable,
  applicationId: string,
  { scope, period, capMicros, ladder, enabled }: NewBudget,
  actor: Actor,
): Promise<Budget> {
  const made = await change(
    db,
    'create',
    actor,
    sql`insert into budgets (application_id, scope, scope_value, period, cap_micros, ladder, enabled)
      values (${applicationId}, ${scope.kind}, ${scope.kind === 'all' ? null : scope.value}, ${period}, ${capMicros}, ${ladderJson(ladder)}, ${enabled})`,
  );
  if (!made) throw new Error('an insert returns its row');
  return made;
}

export interface BudgetChange {
  capMicros?: number | undefined;
  ladder?: NewBudget['ladder'] | undefined;
  enabled?: boolean | undefined;
}

export const updateBudget = (
  db: Queryable,
  applicationId: string,
  id: string,
  { capMicros, ladder, enabled }: BudgetChange,
  actor: Actor,
): Promise<Budget | null> =>
  change(
    db,
    'update',
    actor,
    sql`update budgets set cap_micros = coalesce(${capMicros ?? null}::bigint, cap_micros),
        ladder = coalesce(${ladder ? ladderJson(ladder) : null}::jsonb, ladder),
        enabled = coalesce(${enabled ?? null}::boolean, enabled), updated_at = clock_now()
      where application_id = ${applicationId} and id = ${id}`,
  );

export const deleteBudget = (db: Queryable, applicationId: string, id: string, actor: Actor): Promise<Budget | null> =>
  change(db, 'delete', actor, sql`delete from budgets where application_id = ${applicationId} and id = ${id}`);

export async function findBudget(db: Queryable, applicationId: string, id: string): Promise<Budget | null> {
  const rows = await db.query<BudgetRow>(
    shown(sql`(select * from budgets where application_id = ${applicationId} and id = ${id})`),
  );
  return rows.map(toBudget)[0] ?? null;
}

/** Oldest first; there are few. */
export async function listBudgets(db: Queryable, applicationId: string): Promise<Budget[]> {
  const rows = await db.query<BudgetRow>(sql`
    select * from (${shown(sql`(select * from budgets where application_id = ${applicationId})`)}) b order by id`);
  return rows.map(toBudget);
}

/** Those with steps below their cap, of every application. */
export async function listLadders(db: Queryable): Promise<Budget[]> {
  const rows = await db.query<BudgetRow>(shown(sql`(select * from budgets where enabled and ladder <> '[]')`));
  return rows.map(toBudget);
}
