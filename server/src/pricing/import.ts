/** A price list taken in as a whole or not at all; every line that is wrong is named. */
import { type FieldFault, invalid } from '../errors.ts';
import type { Db } from '../platform/db.ts';
import { readPrices } from './csv.ts';
import { type Mode, type Plan, planImport } from './plan.ts';
import type { Price } from './price.ts';
import { type Actor, applyPlan, planOn } from './store.ts';

/** More than anybody corrects at a time. */
const maxFaults = 200;

export interface ImportPorts {
  db: Db;
  currency: string;
}

export async function importPrices(
  { db, currency }: ImportPorts,
  { csv, mode, dry_run }: { csv: string; mode: Mode; dry_run: boolean },
  actor: Actor,
): Promise<Plan> {
  const { rows, faults } = readPrices(csv, currency);
  refuseFaulty(faults);
  const plan = (there: readonly Price[], now: Date): Plan => planImport(there, rows, mode, now.getTime());
  return dry_run ? planOn(db, plan) : applyPlan(db, plan, { mode }, actor);
}

function refuseFaulty(faults: readonly FieldFault[]): void {
  const [first, ...others] = faults;
  if (!first) return;
  const left = faults.length - maxFaults;
  const more = left > 0 ? [{ field: 'csv', problem: `and ${left} more` }] : [];
  throw invalid([first, ...others.slice(0, maxFaults - 1), ...more]);
}
