/**
 * Accounts: organizations, applications with their policies, API keys, the operator. Promises: authentication answers exactly as
 * contract §2 step 3 says and costs no database access once a key is known; a change holds on this node from the next request
 * on, on every other as soon as its notification arrives; no secret is stored or logged, only keyed hashes.
 * Call `bootstrap` once in every process before requests are served: it also begins to listen for changes of other nodes.
 */
import type { Clock } from '../platform/clock.ts';
import type { Db, Queryable } from '../platform/db.ts';
import { isId } from '../platform/ids.ts';
import type { Log } from '../platform/log.ts';
import type { Keyring } from '../platform/seal.ts';
import type { AgentStanding, Application, ApprovalAsk, Caller } from '../policy.ts';
import { createApprovalOperations } from './approval-operations.ts';
import { askApproval } from './approvals.ts';
import { createKeyCheck, createOperatorCheck } from './authenticate.ts';
import { bootstrap, type FirstStart, type Presets, requireMasterKey } from './bootstrap.ts';
import { createMemory } from './memory.ts';
import type { Office } from './office.ts';
import { createOperations, type Operation } from './operations.ts';
import { createPublicKeys } from './public-sandbox.ts';
import type { Organization } from './records.ts';
import { createSessionOperations } from './session-operations.ts';
import { createSessions } from './sessions.ts';
import { findApplication, findOrganization, listAfter } from './store.ts';
import { createWrongTokens } from './wrong-tokens.ts';

export type { FirstStart, Presets } from './bootstrap.ts';
export { publicSandboxApplicationId } from './public-sandbox.ts';
export { applicationOrganizations } from './store.ts';

export interface AccountsOptions {
  db: Db;
  keyring: Keyring;
  clock: Clock;
  log: Log;
  /** Whether the two public sandbox pairs are accepted. */
  publicSandbox: boolean;
  /** Gives the application of a new sandbox API key its templates; the operation answers afterwards. */
  furnishSandbox?(application: Application): Promise<void>;
  /** Applications that want to know who logs in as the operator; none unless given. */
  loginListeners?(): Promise<readonly string[]>;
  /** The form in which recipients of agent keys are kept, throws for what is no address; unless given, as they stand. */
  normaliseRecipient?: Office['normaliseRecipient'];
  /** See Office; without it no policy is refused. */
  guarded?: Office['guarded'];
}

export interface Accounts {
  /** Basic or Bearer `dev_key:dev_secret` → Caller, or ApiError 2001, 2002, 2004 for the address; permissions are not looked at. */
  authenticateKey(authorization: string | undefined, ip: string): Promise<Caller>;
  /** Bearer token of the operator or of one of their sessions, or ApiError 2001, and 3004 after too many wrong ones. */
  authenticateOperator(authorization: string | undefined, ip: string): Promise<void>;
  /** Throws ConfigError where the database was made with another master key; before anything is sealed or hashed with it. */
  requireMasterKey(): Promise<void>;
  /** See bootstrap.ts. Secrets only when made by this call, null on later starts. */
  bootstrap(presets?: Presets): Promise<FirstStart | null>;
  /** From memory where known; null when there is none. */
  application(id: string): Promise<Application | null>;
  /** As it stands in the database, also inside a transaction; null when there is none. */
  applicationOn(on: Queryable, id: string): Promise<Application | null>;
  /** Null when there is none. */
  organization(id: string): Promise<Organization | null>;
  /** All of them by id, a page at a time: those behind `afterId`. For work that goes over everything. */
  applicationsAfter(afterId: string, limit: number): Promise<Application[]>;
  /** A live send of a key that awaits an operator: noted once. Resolves with how the key stands by now; null where it is gone. */
  askApproval(ask: ApprovalAsk): Promise<AgentStanding | null>;
  operations: Operation[];
}

export function createAccounts(options: AccountsOptions): Accounts {
  const { db, keyring, clock, log } = options;
  const memory = createMemory(db, clock);
  const wrongTokens = createWrongTokens(clock);
  const publicKeys = options.publicSandbox ? createPublicKeys(keyring) : new Map();
  const loginListeners = options.loginListeners ?? (async () => []);
  const furnishSandbox = options.furnishSandbox ?? (async () => undefined);
  const normaliseRecipient = options.normaliseRecipient ?? ((text) => text);
  const guarded: Office['guarded'] = options.guarded ?? ((_, write) => db.transaction(write));
  const office: Office = { db, keyring, clock, memory, furnishSandbox, normaliseRecipient, guarded };
  return {
    authenticateKey: createKeyCheck({ db, keyring, clock, log, memory, publicKeys }),
    authenticateOperator: createOperatorCheck({ keyring, memory, clock, wrongTokens }),
    requireMasterKey: () => requireMasterKey({ db, keyring }),
    async bootstrap(presets = {}) {
      await memory.listen();
      return memory.afterWrite('', () => bootstrap({ db, keyring, log }, presets));
    },
    application: async (id) => (isId(id) ? memory.applications.get(id) : null),
    applicationOn: async (on, id) => (isId(id) ? findApplication(on, id) : null),
    organization: async (id) => (isId(id) ? findOrganization(db, id) : null),
    applicationsAfter: (afterId, limit) => listAfter(db, afterId, limit),
    askApproval: (ask) => askApproval(office, ask),
    operations: [
      ...createOperations(office),
      ...createApprovalOperations(office),
      ...createSessionOperations(createSessions({ db, keyring, memory, wrongTokens, loginListeners })),
    ],
  };
}
