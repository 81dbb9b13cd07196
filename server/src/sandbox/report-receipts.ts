/**
 * Reports the planned receipts that are due. At least once: a receipt leaves the database only after the platform has taken it;
 * one that was claimed and not finished is claimed again when its lease lapses.
 */
import type { Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import { claimReceipts, type DueReceipt, type ReportedReceipt, settleReceipts } from './store.ts';
import { receiptOf, type VirtualNetwork } from './virtual-network.ts';

export const claimLimit = 500;
const leaseSeconds = 30;

export interface ReportPorts {
  db: Db;
  log: Log;
  network: VirtualNetwork;
}

/** One round; resolves with the number of receipts reported, taken or not. Throws DatabaseUnavailable. */
export async function reportDueReceipts({ db, log, network }: ReportPorts): Promise<number> {
  // A node that delivers nothing hears no receipts; the others report them.
  if (!network.isOpen()) return 0;
  const due = await claimReceipts(db, claimLimit, leaseSeconds);
  if (due.length === 0) return 0;
  const report = async (receipt: DueReceipt): Promise<ReportedReceipt> => {
    try {
      return { ...receipt, taken: await network.report(receiptOf(receipt.number, receipt.errorCode)) };
    } catch (error) {
      log.warn({ err: error, number: receipt.number }, 'receipt not taken, will be reported again');
      return { ...receipt, taken: false };
    }
  };
  await settleReceipts(db, await Promise.all(due.map(report)));
  return due.length;
}
