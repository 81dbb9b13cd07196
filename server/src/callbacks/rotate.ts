/** A new signing secret; the former one signs beside it for another day (contract §10.1), so that a receiver can change over. */
import { createSigningSecret } from '../platform/webhook-signature.ts';
import { type Endpoint, type EndpointSecrets, sealSecrets } from './endpoint.ts';
import { type Actor, changeEndpoint, type Office } from './office.ts';
import { updateSecrets } from './save-store.ts';

const overlapMs = 24 * 3_600_000;
/** Secrets that sign at once, so that the header stays short when somebody rotates again and again. */
const maxSigning = 5;

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

/** Those of earlier rotations keep the day they were given. */
function rotated(signing: EndpointSecrets['signing'], secret: string, nowMs: number): EndpointSecrets['signing'] {
  const former = signing
    .map(({ secret: old, untilMs }) => ({ secret: old, untilMs: untilMs ?? nowMs + overlapMs }))
    .filter(({ untilMs }) => untilMs > nowMs);
  return [{ secret, untilMs: null }, ...former].slice(0, maxSigning);
}
