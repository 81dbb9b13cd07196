/** SQL on the ledger's origin, see origin.ts. */
import type { Queryable } from '../platform/db.ts';
import { sql } from '../platform/sql.ts';

const originLock = 7_261_016;

/** Held to the end of the transaction, so that nodes that start together take turns. */
export async function lockOrigin(tx: Queryable): Promise<void> {
  await tx.query(sql`select pg_advisory_xact_lock(${originLock})`);
}

/** Rejects where the database does not tell it. */
export async function findSystemIdentifier(db: Queryable): Promise<string> {
  const [row] = await db.query<{ told: string }>(sql`select system_identifier::text as told from pg_control_system()`);
  if (!row) throw new Error('pg_control_system() tells nothing');
  return row.told;
}

export interface Origin {
  system_identifier: string;
  epoch: number;
}

export async function findOrigin(db: Queryable): Promise<Origin | null> {
  const [row] = await db.query<Origin>(sql`select system_identifier, epoch from ledger_origin`);
  return row ?? null;
}

/** Made, or moved into the next epoch. */
export async function saveOrigin(db: Queryable, { system_identifier, epoch }: Origin): Promise<void> {
  await db.query(sql`
    insert into ledger_origin (system_identifier, epoch) values (${system_identifier}, ${epoch})
    on conflict (sole) do update set system_identifier = excluded.system_identifier, epoch = excluded.epoch`);
}

export interface Key {
  application_id: string;
  message_id: string;
  position: string;
}

/** Gives up to `limit` entries behind the key a txid below any that a cluster hands out; resolves with the last key, null at the end. */
export async function freezeEntries(tx: Queryable, after: Key, limit: number): Promise<Key | null> {
  const rows = await tx.query<Key>(sql`
    with chunk as materialized (
      select application_id, message_id, position from events
      where (application_id, message_id, position) > (${after.application_id}::bigint, ${after.message_id}::bigint, ${after.position}::bigint)
      order by application_id, message_id, position limit ${limit}
    ), frozen as (
      update events set txid = '1'::xid8 from chunk
      where events.application_id = chunk.application_id and events.message_id = chunk.message_id
        and events.position = chunk.position and events.status is not null
      returning 1
    )
    select application_id, message_id, position from chunk order by application_id desc, message_id desc, position desc limit 1`);
  return rows[0] ?? null;
}
