/**
 * What other rooms add to the accepting statement, put together: each judges the rows that nothing before it is against, in order,
 * and all write for the rows that are accepted in the end. Refused rows are taken out by their number: usually there is none.
 */
import type { Share } from '../platform/share.ts';
import { join, raw, type Sql, sql } from '../platform/sql.ts';

export interface Shared {
  /** Clauses behind `verdicts`; every one ends with a comma. */
  judged: Sql;
  /** Relation of the rows that everybody let pass. */
  passed: Sql;
  /** Clauses for the relation `accepted`; every one ends with a comma. */
  written: Sql;
  /** Relation of the rows that a share is against: ord, verdict, retry_after; and of what was found: ord, note. */
  refusals: Sql;
}

// biome-ignore lint/suspicious/noExplicitAny: the items are of no concern here
export function putTogether(shares: readonly Share<any>[]): Shared {
  const passedAt = (place: number): Sql => raw(`passed_${place}`);
  const granted = sql`${passedAt(0)} as not materialized (select * from verdicts where verdict = 'granted'),`;
  const judged = shares.map((share, place) => {
    const after = place === 0 ? raw('verdicts') : (shares[place - 1]?.verdicts ?? raw('verdicts'));
    return sql`${share.judge(passedAt(place), after)},
      ${passedAt(place + 1)} as not materialized (select * from ${passedAt(place)}
        where ord not in (select ord from ${share.verdicts} where verdict is not null)),`;
  });
  const found = shares.map(({ verdicts }) => sql`select ord, verdict, retry_after, note from ${verdicts}`);
  return {
    judged: join([granted, ...judged], ' '),
    passed: passedAt(shares.length),
    written: join(
      shares.map((share) => sql`${share.write(raw('accepted'))},`),
      ' ',
    ),
    refusals:
      found.length > 0
        ? join(found, ' union all ')
        : raw('select 0::bigint, null::text, null::integer, null::jsonb where false'),
  };
}
