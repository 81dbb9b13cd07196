/**
 * API keys of applications. A secret leaves only in the answer that made it; every change holds from the next request on, on
 * every node, and is in the ledger as a key_manage event (contract §10).
 */
import { invalid } from '../errors.ts';
import { type Permission, permissionNames, type RateLimit } from '../policy.ts';
import { type AgentChange, firstTerms, termsOf } from './agent-terms.ts';
import { canonicalEntry } from './allowlist.ts';
import { getApplication } from './applications.ts';
import { hashKeyPair, makeDevKey, makeDevSecret } from './credential.ts';
import { found, knownForm, type Listed, type ListRequest, listPage, type Office } from './office.ts';
import type { Actor, ApiKey, ApplicationRecord, KeySettings } from './records.ts';
import * as store from './store.ts';

/** As it arrives; undefined = as it is, or the default of a new key. */
export interface KeyRequest {
  description?: string | undefined;
  permissions?: readonly Permission[] | undefined;
  ip_allowlist?: readonly string[] | undefined;
  limits?: readonly RateLimit[] | undefined;
  expires_at?: string | null | undefined;
  enabled?: boolean | undefined;
  agent?: AgentChange | undefined;
}

/** The kind is said once. */
export type NewKeyRequest = KeyRequest & { kind: ApiKey['kind'] };

/** A program that nobody watches does not keep its key for ever. */
const agentLifeMs = 90 * 86_400_000;
/** Writing templates is a matter of people, unless said. */
const agentPermissions: readonly Permission[] = ['send', 'verify', 'read'];

export interface KeyWithSecret {
  key: ApiKey;
  devSecret: string;
}

/** The secret is in the answer and nowhere else. 404 for an unknown application, 3002 for the public sandbox. */
export async function createKey(
  office: Office,
  applicationId: string,
  request: NewKeyRequest,
  actor: Actor,
): Promise<KeyWithSecret> {
  const application = await getApplication(office, applicationId);
  if (application.sandbox === 'public')
    throw invalid([{ field: 'application_id', problem: 'the public sandbox has only its published keys' }]);
  return makeKey(office, office.db, application.id, request, actor);
}

/** A sandbox API key opens an application of its own: virtual, approved automatically (contract §13). Both or neither are made. */
export async function createSandboxKey(
  office: Office,
  organizationId: string,
  request: NewKeyRequest & { name: string },
  actor: Actor,
): Promise<KeyWithSecret & { application: ApplicationRecord }> {
  const made = {
    organizationId: knownForm('organization', organizationId),
    name: request.name,
    network: 'virtual',
    sandbox: 'key',
    policy: { template_review: 'auto' },
  } as const;
  const result = await office.db.transaction(async (tx) => {
    const application = found('organization', await store.insertApplication(tx, made));
    return { application, ...(await makeKey(office, tx, application.id, request, actor)) };
  });
  await office.furnishSandbox(result.application);
  return result;
}

async function makeKey(
  { keyring, clock, normaliseRecipient }: Office,
  db: Parameters<typeof store.insertKey>[0],
  applicationId: string,
  request: NewKeyRequest,
  actor: Actor,
): Promise<KeyWithSecret> {
  const { kind } = request;
  const forAgent = kind === 'agent';
  if (!forAgent) refuseTerms(request);
  const pair = { devKey: makeDevKey(), devSecret: makeDevSecret() };
  const given = readSettings(request, clock.now());
  const made = {
    applicationId,
    devKey: pair.devKey,
    secretHash: hashKeyPair(keyring, pair),
    kind,
    agent: forAgent ? firstTerms(request.agent ?? {}, normaliseRecipient) : null,
    description: given.description ?? '',
    permissions: given.permissions ?? (forAgent ? agentPermissions : permissionNames),
    ipAllowlist: given.ipAllowlist ?? [],
    expiresAt:
      given.expiresAt === undefined && forAgent ? new Date(clock.now() + agentLifeMs) : (given.expiresAt ?? null),
    enabled: given.enabled ?? true,
    limits: given.limits ?? [],
  };
  return { key: found('application', await store.insertKey(db, made, actor)), devSecret: pair.devSecret };
}

function refuseTerms({ agent }: KeyRequest): void {
  if (agent) throw invalid([{ field: 'agent', problem: 'only keys of kind agent have terms' }]);
}

/** 3002 for a moment that has passed: to end a key now, disable it. */
function readSettings(
  request: KeyRequest,
  now: number,
): { [Name in keyof KeySettings]: KeySettings[Name] | undefined } {
  const { expires_at } = request;
  const expiresAt = typeof expires_at === 'string' ? new Date(expires_at) : expires_at;
  if (expiresAt && expiresAt.getTime() <= now)
    throw invalid([{ field: 'expires_at', problem: 'must be in the future; to end a key now, disable it' }]);
  return {
    description: request.description,
    permissions: request.permissions && permissionNames.filter((name) => request.permissions?.includes(name)),
    ipAllowlist: request.ip_allowlist && [
      ...new Set(request.ip_allowlist.map((entry) => canonicalEntry(entry) ?? entry)),
    ],
    expiresAt,
    enabled: request.enabled,
    limits: request.limits,
  };
}

export async function listKeys(office: Office, applicationId: string, request: ListRequest): Promise<Listed<ApiKey>> {
  const application = await getApplication(office, applicationId);
  return listPage(request, (page) => store.listKeys(office.db, application.id, page));
}

export async function getKey({ db }: Office, id: string): Promise<ApiKey> {
  return found('API key', await store.findKey(db, knownForm('API key', id)));
}

/** What is not given stays as it is; `expires_at: null` = never. */
export async function updateKey(office: Office, id: string, request: KeyRequest, actor: Actor): Promise<ApiKey> {
  const settings = {
    ...readSettings(request, office.clock.now()),
    agent: termsOf(request.agent ?? {}, office.normaliseRecipient),
  };
  const { devKey, kind } = await getKey(office, id);
  if (kind !== 'agent') refuseTerms(request);
  return found(
    'API key',
    await office.memory.afterWrite(`key:${devKey}`, () => store.updateKey(office.db, id, settings, actor)),
  );
}

/** A new secret for the same dev_key; the old one opens nothing any more. For an overlap, make a second key instead. */
export async function rotateSecret(office: Office, id: string, actor: Actor): Promise<KeyWithSecret> {
  const { devKey } = await getKey(office, id);
  const devSecret = makeDevSecret();
  const hash = hashKeyPair(office.keyring, { devKey, devSecret });
  const key = await office.memory.afterWrite(`key:${devKey}`, () => store.updateSecret(office.db, devKey, hash, actor));
  return { key: found('API key', key), devSecret };
}

export async function deleteKey(office: Office, id: string, actor: Actor): Promise<ApiKey> {
  const { devKey } = await getKey(office, id);
  return found('API key', await office.memory.afterWrite(`key:${devKey}`, () => store.deleteKey(office.db, id, actor)));
}
