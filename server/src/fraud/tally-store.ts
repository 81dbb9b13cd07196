/** The SQL on how often rules were asked. */
import type { Queryable } from '../platform/db.ts';
import { raw, relation, sql } from '../platform/sql.ts';

export interface Tally {
  applicationId: string;
  /** 2026-07-03, UTC. */
  day: string;
  rule: string;
  evaluated: number;
  /** Matched while enforced. */
  fired: number;
  /** Matched in shadow. */
  shadow: number;
  /** Hung on something unknown. */
  unreadable: number;
}

const keptDays = 400;

/** No two of one application, day and rule. */
export async function addTallies(db: Queryable, tallies: readonly Tally[]): Promise<void> {
  if (tallies.length === 0) return;
  const input = relation(tallies, {
    application_id: ['bigint', ({ applicationId }) => applicationId],
    day: ['date', ({ day }) => day],
    rule: ['text', ({ rule }) => rule],
    evaluated: ['bigint', ({ evaluated }) => evaluated],
    fired: ['bigint', ({ fired }) => fired],
    shadow: ['bigint', ({ shadow }) => shadow],
    unreadable: ['bigint', ({ unreadable }) => unreadable],
  });
  // In one order, so that nodes do not wait for each other crosswise.
  await db.query(sql`
    insert into fraud_rule_days as kept (application_id, day, rule, evaluated, fired, shadow, unreadable)
    select application_id, day, rule, evaluated, fired, shadow, unreadable from (${input}) as asked
    order by application_id, day, rule
    on conflict (application_id, day, rule) do update set evaluated = kept.evaluated + excluded.evaluated,
      fired = kept.fired + excluded.fired, shadow = kept.shadow + excluded.shadow,
      unreadable = kept.unreadable + excluded.unreadable`);
}

interface TallyRow {
  application_id: string;
  day: string;
  rule: string;
  evaluated: string;
  fired: string;
  shadow: string;
  unreadable: string;
}

/** By day, then by rule. */
export async function listTallies(
  db: Queryable,
  applicationId: string,
  from: string | null,
  until: string | null,
): Promise<Tally[]> {
  const rows = await db.query<TallyRow>(sql`
    select application_id, day::text as day, rule, evaluated, fired, shadow, unreadable from fraud_rule_days
    where application_id = ${applicationId}
      and day >= coalesce(${from}::date, (clock_now() at time zone 'UTC')::date - 29)
      and day <= coalesce(${until}::date, (clock_now() at time zone 'UTC')::date)
    order by day, rule`);
  return rows.map((row) => ({
    applicationId: row.application_id,
    day: row.day,
    rule: row.rule,
    evaluated: Number(row.evaluated),
    fired: Number(row.fired),
    shadow: Number(row.shadow),
    unreadable: Number(row.unreadable),
  }));
}

/** Resolves with how many. */
export async function sweepTallies(db: Queryable, limit: number): Promise<number> {
  const rows = await db.query(sql`
    delete from fraud_rule_days where ctid = any(array(
      select ctid from fraud_rule_days where day < (clock_now() at time zone 'UTC')::date - ${raw(String(keptDays))} limit ${limit}))
    returning rule`);
  return rows.length;
}
