/** The body of a callback from what the ledger and the message say. The same rows make the same bytes. */

import type { Endpoint } from '../callbacks/index.ts';
import { type MessageFacts, rowOf, standardBody, type ToldEntry } from '../events/index.ts';

export interface Told {
  entry: ToldEntry;
  /** Null where the event belongs to none, or to one that is forgotten. */
  message: MessageFacts | null;
}

/** Null when nothing can be told any more. `told` has one element unless the format is the vendor's. */
export function bodyOf(format: Endpoint['format'], told: readonly Told[]): string | null {
  if (format === 'standard') {
    const [only] = told;
    const body = only ? standardBody(only.entry, only.message) : null;
    return body && JSON.stringify(body);
  }
  const rows = told.map(({ entry, message }) => rowOf(entry, message)).filter((row) => row !== null);
  return rows.length === 0 ? null : JSON.stringify({ total: rows.length, rows });
}
