/**
 * What a room adds to a statement of another room that judges many rows and writes for those that pass: its own rule, its own
 * tables, the same commit. The rooms do not know each other; the statement's owner puts the shares together.
 */
import { type Column, join, raw, type Sql, sql } from './sql.ts';

export interface Share<Item> {
  /** The names of its columns and clauses begin with it. */
  word: string;
  /** False: none of the items is its business, and the statement goes without it. */
  concerns(items: readonly Item[]): boolean;
  /** Merged into the relation of the rows to judge. */
  columns: Record<string, Column<Item>>;
  /**
   * Clauses of a `with` that lock what they count on and judge. The last one is the relation `<word>_verdicts` with ord, verdict (text,
   * null: nothing against it; `changed`: ask again), retry_after (seconds, null: nothing to wait for) and note (jsonb, what was
   * found). A row without an entry has nothing against it. `items` are the rows in the order of `ord`, `input` names their
   * relation; `after` names a clause whose locks are taken before: reading it makes sure of that.
   */
  judge(items: readonly Item[], input: Sql, after: Sql): Sql;
  /**
   * Clauses that write for the rows in `granted`, a relation with the columns of the input. The last one is `<word>_settled`, which
   * the statement reads: it calls repeat_statement() where a row was made by somebody else meanwhile, so that all of the
   * statement is undone and done again.
   */
  write(granted: Sql): Sql;
}

export const verdictsOf = ({ word }: Pick<Share<never>, 'word'>): Sql => raw(`${word}_verdicts`);

/** True; for the last part of a statement, so that everything is looked at. */
export const allSettled = (shares: readonly Pick<Share<never>, 'word'>[]): Sql =>
  join([raw('true'), ...shares.map(({ word }) => sql`(select count(*) from ${raw(`${word}_settled`)}) >= 0`)], ' and ');
