/** A send that is refused, told to whoever keeps such things: what was asked of it, and what the answers were. */
import type { ApiError } from '../errors.ts';
import type { Application } from '../policy.ts';
import type { SendRequest } from './compose.ts';
import { decisionView, type StoredDecision } from './decision.ts';

export interface RefusedSend {
  applicationId: string;
  recipient: string;
  country: string | null;
  templateId: string;
  keyId: string | null;
  requestId: string | null;
  code: number;
  reason: string | null;
  decision: Record<string, unknown> | null;
  ip: string | null;
}

export type NoteRefusal = (refused: RefusedSend) => void;

/** `found`: null where nobody had been asked yet. */
export function refusedSend(
  application: Application,
  templateId: string,
  { to, caller, signals, requestId }: SendRequest,
  { code, reason }: ApiError,
  { stored, country }: { stored: StoredDecision | null; country: string | null },
): RefusedSend {
  const { hook, ...view } = decisionView(stored);
  return {
    applicationId: application.id,
    recipient: to,
    country,
    templateId,
    keyId: caller?.keyId ?? null,
    requestId,
    code,
    reason: reason ?? null,
    decision: stored && { ...view, hook: hook && { ...hook, reason: stored.hook?.reason } },
    ip: typeof signals?.['ip'] === 'string' ? signals['ip'] : null,
  };
}
