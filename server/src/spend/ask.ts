/** What a send asks of balance and budgets, and its columns in the accepting statement. */
import type { Column } from '../platform/sql.ts';

export interface SpendAsk {
  organizationId: string;
  applicationId: string;
  messageId: string;
  /** Of the phone number: ISO 3166 and without plus; null where there is none. */
  country: string | null;
  callingCode: string | null;
  /** What the first usable step will cost as far as is known. */
  estimateMicros: number;
  /** A budget that the caller's key carries itself, per day in UTC; it counts all steps that may follow without anybody asking. */
  keyBudget: { keyId: string; capMicros: number; chainMicros: number } | null;
}

type Carrier = { spend: SpendAsk | null };

/** Null in every column: nobody asks, neither balance nor budgets (test recipients). */
export const spendColumns: Record<string, Column<Carrier>> = {
  spend_organization: ['bigint', ({ spend }) => spend?.organizationId ?? null],
  spend_country: ['text', ({ spend }) => spend?.country ?? null],
  spend_calling_code: ['text', ({ spend }) => spend?.callingCode ?? null],
  spend_micros: ['bigint', ({ spend }) => spend?.estimateMicros ?? null],
  spend_key: ['bigint', ({ spend }) => spend?.keyBudget?.keyId ?? null],
  spend_key_micros: ['bigint', ({ spend }) => spend?.keyBudget?.chainMicros ?? null],
  spend_key_cap: ['bigint', ({ spend }) => spend?.keyBudget?.capMicros ?? null],
};
