/**
 * Where a reader of an application's events stands: behind the entry of this transaction and position. Pure. The text begins with the
 * epoch of the ledger, since the numbers of one cluster mean nothing in another.
 */
import { ApiError } from '../errors.ts';

export interface Place {
  txid: bigint;
  position: bigint;
}

const maxTxid = (1n << 64n) - 1n;
const maxPosition = (1n << 63n) - 1n;

export const isBehind = (left: Place, right: Place): boolean =>
  left.txid < right.txid || (left.txid === right.txid && left.position < right.position);

export const furthest = (left: Place, right: Place): Place => (isBehind(left, right) ? right : left);

export const cursorOf = (epoch: number, { txid, position }: Place): string => `${epoch}-${txid}-${position}`;

const fault = (field: string, problem: string): ApiError =>
  new ApiError(3002, `${field}: ${problem}`, { details: { fields: [{ field, problem }] } });

/** Also for one that is ahead of everything there is: the database was set back behind it. */
export const staleCursor = (field: string): ApiError => fault(field, 'from before a restore; start without a cursor');

/** Throws 3002 naming the field. */
export function readCursor(text: string, epoch: number, field: string): Place {
  const [, ofEpoch, txid, position] = /^([1-9]\d{0,9})-(0|[1-9]\d{0,19})-(0|[1-9]\d{0,18})$/.exec(text) ?? [];
  if (ofEpoch === undefined || txid === undefined || position === undefined) throw fault(field, 'not a cursor');
  const place = { txid: BigInt(txid), position: BigInt(position) };
  if (place.txid > maxTxid || place.position > maxPosition) throw fault(field, 'not a cursor');
  if (Number(ofEpoch) !== epoch) throw staleCursor(field);
  return place;
}
