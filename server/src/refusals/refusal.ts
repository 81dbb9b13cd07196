/** A send that was refused, as it is told to this room and as it is found again. Never a code, nor the params of the text. */
export interface Refusal {
  applicationId: string;
  /** As it was asked for, or in normalised form. */
  recipient: string | null;
  /** ISO 3166 alpha-2. */
  country: string | null;
  templateId: string | null;
  keyId: string | null;
  requestId: string | null;
  /** Of the error table. */
  code: number;
  /** Its stable slug, where it has one. */
  reason: string | null;
  /** The decision report: limits, rules, budgets and hook that were asked. */
  decision: Record<string, unknown> | null;
  /** Of the caller's user. */
  ip: string | null;
}

export interface KeptRefusal extends Refusal {
  id: string;
  at: Date;
}
