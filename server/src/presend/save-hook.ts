/** Setting, rotating and deleting the hook of an application. What is changed holds for the next send, on every node within a second. */
import { invalid } from '../errors.ts';
import type { Queryable } from '../platform/db.ts';
import { overlapMs, rotated } from '../platform/signing-secrets.ts';
import { createSigningSecret } from '../platform/webhook-signature.ts';
import { type Hook, type HookSettings, sealSecrets } from './hook.ts';
import { found, type Office, requireApplication } from './office.ts';
import * as store from './store.ts';

/** `authorization`: undefined leaves the one there is, null takes it away. */
export type HookRequest = HookSettings & { authorization: string | null | undefined };

async function change<T>(office: Office, id: string, write: (tx: Queryable) => Promise<T>): Promise<T> {
  const locked = async (tx: Queryable): Promise<T> => {
    await store.lockHook(tx, id);
    return write(tx);
  };
  try {
    return await office.db.transaction(locked);
  } finally {
    await office.changed();
  }
}

/** The signing secret only where it was made: for the first hook of an application, or in place of one that cannot be opened. */
export async function setHook(
  office: Office,
  applicationId: string,
  { authorization, ...settings }: HookRequest,
  actor: store.Actor,
): Promise<{ hook: Hook; signingSecret: string | null }> {
  const { keyring } = office;
  const { id } = await requireApplication(office, applicationId);
  const problem = office.outbound.fault(settings.url);
  if (problem !== null) throw invalid([{ field: 'url', problem }]);
  return change(office, id, async (tx) => {
    const before = (await store.findHook(tx, keyring, id))?.secrets ?? null;
    const signingSecret = before ? null : createSigningSecret();
    const secrets = {
      authorization: authorization === undefined ? (before?.authorization ?? null) : authorization,
      signing: before?.signing ?? [{ secret: signingSecret ?? '', untilMs: null }],
    };
    const hook = await store.saveHook(tx, keyring, id, settings, sealSecrets(keyring, id, secrets), actor);
    return { hook, signingSecret };
  });
}

export interface Rotated {
  hook: Hook;
  signingSecret: string;
  formerSignsUntil: Date;
}

/** The former secret signs beside the new one for another day. */
export async function rotateSecret(office: Office, applicationId: string, actor: store.Actor): Promise<Rotated> {
  const { keyring, clock } = office;
  const { id } = await requireApplication(office, applicationId);
  const signingSecret = createSigningSecret();
  const nowMs = clock.now();
  const hook = await change(office, id, async (tx) => {
    const { secrets } = found('pre-send hook', await store.findHook(tx, keyring, id));
    const after = {
      authorization: secrets?.authorization ?? null,
      signing: rotated(secrets?.signing ?? [], signingSecret, nowMs),
    };
    return store.updateSecrets(tx, keyring, id, sealSecrets(keyring, id, after), actor);
  });
  return { hook: found('pre-send hook', hook), signingSecret, formerSignsUntil: new Date(nowMs + overlapMs) };
}

export async function deleteHook(office: Office, applicationId: string, actor: store.Actor): Promise<void> {
  const { id } = await requireApplication(office, applicationId);
  found('pre-send hook', await change(office, id, (tx) => store.deleteHook(tx, office.keyring, id, actor)));
}
