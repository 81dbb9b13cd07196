/**
 * The code that lives for a target when another send comes, under policies other than compat, and whether that send joins its
 * verification (contract §5.6). All codes of a verification are for one purpose and of one type, so that what a message shows
 * is what is checked, and every code is compared as it was drawn.
 */
import type { ResendRule } from '../policy.ts';
import type { VerificationView } from '../verifications/index.ts';

export interface Living {
  messageId: string;
  /** Null when it has ended although its lock stands (attempts exhausted). */
  verification: VerificationView | null;
  /** The living code, under reuse while it can still be sent. */
  code: string | null;
}

/** A verification that a new message becomes part of. */
interface Joined extends Living {
  verification: VerificationView;
}

/** Null where the send starts a verification of its own, which supersedes the living one. */
export function joinedBy(
  { purpose, codeType }: { purpose: string | null; codeType: number },
  rule: ResendRule,
  living: Living | null,
): Joined | null {
  if (!living?.verification || living.verification.purpose !== purpose) return null;
  const { messageId, verification, code } = living;
  const joins =
    rule.mode === 'reuse' ? code !== null : rule.mode === 'rotate_with_grace' && verification.codeType === codeType;
  return joins ? { messageId, verification, code } : null;
}
