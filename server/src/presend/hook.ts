/** A pre-send hook: what its owner chooses, what is kept sealed of it, and the question as it goes out. */
import type { Keyring } from '../platform/seal.ts';
import type { SigningSecrets } from '../platform/signing-secrets.ts';

export const decisions = ['allow', 'deny', 'challenge'] as const;
export type Decision = (typeof decisions)[number];

/** open: a send passes when there is no good answer. closed: it is refused. */
export const failureModes = ['open', 'closed'] as const;

export interface HookSettings {
  url: string;
  /** For everything from waiting for a free connection to the last byte of the answer. */
  timeoutMs: number;
  onFailure: (typeof failureModes)[number];
  enabled: boolean;
}

/** Kept sealed. */
export interface HookSecrets {
  /** Value of the Authorization header. */
  authorization: string | null;
  signing: SigningSecrets;
}

export interface Hook extends HookSettings {
  applicationId: string;
  /** Null when they were sealed under another master key: the hook fails until it is saved again. */
  secrets: HookSecrets | null;
  version: string;
  createdAt: Date;
  updatedAt: Date;
}

/** What the customer is asked about. Never a code, nor the params, where one may stand. */
export interface HookQuestion {
  /** E.164 or e-mail. */
  to: string;
  country: string | null;
  numberType: string | null;
  templateId: string;
  purpose: string | null;
  /** As the caller sent them. */
  signals: Record<string, unknown> | null;
  keyId: string | null;
  /** The Idempotency-Key of the request, where it has one. */
  idempotency?: string;
}

export interface HookAnswer {
  answer: Decision;
  tookMs: number;
  /** Why there was no good answer, in a few words; `answer` is then what the hook's owner chose for that. */
  failed?: string;
  /** The customer's own words, for the operator alone. */
  reason?: string;
}

const purpose = 'presend-hook';

export const sealSecrets = (keyring: Keyring, applicationId: string, secrets: HookSecrets): Buffer =>
  keyring.seal(purpose, JSON.stringify(secrets), applicationId);

export function openSecrets(keyring: Keyring, applicationId: string, sealed: Buffer): HookSecrets | null {
  try {
    return JSON.parse(keyring.open(purpose, sealed, applicationId)) as HookSecrets;
  } catch {
    // One that cannot be opened must not hide the others from memory; asking it fails with these words.
    return null;
  }
}

export const questionBody = (id: string, applicationId: string, asked: HookQuestion): string =>
  JSON.stringify({
    id,
    type: 'message.pre_send',
    data: {
      application_id: applicationId,
      to: asked.to,
      country: asked.country,
      number_type: asked.numberType,
      template_id: asked.templateId,
      purpose: asked.purpose,
      signals: asked.signals,
      key_id: asked.keyId,
      ...(asked.idempotency !== undefined && { idempotency: asked.idempotency }),
    },
  });
