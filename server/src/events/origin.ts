/**
 * Whether the ledger still lies in the cluster it was written in. After a restore from a logical dump elsewhere, transaction numbers start
 * low again: entries with the old, high ones would stay hidden from followers until the new cluster gets there. So they are frozen
 * to a number below all others, where their positions keep their order, and the epoch in every cursor moves on.
 */
import { DatabaseUnavailable, type Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import { findOrigin, findSystemIdentifier, freezeEntries, type Key, lockOrigin, saveOrigin } from './origin-store.ts';

const rowsAtOnce = 20_000;

/** The epoch of this ledger, after whatever a move demands is done. */
export async function settleOrigin(db: Db, log: Log): Promise<number> {
  let identifier: string;
  try {
    identifier = await findSystemIdentifier(db);
  } catch (error) {
    if (error instanceof DatabaseUnavailable) throw error;
    // A managed database may keep this to itself. Then a move goes unnoticed: old entries appear only as txids catch up.
    log.debug(
      { err: error },
      'the database does not tell its system identifier; a restore elsewhere cannot be noticed',
    );
    return (await findOrigin(db))?.epoch ?? 1;
  }
  return db.transaction(async (tx) => {
    await lockOrigin(tx);
    const known = await findOrigin(tx);
    if (known?.system_identifier === identifier) return known.epoch;
    const epoch = (known?.epoch ?? 0) + 1;
    if (known) {
      log.warn({ epoch }, 'the ledger has moved to another database cluster; cursors of before are refused');
      let last: Key | null = { application_id: '0', message_id: '0', position: '0' };
      while (last) last = await freezeEntries(tx, last, rowsAtOnce);
    }
    await saveOrigin(tx, { system_identifier: identifier, epoch });
    return epoch;
  });
}
