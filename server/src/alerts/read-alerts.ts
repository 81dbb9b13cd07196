/** The operator's lists, a page at a time, newest first. */
import { invalid } from '../errors.ts';
import type { Db } from '../platform/db.ts';
import { isId } from '../platform/ids.ts';
import type { Keyring } from '../platform/seal.ts';
import { type AlertFilter, listAlerts, type ToldAlert } from './alert-store.ts';
import type { Kind, Rule } from './rule.ts';
import { listRules } from './rule-store.ts';

interface Page {
  limit: number;
  cursor?: string | undefined;
}

interface Listed<Row> {
  rows: Row[];
  /** Where the list goes on; null at its end. */
  next: string | null;
}

async function listPage<Row extends { id: string }>(
  { limit, cursor }: Page,
  read: (page: { limit: number; before: string | null }) => Promise<Row[]>,
): Promise<Listed<Row>> {
  if (cursor !== undefined && !isId(cursor)) throw invalid([{ field: 'cursor', problem: 'not a cursor of this list' }]);
  const rows = await read({ limit: limit + 1, before: cursor ?? null });
  const shown = rows.slice(0, limit);
  return { rows: shown, next: rows.length > limit ? (shown.at(-1)?.id ?? null) : null };
}

/** What can be no id finds nothing. */
const idOr0 = (id: string | undefined): string | null => (id === undefined ? null : isId(id) ? id : '0');

export const readRules = (
  { db, keyring }: { db: Db; keyring: Keyring },
  { applicationId, ...page }: Page & { applicationId?: string | undefined },
): Promise<Listed<Rule>> =>
  listPage(page, (part) => listRules(db, keyring, { applicationId: idOr0(applicationId), ...part }));

export interface AlertQuery extends Page {
  applicationId?: string | undefined;
  ruleId?: string | undefined;
  kind?: Kind | undefined;
  state?: 'raised' | 'ended' | undefined;
}

export const readAlerts = (
  db: Db,
  { applicationId, ruleId, kind, state, ...page }: AlertQuery,
): Promise<Listed<ToldAlert>> => {
  const filter: Omit<AlertFilter, 'limit' | 'before'> = {
    applicationId: idOr0(applicationId),
    ruleId: idOr0(ruleId),
    kind: kind ?? null,
    raised: state === undefined ? null : state === 'raised',
  };
  return listPage(page, (part) => listAlerts(db, { ...filter, ...part }));
};
