/**
 * The webhook of a sandbox application (contract §11.7): an endpoint like any other, one per application. The last one set wins,
 * with a signing secret of its own and nothing of the former's queue: behind the public credentials the next caller is a stranger.
 */
import { createSigningSecret } from '../platform/webhook-signature.ts';
import { defaultEvents } from './chosen-events.ts';
import { type EndpointSecrets, type EndpointSettings, sealSecrets } from './endpoint.ts';
import { findSandboxEndpoint } from './endpoint-store.ts';
import { type Office, requireNone } from './office.ts';
import { probe } from './probe.ts';
import * as store from './save-store.ts';

export interface SandboxWebhook {
  url: string;
  username: string;
  secret: string;
  /** Value of an Authorization header. */
  authorization?: string | undefined;
}

export interface SavedSandboxWebhook extends SandboxWebhook {
  signingSecret: string;
  reachable: boolean;
}

const settingsOf = ({ url, username }: SandboxWebhook): EndpointSettings => ({
  description: 'sandbox webhook',
  url,
  username,
  eventTypes: defaultEvents,
  format: 'vendor',
  retrySchedule: 'vendor',
  batchRows: 1,
  timeoutMs: 5_000,
  concurrency: 20,
  ratePerSecond: null,
  enabled: true,
});

/** Probes and saves; a failing probe saves too. 400/3002 for an address that could never be called. */
export async function setSandboxWebhook(
  office: Office,
  applicationId: string,
  webhook: SandboxWebhook,
): Promise<SavedSandboxWebhook> {
  const problem = office.outbound.fault(webhook.url);
  requireNone(problem === null ? [] : [{ field: 'url', problem }]);
  const signingSecret = createSigningSecret();
  const settings = settingsOf(webhook);
  const secrets: EndpointSecrets = {
    secret: webhook.secret,
    authorization: webhook.authorization ?? null,
    signing: [{ secret: signingSecret, untilMs: null }],
  };
  const probed = await probe(office, { ...settings, secrets });
  const sealed = sealSecrets(office.keyring, applicationId, secrets);
  await replace(office, applicationId, { applicationId, settings, secrets: sealed, ofSandbox: true, probed });
  return { ...webhook, signingSecret, reachable: probed.reachable };
}

export async function removeSandboxWebhook(office: Office, applicationId: string): Promise<void> {
  await replace(office, applicationId, null);
}

/** No line of the ledger: it would keep the addresses of strangers. */
async function replace(office: Office, applicationId: string, made: store.NewEndpoint | null): Promise<void> {
  const { db, keyring } = office;
  const [former, endpoint] = await db.transaction(async (tx) => {
    await store.lockApplication(tx, applicationId);
    const gone = await store.deleteEndpoint(tx, applicationId, 'of_sandbox', null);
    return [gone, made && (await store.insertEndpoint(tx, keyring, made, 0, null))];
  });
  if (former !== null) {
    office.changed();
    await office.forgetPosts(former);
  }
  if (endpoint) office.changed();
}

/** With its secrets opened; null where none is set. */
export async function findSandboxWebhook(
  { db, keyring }: Pick<Office, 'db' | 'keyring'>,
  applicationId: string,
): Promise<SavedSandboxWebhook | null> {
  const found = await findSandboxEndpoint(db, keyring, applicationId);
  if (!found) return null;
  const { url, username, secrets, reachable } = found;
  return {
    url,
    username: username ?? '',
    secret: secrets.secret ?? '',
    signingSecret: secrets.signing[0]?.secret ?? '',
    reachable,
    ...(secrets.authorization !== null && { authorization: secrets.authorization }),
  };
}
