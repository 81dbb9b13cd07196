/**
 * What every start makes sure of. First start: one organization, one application, one API key, the operator token, the public
 * sandbox. Presets are ensured on each start: a preset key pair that is missing is made in the first application; one whose
 * secret differs gets the preset secret (its other settings stay as the operator left them); a preset operator token that
 * differs replaces the token in force, which is also the way back in for an operator who lost it. Taking a preset out of the
 * environment revokes nothing. Nodes that start together on one database take turns.
 */
import { ConfigError } from '../config.ts';
import type { Db, Queryable } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import { type Keyring, sameBytes } from '../platform/seal.ts';
import { permissionNames } from '../policy.ts';
import { hashKeyPair, hashToken, type KeyPair, makeDevKey, makeDevSecret, makeOperatorToken } from './credential.ts';
import { isPublicDevKey, publicSandbox, publicSandboxApplicationId } from './public-sandbox.ts';
import {
  ensureApplication,
  findFirstApplication,
  findKeysForLogin,
  insertApplication,
  insertKey,
  insertOrganization,
  keepKeyCheck,
  lockBootstrap,
  replaceTokens,
  updateSecret,
} from './store.ts';

export interface Presets {
  devKey?: string | undefined;
  devSecret?: string | undefined;
  operatorToken?: string | undefined;
}

/** What the first start made, in clear, for the one block that shows it. */
export interface FirstStart {
  organizationId: string;
  applicationId: string;
  devKey: string;
  devSecret: string;
  operatorToken: string;
}

interface Tools {
  db: Db;
  keyring: Keyring;
  log: Log;
}

/**
 * Throws ConfigError where the database was made with another master key. Before anything else is done with the key: the presets of such a
 * process would replace the operator token and key that all others know, by hashes that only it can check.
 */
export async function requireMasterKey({ db, keyring }: Pick<Tools, 'db' | 'keyring'>): Promise<void> {
  const check = keyring.hash('master-key-check', '');
  if (!sameBytes(await keepKeyCheck(db, check), check))
    throw new ConfigError([
      'MASTER_KEY (or master.key in DATA_DIR) is not the key this database was made with; nothing was changed.',
    ]);
}

/** Resolves with what was made when this call made it, null on every later start. Throws when a preset cannot be used. */
export async function bootstrap({ db, keyring, log }: Tools, presets: Presets): Promise<FirstStart | null> {
  const pair = presetPair(presets);
  return db.transaction(async (tx) => {
    await lockBootstrap(tx);
    const first = await findFirstApplication(tx);
    if (!first) return makeFirst(tx, keyring, presets, pair);
    await ensureApplication(tx, publicSandboxApplicationId, publicSandbox(first.organizationId));
    if (pair) await ensureKey(tx, { keyring, log }, first.id, pair);
    if (presets.operatorToken !== undefined && (await replaceTokens(tx, hashToken(keyring, presets.operatorToken)))) {
      log.warn('OPERATOR_TOKEN differs from the token in force and has replaced it');
    }
    return null;
  });
}

function presetPair({ devKey, devSecret }: Presets): KeyPair | null {
  if (devKey === undefined || devSecret === undefined) return null;
  // A key with a published secret would let anybody send through this server.
  if (isPublicDevKey(devKey))
    throw new Error('ENGAGELAB_DEV_KEY must not be one of the two public sandbox keys: they always exist.');
  return { devKey, devSecret };
}

async function makeFirst(
  tx: Queryable,
  keyring: Keyring,
  presets: Presets,
  preset: KeyPair | null,
): Promise<FirstStart> {
  const organization = await insertOrganization(tx, 'My organization');
  // The name fills {{brand_name}}, which holds ten characters.
  const application = await insertApplication(tx, {
    organizationId: organization.id,
    name: 'Demo',
    network: 'virtual',
    sandbox: 'none',
    policy: { template_review: 'auto' },
  });
  if (!application) throw new Error('the organization just made does not exist');
  await ensureApplication(tx, publicSandboxApplicationId, publicSandbox(organization.id));
  const pair = preset ?? { devKey: makeDevKey(), devSecret: makeDevSecret() };
  await insertFirstKey(tx, keyring, application.id, pair);
  const operatorToken = presets.operatorToken ?? makeOperatorToken();
  await replaceTokens(tx, hashToken(keyring, operatorToken));
  return { organizationId: organization.id, applicationId: application.id, ...pair, operatorToken };
}

async function insertFirstKey(tx: Queryable, keyring: Keyring, applicationId: string, pair: KeyPair): Promise<void> {
  const made = {
    applicationId,
    devKey: pair.devKey,
    secretHash: hashKeyPair(keyring, pair),
    kind: 'server',
    agent: null,
    description: 'Made on start',
    permissions: permissionNames,
    ipAllowlist: [],
    expiresAt: null,
    enabled: true,
    limits: [],
  } as const;
  await insertKey(tx, made, null);
}

async function ensureKey(
  tx: Queryable,
  { keyring, log }: Pick<Tools, 'keyring' | 'log'>,
  applicationId: string,
  pair: KeyPair,
): Promise<void> {
  const [stored] = await findKeysForLogin(tx, [pair.devKey]);
  const hash = hashKeyPair(keyring, pair);
  if (!stored) {
    await insertFirstKey(tx, keyring, applicationId, pair);
    log.warn('the preset API key did not exist and was made in the first application');
  } else if (!sameBytes(stored.secretHash, hash)) {
    await updateSecret(tx, pair.devKey, hash, null);
    log.warn('the secret of the preset API key differed and was set to ENGAGELAB_DEV_SECRET');
  }
}
