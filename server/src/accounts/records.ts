/** The rows of this room as the rest of it sees them. Ids are decimal strings. */
import type { AgentTerms, Application, Approval, Permission, Policy, RateLimit } from '../policy.ts';

export interface Organization {
  id: string;
  name: string;
  createdAt: Date;
}

export interface ApplicationRecord extends Application {
  createdAt: Date;
}

export interface ApiKey {
  id: string;
  applicationId: string;
  devKey: string;
  kind: 'server' | 'agent';
  /** Exactly for kind agent. */
  agent: AgentTerms | null;
  /** Of kind agent: whether it may send to real people. */
  approval: Approval;
  description: string;
  permissions: readonly Permission[];
  ipAllowlist: readonly string[];
  expiresAt: Date | null;
  enabled: boolean;
  /** Of what it sends and checks itself, beside those of its application. */
  limits: readonly RateLimit[];
  lastUsedAt: Date | null;
  createdAt: Date;
}

/** What may be said about a key when it is made or changed. */
export type KeySettings = Pick<
  ApiKey,
  'description' | 'permissions' | 'ipAllowlist' | 'expiresAt' | 'enabled' | 'limits'
>;

export interface NewKey extends KeySettings, Pick<ApiKey, 'kind' | 'agent'> {
  applicationId: string;
  devKey: string;
  secretHash: Buffer;
}

export interface StoredKey {
  key: ApiKey;
  secretHash: Buffer;
}

export interface NewApplication {
  organizationId: string;
  name: string;
  network: Application['network'];
  sandbox: Application['sandbox'];
  policy: PolicyChange;
}

/** Some settings of a policy; a nested object may be given in part as well. */
export type PolicyChange = Sparse<Policy>;
type Sparse<T> = {
  [Name in keyof T]?:
    | (T[Name] extends readonly unknown[] ? T[Name] : T[Name] extends object ? Sparse<T[Name]> : T[Name])
    | undefined;
};

/** A stretch of a list, newest first: at most `limit` rows with an id below `before`. */
export interface Page {
  limit: number;
  before: string | null;
}

/** The words of the vendor's key_manage event (contract §10). */
export type KeyAction = 'create api_key' | 'update api_key' | 'delete api_key';

/** Who did it, for the ledger. */
export interface Actor {
  ip: string;
}
