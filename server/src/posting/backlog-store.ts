/** How much waits to be posted, for those who watch. */
import { enabledEndpoints } from '../callbacks/index.ts';
import type { Queryable } from '../platform/db.ts';
import { sql } from '../platform/sql.ts';

/** Beyond it nobody needs to know how many more: it would only cost reading them. */
const mostCounted = 10_000;

export interface Backlog {
  /** Of enabled endpoints, as is the oldest of them. */
  due: number;
  oldestDueSeconds: number;
  givenUp: number;
}

/** Along the index of each endpoint, so that those who wait for a retry cost nothing. */
export async function readBacklog(db: Queryable): Promise<Backlog> {
  const [row] = await db.query<{ due: string; seconds: number | null; given_up: string }>(sql`
    with heads as materialized (
      select e.id, head.due_at from (${enabledEndpoints()}) e cross join lateral (
        select due_at from callback_queue q where q.endpoint_id = e.id and q.due_at <= clock_now()
        order by q.due_at, q.position limit 1) as head
    ), due as (
      select from heads cross join lateral (
        select from callback_queue q where q.endpoint_id = heads.id and q.due_at <= clock_now()
        limit ${mostCounted}) as waiting limit ${mostCounted}
    )
    select (select count(*) from due) as due,
      (select extract(epoch from clock_now() - min(due_at))::double precision from heads) as seconds,
      (select count(*) from (
        select from callback_queue where given_up_at is not null limit ${mostCounted}) as ended) as given_up`);
  return {
    due: Number(row?.due ?? 0),
    oldestDueSeconds: row?.seconds ?? 0,
    givenUp: Number(row?.given_up ?? 0),
  };
}
