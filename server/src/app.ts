/**
 * The wiring: every room made and handed its neighbours, on one screen. The only file that knows every room.
 */
import { createAccounts, type FirstStart } from './accounts/index.ts';
import type { Config } from './config.ts';
import { createDelivery } from './delivery/index.ts';
import { createFrontDoor, type FrontDoor } from './http/index.ts';
import { sweepTargets } from './limits/index.ts';
import { createMessages } from './messages/index.ts';
import { type Clock, systemClock } from './platform/clock.ts';
import type { Db } from './platform/db.ts';
import { createIdSource } from './platform/ids.ts';
import { createLog, type Log } from './platform/log.ts';
import { keptMasterKey } from './platform/master-key.ts';
import { migrate } from './platform/migrate.ts';
import { leaseNode } from './platform/nodes.ts';
import { openPglite } from './platform/pglite.ts';
import { openPostgres } from './platform/postgres.ts';
import { createKeyring } from './platform/seal.ts';
import { createSandbox } from './sandbox/index.ts';
import { createTemplates } from './templates/index.ts';
import { createVerifications, makeVerificationOperations } from './verifications/index.ts';

export interface AppOptions {
  db: Db;
  masterKey: Buffer;
  log: Log;
  clock?: Clock;
  config: Pick<
    Config,
    'roles' | 'publicUrl' | 'trustProxy' | 'publicSandbox' | 'devKey' | 'devSecret' | 'operatorToken' | 'outboundAllow'
  >;
  /** Tests and benchmarks give codes they know; the default is the system's generator. */
  drawCode?: DrawCode;
  /** Tests: every reply is compared with its declared schema. */
  checkOutput?: boolean;
}

export type App = Awaited<ReturnType<typeof createApp>>;

/** Makes every room over a migrated database. Nothing runs yet: `start` begins the work of the roles, `frontDoor` answers. */
export async function createApp({
  db,
  masterKey,
  log,
  clock = systemClock,
  config,
  drawCode,
  checkOutput = false,
}: AppOptions) {
  const keyring = createKeyring(masterKey);
  const isWorker = config.roles.has('worker');
  const lease = await leaseNode(db, log);
  const ids = createIdSource(clock, () => lease.node());
  const outbound = createOutbound({ allow: config.outboundAllow });
  const templates = createTemplates({ db, log, clock });
  const sandbox = createSandbox({ db, keyring, clock, log, outbound });
  const accounts = createAccounts({
    db,
    keyring,
    clock,
    log,
    publicSandbox: config.publicSandbox,
    furnishSandbox: ({ id }) => templates.seed(id, sandbox.templates),
  });
  const network = await openNetwork();
  const delivery = createDelivery({ db, keyring, clock, log, worker: isWorker, upstreamFor: () => network, release });
  const verifications = createVerifications({
    db,
    keyring,
    log,
    ports: {
      lockTargets,
      settleTargets,
      endDeliveries: delivery.endRows,
      expireDeliveries: (tx, list) => delivery.expire(tx, list),
      isMessage: (applicationId, messageId) => messages.exists(applicationId, messageId),
    },
  });
  const messages = createMessages({
    db,
    keyring,
    ids,
    clock,
    templates,
    delivery,
    ...(drawCode && { drawCode }),
    // Carriers come with providers and routes; until then only the virtual network delivers.
    hasRoute: (application) => application.network === 'virtual',
    storeAnswer,
  });
  const operations = [
    ...messages.operations,
    ...makeVerificationOperations({ verifications, now: () => clock.now(), withAnswer }),
    ...templates.operations,
    ...sandbox.operations,
    ...accounts.operations,
    ...templates.adminOperations,
  ];
  const frontDoor = await createFrontDoor({
    operations,
    authenticate: { key: accounts.authenticateKey, operator: accounts.authenticateOperator },
    quota: (caller, ip) => sandbox.countRequest(caller, ip),
    db,
    keyring,
    clock,
    log,
    publicUrl: () => config.publicUrl ?? address,
    trustProxy: config.trustProxy,
    checks: { database: async () => void (await db.query(pingStatement)) },
    checkOutput,
  });
  return { frontDoor, delivery, verifications, sandbox, templates, accounts, messages, start, stop };
}
