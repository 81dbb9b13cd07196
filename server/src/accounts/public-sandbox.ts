/**
 * The sandbox anybody may use without signing up (contract §13): two published credential pairs that open one application.
 * The pairs are no rows: they cannot be changed, and are refused like unknown keys where the operator switched them off.
 */
import type { Keyring } from '../platform/seal.ts';
import type { Permission } from '../policy.ts';
import { hashKeyPair } from './credential.ts';
import type { LoginKey } from './login-key.ts';
import type { NewApplication } from './records.ts';

/** Of a time before this product, so that no id handed out by a database can be the same. */
export const publicSandboxApplicationId = '1000000000000000001';

const pairs = [
  { id: '1000000000000000002', devKey: 'engagelab_sandbox_demo', devSecret: 'engagelab_sandbox_secret' },
  { id: '1000000000000000003', devKey: 'sandbox_demo', devSecret: 'sandbox_secret' },
] as const;

export const isPublicDevKey = (devKey: string): boolean => pairs.some((pair) => pair.devKey === devKey);

/** All but writing templates. */
const permissions: ReadonlySet<Permission> = new Set<Permission>(['send', 'verify', 'read']);

export function createPublicKeys(keyring: Keyring): Map<string, LoginKey> {
  return new Map(
    pairs.map((pair) => [
      pair.devKey,
      {
        id: pair.id,
        applicationId: publicSandboxApplicationId,
        devKey: pair.devKey,
        secretHash: hashKeyPair(keyring, pair),
        permissions,
        enabled: true,
        agent: null,
        limits: [],
        expiresAtMs: Number.POSITIVE_INFINITY,
        allows: () => true,
        usedAtMs: Number.POSITIVE_INFINITY,
      },
    ]),
  );
}

export const publicSandbox = (organizationId: string): NewApplication => ({
  organizationId,
  name: 'Sandbox',
  network: 'virtual',
  sandbox: 'public',
  policy: { template_review: 'auto' },
});
