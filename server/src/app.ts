/**
 * The wiring: every room made and handed its neighbours, on one screen. The only file that knows every room.
 */
import { createAccounts, type FirstStart, publicSandboxApplicationId } from './accounts/index.ts';
import { adapters } from './channels/adapters.ts';
import { type Adapter, createRegistry } from './channels/index.ts';
import type { Config } from './config.ts';
import { createDelivery } from './delivery/index.ts';
import { forgetEvents } from './events/index.ts';
import { createFeedback } from './feedback.ts';
import { firstTemplates } from './first-templates.ts';
import { createFrontDoor, storeAnswer } from './http/index.ts';
import { release, settleTargets, sweepTargets, targetRows } from './limits/index.ts';
import { createLines } from './lines.ts';
import { createMessages } from './messages/index.ts';
import { type Clock, systemClock } from './platform/clock.ts';
import type { Db } from './platform/db.ts';
import { createIdSource } from './platform/ids.ts';
import { createLog, type Log } from './platform/log.ts';
import { keptMasterKey } from './platform/master-key.ts';
import { migrate } from './platform/migrate.ts';
import { leaseNode } from './platform/nodes.ts';
import { createOutbound } from './platform/outbound.ts';
import { openPglite } from './platform/pglite.ts';
import { openPostgres } from './platform/postgres.ts';
import { createKeyring } from './platform/seal.ts';
import { createProviders } from './providers/index.ts';
import { createRetention } from './retention.ts';
import { createSandbox } from './sandbox/index.ts';
import { createTemplates } from './templates/index.ts';
import { createUplinks } from './uplinks/index.ts';
import {
  createVerifications,
  drawCode,
  forgetVerifications,
  makeVerificationOperations,
} from './verifications/index.ts';

export interface AppOptions {
  /** Migrated. */
  db: Db;
  masterKey: Buffer;
  log: Log;
  config: Config;
  clock?: Clock;
  /** Tests and benchmarks give codes they know; the default is the system's generator. */
  drawCode?: typeof drawCode;
  /** Tests and benchmarks bring upstreams of their own; the default is every adapter there is. */
  adapters?: readonly Adapter[];
  /** Tests: every reply is compared with its declared schema. */
  checkOutput?: boolean;
}

export type App = Awaited<ReturnType<typeof createApp>>;

/** Every room over one database. Nothing runs yet: `start` begins the work of the roles. */
export async function createApp(options: AppOptions) {
  const { db, log, config } = options;
  const lease = await leaseNode(db, log);
  let address = '';
  const rooms = await makeRooms(
    options,
    () => lease.node(),
    () => config.publicUrl ?? address,
  );
  const { frontDoor, accounts, templates, sandbox, delivery, verifications, retention, providers } = rooms;
  return {
    ...rooms,
    /** Makes what a first start needs; the secrets only then. */
    async furnish(): Promise<FirstStart | null> {
      const first = await accounts.bootstrap(config);
      await templates.seed(publicSandboxApplicationId, sandbox.templates);
      if (first) await templates.seed(first.applicationId, firstTemplates);
      return first;
    },
    /** Begins the roles; resolves with the address customers reach, for a process that answers requests. */
    async start(): Promise<string> {
      await providers.start();
      if (config.roles.has('worker')) {
        await delivery.start();
        verifications.start();
        retention.start();
        await sandbox.start();
      }
      if (!config.roles.has('api')) return 'worker';
      address = await frontDoor.listen(config.host, config.port);
      return address;
    },
    /** Answers what is under way, finishes attempts, gives back what is held. */
    async stop(): Promise<void> {
      await Promise.all([frontDoor.close(), sandbox.stop()]);
      await Promise.all([verifications.stop(), retention.stop()]);
      await rooms.feedback.stop();
      await delivery.stop();
      await providers.stop();
      await rooms.upstream.close();
      await rooms.outbound.close();
      await lease.release();
    },
  };
}

