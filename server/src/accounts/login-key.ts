/** An API key as it is kept in this process's memory, made ready for the check of a request. */
import type { AgentStanding, Permission, RateLimit } from '../policy.ts';
import { createAllowlist } from './allowlist.ts';
import type { StoredKey } from './records.ts';

export interface LoginKey {
  id: string;
  applicationId: string;
  devKey: string;
  secretHash: Buffer;
  permissions: ReadonlySet<Permission>;
  enabled: boolean;
  agent: AgentStanding | null;
  limits: readonly RateLimit[];
  expiresAtMs: number;
  allows(ip: string): boolean;
  /** Infinity for keys whose use is not noted. */
  usedAtMs: number;
}

export function toLoginKey({ key, secretHash }: StoredKey): LoginKey {
  return {
    id: key.id,
    applicationId: key.applicationId,
    devKey: key.devKey,
    secretHash,
    permissions: new Set(key.permissions),
    enabled: key.enabled,
    agent: key.agent && { ...key.agent, approval: key.approval },
    limits: key.limits,
    expiresAtMs: key.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY,
    allows: createAllowlist(key.ipAllowlist),
    usedAtMs: key.lastUsedAt?.getTime() ?? 0,
  };
}
