/** A new signing secret; the former one signs beside it for another day (contract §10.1), so that a receiver can change over. */
import { overlapMs, rotated } from '../platform/signing-secrets.ts';
import { createSigningSecret } from '../platform/webhook-signature.ts';
import { type Endpoint, sealSecrets } from './endpoint.ts';
import { type Actor, changeEndpoint, type Office } from './office.ts';
import { updateSecrets } from './save-store.ts';

export interface Rotated {
  endpoint: Endpoint;
  signingSecret: string;
  formerSignsUntil: Date;
}

export async function rotateSecret(office: Office, applicationId: string, id: string, actor: Actor): Promise<Rotated> {
  const signingSecret = createSigningSecret();
  const nowMs = office.clock.now();
  const endpoint = await changeEndpoint(office, { applicationId, id }, (read) => {
    const secrets = { ...read.secrets, signing: rotated(read.secrets.signing, signingSecret, nowMs) };
    return updateSecrets(
      office.db,
      office.keyring,
      read,
      sealSecrets(office.keyring, read.applicationId, secrets),
      actor,
    );
  });
  return { endpoint, signingSecret, formerSignsUntil: new Date(nowMs + overlapMs) };
}