async function makeRooms(options: AppOptions, node: () => number, publicUrl: () => string) {
  const { db, log, config, clock = systemClock } = options;
  const keyring = createKeyring(options.masterKey);
  const outbound = createOutbound({ allow: config.outboundAllow });
  const templates = createTemplates({ db, log });
  const sandbox = createSandbox({ db, keyring, clock, log, outbound });
  const accounts = createAccounts({
    db,
    keyring,
    clock,
    log,
    publicSandbox: config.publicSandbox,
    furnishSandbox: ({ id }) => templates.seed(id, sandbox.templates),
  });
  const { id: provider, limits } = sandbox.adapter;
  const upstream = await sandbox.adapter.open({}, { log, onReceipt: (receipt) => delivery.receive(provider, receipt) });
  const providers = createProviders({
    db,
    keyring,
    clock,
    log,
    outbound,
    publicUrl,
    registry: createRegistry(options.adapters ?? adapters),
    currency: config.currency,
    seedFile: config.providersFile,
    env: process.env,
    receive: (by, receipt) => delivery.receive(by, receipt),
    park: (by, receipt) => delivery.park(by, receipt),
    uplink: (by, uplink) => uplinks.take(by, uplink),
    reopen: (ids) => delivery.reopen(ids),
  });
  const lines = createLines({ provider, upstream, idempotent: limits.idempotent }, providers, config.currency);
  const delivery = createDelivery({
    db,
    keyring,
    clock,
    log,
    worker: config.roles.has('worker'),
    currency: config.currency,
    lineOf: lines.lineOf,
    linesFor: lines.linesFor,
    release,
  });
  const messages = createMessages({
    db,
    keyring,
    ids: createIdSource(clock, node),
    clock,
    templates,
    delivery,
    drawCode: options.drawCode ?? drawCode,
    currency: config.currency,
    serving: lines.serving,
    storeAnswer,
  });
  const verifications = createVerifications({
    db,
    keyring,
    log,
    ports: {
      targets: targetRows,
      settleTargets,
      endDeliveries: delivery.endRows,
      expireDeliveries: delivery.expire,
      isMessage: messages.exists,
    },
  });
  const uplinks = createUplinks({
    db,
    keyring,
    clock,
    log,
    application: accounts.application,
    reaches: (by, { network }) => (network === 'virtual') === (by === provider),
  });
  const feedback = createFeedback({ log, acceptances: delivery.acceptances, upstream: providers.upstream });
  const retention = createRetention({
    clock,
    log,
    applicationsAfter: accounts.applicationsAfter,
    forget: [
      (...asked) => forgetEvents(db, ...asked),
      delivery.forget,
      (...asked) => forgetVerifications(db, ...asked),
      messages.forget,
      uplinks.forget,
    ],
    sweepTargets: (limit) => sweepTargets(db, limit),
  });
  const frontDoor = createFrontDoor({
    operations: [
      ...messages.operations,
      ...makeVerificationOperations({
        db,
        verifications,
        now: () => clock.now(),
        onVerified: feedback.verified,
        storeAnswer,
      }),
      ...templates.operations,
      ...sandbox.operations,
      ...accounts.operations,
      ...templates.adminOperations,
      ...uplinks.operations,
      ...providers.operations,
    ],
    authenticate: { key: accounts.authenticateKey, operator: accounts.authenticateOperator },
    quota: sandbox.countRequest,
    answerHook: ({ provider: by, token, ...call }) => providers.hook(by, token, call),
    db,
    keyring,
    clock,
    log,
    publicUrl,
    trustProxy: config.trustProxy,
    checks: { database: () => db.ping() },
    checkOutput: options.checkOutput ?? false,
  });
  return {
    frontDoor,
    accounts,
    templates,
    sandbox,
    delivery,
    verifications,
    retention,
    providers,
    feedback,
    upstream,
    outbound,
  };
}

/** The app as configured: opens and migrates its database, makes the first objects. */
export async function openApp(config: Config, options: Pick<AppOptions, 'drawCode'> = {}) {
  const log = createLog(config.logLevel);
  const db =
    config.databaseUrl === undefined
      ? await openPglite({ dataDir: config.dataDir, log })
      : openPostgres({ url: config.databaseUrl, log });
  try {
    await migrate(db);
    const masterKey = config.masterKey ?? keptMasterKey(config.dataDir);
    const app = await createApp({ db, masterKey, log, config, ...options });
    const firstStart = await app.furnish();
    const stop = async (): Promise<void> => {
      await app.stop();
      await db.close();
    };
    return { firstStart, start: app.start, stop };
  } catch (error) {
    await db.close();
    throw error;
  }
}
