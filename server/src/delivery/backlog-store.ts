/** How much waits to be handed over, for those who watch. */
import type { Queryable } from '../platform/db.ts';
import { sql } from '../platform/sql.ts';

/** Beyond it nobody needs to know how many more: it would only cost reading them. */
const mostCounted = 10_000;

export interface Backlog {
  due: number;
  oldestDueSeconds: number;
}

/** Along the index of what is due. */
export async function readBacklog(db: Queryable): Promise<Backlog> {
  const [row] = await db.query<{ due: string; seconds: number | null }>(sql`
    select count(*) as due, extract(epoch from clock_now() - min(due_at))::double precision as seconds
    from (select due_at from deliveries where due_at <= clock_now() order by due_at limit ${mostCounted}) as waiting`);
  return { due: Number(row?.due ?? 0), oldestDueSeconds: row?.seconds ?? 0 };
}
