/** Where a sandbox application wants its callbacks (contract §11.7): probed when set, signed as in production. */
import { randomInt } from 'node:crypto';
import { invalid } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import { messageIdOf } from '../platform/ids.ts';
import type { Outbound } from '../platform/outbound.ts';
import type { Keyring } from '../platform/seal.ts';
import { createSigningSecret, signedHeaders } from '../platform/webhook-signature.ts';
import { deleteWebhook, findWebhook, saveWebhook } from './store.ts';

const probeTimeoutMs = 3_000;
const purpose = 'sandbox-webhook';

export interface WebhookPorts {
  db: Db;
  keyring: Keyring;
  clock: Clock;
  outbound: Outbound;
}

export interface Webhook {
  url: string;
  username: string;
  secret: string;
  /** Value of an Authorization header. */
  authorization?: string | undefined;
}

export interface SavedWebhook extends Webhook {
  signingSecret: string;
  reachable: boolean;
}

/**
 * Probes and saves; a failing probe saves too. The signing secret is a new one each time: behind the public credentials the
 * next caller is a stranger. 400/3002 for an address that could never be called.
 */
export async function setWebhook(
  ports: WebhookPorts,
  applicationId: string,
  webhook: Webhook,
  signal: AbortSignal,
): Promise<SavedWebhook> {
  const problem = ports.outbound.fault(webhook.url);
  if (problem !== null) throw invalid([{ field: 'url', problem }]);
  const signingSecret = createSigningSecret();
  const reachable = await probe(ports, webhook, signingSecret, signal);
  const seal = (text: string): Buffer => ports.keyring.seal(purpose, text, applicationId);
  await saveWebhook(ports.db, {
    applicationId,
    url: webhook.url,
    username: webhook.username,
    secret: seal(webhook.secret),
    signingSecret: seal(signingSecret),
    authorization: webhook.authorization === undefined ? null : seal(webhook.authorization),
    reachable,
  });
  return { ...webhook, signingSecret, reachable };
}

export async function removeWebhook({ db }: Pick<WebhookPorts, 'db'>, applicationId: string): Promise<void> {
  await deleteWebhook(db, applicationId);
}

/** With its secrets opened, for whoever signs callbacks; null where none is set. */
export async function openWebhook(
  { db, keyring }: Pick<WebhookPorts, 'db' | 'keyring'>,
  applicationId: string,
): Promise<SavedWebhook | null> {
  const row = await findWebhook(db, applicationId);
  if (!row) return null;
  const open = (sealed: Buffer): string => keyring.open(purpose, sealed, applicationId);
  return {
    url: row.url,
    username: row.username,
    secret: open(row.secret),
    signingSecret: open(row.signingSecret),
    reachable: row.reachable,
    ...(row.authorization !== null && { authorization: open(row.authorization) }),
  };
}

/** Contract §10.1: the body `{}` with all headers of a callback; any 2xx within three seconds passes. */
async function probe(
  { clock, outbound }: WebhookPorts,
  { url, username, secret, authorization }: Webhook,
  signingSecret: string,
  signal: AbortSignal,
): Promise<boolean> {
  const body = '{}';
  const nowMs = clock.now();
  const headers = signedHeaders({
    id: `evt_${messageIdOf(nowMs, 0, randomInt(4096))}`,
    nowMs,
    body,
    signingSecrets: [signingSecret],
    login: { username, secret },
    ...(authorization !== undefined && { authorization }),
  });
  const answer = await outbound.request({ url, headers, body, timeoutMs: probeTimeoutMs, signal });
  return answer.kind === 'answered' && answer.status >= 200 && answer.status < 300;
}
