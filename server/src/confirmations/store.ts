/** All SQL of the room. */
import type { Queryable } from '../platform/db.ts';
import { sql } from '../platform/sql.ts';

export type Redeemed = 'good' | 'used' | 'expired';

/** Good for exactly one caller. One clock tells what has expired and what is forgotten, and long after: none is good a second time. */
export async function useOnce(db: Queryable, nonce: string, expiresAt: Date): Promise<Redeemed> {
  const [row] = await db.query<{ redeemed: Redeemed }>(sql`
    with forgotten as (delete from used_confirmations where expires_at < clock_now() - interval '1 hour'),
    used as (
      insert into used_confirmations (nonce, expires_at)
      select ${nonce}, ${expiresAt}::timestamptz where ${expiresAt}::timestamptz > clock_now()
      on conflict do nothing returning 1
    )
    select case when exists (select 1 from used) then 'good'
      when ${expiresAt}::timestamptz > clock_now() then 'used' else 'expired' end as redeemed`);
  if (!row) throw new Error('a statement that returns one row returned none');
  return row.redeemed;
}
