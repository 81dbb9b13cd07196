/**
 * What a room adds to a statement of another room that judges many rows and writes for those that pass: its own rule, its own
 * tables, the same commit. The rooms do not know each other; the statement's owner puts the shares together.
 */
import type { Column, Sql } from './sql.ts';

export interface Share<Item> {
  /** Merged into the relation of the rows to judge; names begin with the room's word. */
  columns: Record<string, Column<Item>>;
  /**
   * Clauses of a `with` that lock what they count on and judge every row. The last one is the relation `<word>_verdicts` with ord,
   * verdict (text, null: nothing against it), retry_after (seconds, null: nothing to wait for) and note (jsonb, what was found).
   * `input` names the relation of the rows; `after` names a clause whose locks are taken before, to be read from.
   */
  judge(input: Sql, after: Sql): Sql;
  /** The name of that last clause. */
  verdicts: Sql;
  /** Clauses that write for the rows in `granted`, a relation with the columns of the input. */
  write(granted: Sql): Sql;
}
