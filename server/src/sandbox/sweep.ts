/** Removes what the sandbox keeps for 24 hours only, a bounded number of rows at a time. */
import type { Db } from '../platform/db.ts';
import { deleteOld } from './store.ts';

const rowsAtOnce = 5_000;

/** Resolves with the number of rows removed; stops early when `goOn` says so. */
export async function sweep(db: Db, goOn: () => boolean = () => true): Promise<number> {
  let removed = 0;
  for (;;) {
    const now = await deleteOld(db, rowsAtOnce);
    removed += now;
    if (now === 0 || !goOn()) return removed;
  }
}
