/** What receipts give back of a cost, or take again, as the entries of the ledger tell it; pure. */
import type { Column } from '../platform/sql.ts';
import type { Entry } from './change.ts';
import type { Ids } from './content.ts';

interface Saved extends Ids {
  entries: readonly Entry[];
}

interface Correction {
  applicationId: string;
  messageId: string;
  attempt: number;
  /** The call it is the cost of. */
  try: number;
  micros: number;
}

/** What the receipts in a save give back, or take again. */
export const correctionsOf = ({ applicationId, messageId, entries }: Saved): Correction[] =>
  entries.flatMap(({ attempt, data }) => {
    const micros = Number(data?.['refunded_micros'] ?? 0) - Number(data?.['charged_micros'] ?? 0);
    const one = Number(data?.['try'] ?? 1);
    return attempt === undefined || micros === 0 ? [] : [{ applicationId, messageId, attempt, try: one, micros }];
  });

export const correctionColumns: Record<string, Column<Correction>> = {
  application_id: ['bigint', ({ applicationId }) => applicationId],
  message_id: ['bigint', ({ messageId }) => messageId],
  attempt: ['smallint', ({ attempt }) => attempt],
  try: ['smallint', (correction) => correction.try],
  micros: ['bigint', ({ micros }) => micros],
};
