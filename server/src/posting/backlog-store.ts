/** How much waits to be posted, for those who watch. */
import type { Queryable } from '../platform/db.ts';
import { sql } from '../platform/sql.ts';

/** Beyond it nobody needs to know how many more: it would only cost reading them. */
const mostCounted = 10_000;

export interface Backlog {
  due: number;
  oldestDueSeconds: number;
  givenUp: number;
}

/** Along the indexes of each endpoint: from one endpoint to the next, so that those who wait for a retry cost nothing. */
export async function readBacklog(db: Queryable): Promise<Backlog> {
  const [row] = await db.query<{ due: string; seconds: number | null; given_up: string }>(sql`
    with recursive heads as (
      (select endpoint_id, due_at from callback_queue where due_at is not null order by endpoint_id, due_at, position limit 1)
      union all
      select next.endpoint_id, next.due_at from heads cross join lateral (
        select endpoint_id, due_at from callback_queue where due_at is not null and endpoint_id > heads.endpoint_id
        order by endpoint_id, due_at, position limit 1) as next
    ), due as (
      select from heads cross join lateral (
        select from callback_queue q where q.endpoint_id = heads.endpoint_id and q.due_at <= clock_now()
        limit ${mostCounted}) as waiting limit ${mostCounted}
    )
    select (select count(*) from due) as due,
      (select extract(epoch from clock_now() - min(due_at))::double precision from heads where due_at <= clock_now()) as seconds,
      (select count(*) from (
        select from callback_queue where given_up_at is not null limit ${mostCounted}) as ended) as given_up`);
  return {
    due: Number(row?.due ?? 0),
    oldestDueSeconds: row?.seconds ?? 0,
    givenUp: Number(row?.given_up ?? 0),
  };
}
