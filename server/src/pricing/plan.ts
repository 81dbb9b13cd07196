/** What an import changes: from what is there and what is wanted to what is written. Pure, so that a dry run is the same run. */
import type { Price, PriceKey } from './price.ts';
import type { NewPrice } from './rows.ts';

export const modes = ['merge', 'replace'] as const;
/** merge: what is not named stays. replace: the table is afterwards what was given. */
export type Mode = (typeof modes)[number];

export interface Plan {
  /** With the moment each begins. */
  added: (NewPrice & { validFrom: Date })[];
  /** The same key and moment with another price or refund. */
  changed: (NewPrice & { id: string; validFrom: Date })[];
  unchanged: number;
  /** Ids. */
  removed: string[];
}

const keyOf = ({ provider, channel, country, prefix }: PriceKey): string =>
  [provider, channel, country, prefix].join(' ');

/** A price without a time is kept from now on; where it is in force already it stays as it is, so that repeating changes nothing. */
export function planImport(there: readonly Price[], wanted: readonly NewPrice[], mode: Mode, nowMs: number): Plan {
  const known = new Map<string, Price[]>();
  for (const price of there) {
    const versions = known.get(keyOf(price));
    if (versions) versions.push(price);
    else known.set(keyOf(price), [price]);
  }
  const plan: Plan = { added: [], changed: [], unchanged: 0, removed: [] };
  const kept = new Set<string>();
  for (const row of wanted) {
    const versions = known.get(keyOf(row)) ?? [];
    const standing = row.validFrom === null ? inForce(versions, nowMs) : undefined;
    if (standing && isAlike(standing, row)) {
      kept.add(standing.id);
      plan.unchanged++;
      continue;
    }
    const validFrom = row.validFrom ?? new Date(nowMs);
    const same = at(versions, validFrom.getTime());
    if (same) kept.add(same.id);
    if (!same) plan.added.push({ ...row, validFrom });
    else if (isAlike(same, row)) plan.unchanged++;
    else plan.changed.push({ ...row, id: same.id, validFrom });
  }
  if (mode === 'replace') plan.removed = there.flatMap(({ id }) => (kept.has(id) ? [] : id));
  return plan;
}

const isAlike = (price: Price, row: NewPrice): boolean =>
  price.priceMicros === row.priceMicros && price.refund === row.refund;

const at = (versions: readonly Price[], ms: number): Price | undefined =>
  versions.find(({ validFrom }) => validFrom.getTime() === ms);

function inForce(versions: readonly Price[], nowMs: number): Price | undefined {
  const begun = versions.filter(({ validFrom }) => validFrom.getTime() <= nowMs);
  return begun.toSorted((a, b) => b.validFrom.getTime() - a.validFrom.getTime())[0];
}
