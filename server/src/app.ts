/**
 * The wiring: every room made and handed its neighbours, on one screen. The only file that knows every room.
 */
import { createAccounts, type FirstStart, publicSandboxApplicationId } from './accounts/index.ts';
import { type AlertsPorts, createAlerts } from './alerts/index.ts';
import { createCallbacks, createSubscribers, listSubscribers } from './callbacks/index.ts';
import { adapters } from './channels/adapters.ts';
import { type Adapter, type Channel, createRegistry } from './channels/index.ts';
import type { Config } from './config.ts';
import { acceptedAttempts, createDelivery } from './delivery/index.ts';
import { createEvents, forgetEvents, webhooks } from './events/index.ts';
import { createFeedback } from './feedback.ts';
import { firstTemplates } from './first-templates.ts';
import { createGuessing } from './guessing.ts';
import { createFrontDoor, storeAnswer } from './http/index.ts';
import { createInsights } from './insights/index.ts';
import { createJudging } from './judging.ts';
import {
  createLimitOperations,
  createListOperations,
  release,
  settleTargets,
  sweepTargets,
  targetRows,
} from './limits/index.ts';
import { createLines } from './lines.ts';
import { createMessages, messageFacts, parsePhone, searchedAddress } from './messages/index.ts';
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
import type { Application } from './policy.ts';
import { createPosting } from './posting/index.ts';
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
  verificationMessages,
} from './verifications/index.ts';
import { watchedBy } from './watched.ts';

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
  /** Tests bring a balance and failing endpoints of their own. */
  watched?: Partial<Pick<AlertsPorts, 'balance' | 'failingEndpoints'>>;
  /** Tests: every reply is compared with its declared schema. */
  checkOutput?: boolean;
}

export type App = Awaited<ReturnType<typeof createApp>>;

/** Every room over one database. Nothing runs yet: `start` begins the work of the roles. */
export async function createApp(options: AppOptions) {
  const { db, log, config } = options;
  const lease = await leaseNode(db, log, config.roles.has('worker'));
  let address = '';
  const rooms = await makeRooms(
    options,
    () => lease.node(),
    () => config.publicUrl ?? address,
  );
  const { frontDoor, accounts, templates, sandbox, delivery, verifications, retention, providers } = rooms;
  const { events, posting, alerts, insights, subscribers, fraud } = rooms;
  return {
    ...rooms,
    /** Reads the providers, and makes what a first start needs; the secrets only then. Throws ConfigError for a bad providers file. */
    async furnish(): Promise<FirstStart | null> {
      await events.start();
      await providers.start();
      const first = await accounts.bootstrap(config);
      await templates.seed(publicSandboxApplicationId, sandbox.templates);
      if (first) await templates.seed(first.applicationId, firstTemplates);
      return first;
    },
    /** Begins the roles; resolves with the address customers reach, for a process that answers requests. */
    async start(): Promise<string> {
      if (config.roles.has('worker')) {
        await delivery.start();
        verifications.start();
        retention.start();
        alerts.start();
        insights.start();
        await sandbox.start();
        await posting.start();
      }
      await fraud.start();
      if (!config.roles.has('api')) return 'worker';
      subscribers.start();
      address = await frontDoor.listen(config.host, config.port);
      return address;
    },
    /** Answers what is under way, finishes attempts, gives back what is held. */
    async stop(): Promise<void> {
      await Promise.all([frontDoor.close(), sandbox.stop(), events.endStreams()]);
      await Promise.all([verifications.stop(), retention.stop(), events.stop(), subscribers.stop()]);
      await Promise.all([alerts.stop(), insights.stop(), fraud.stop()]);
      await rooms.feedback.stop();
      await delivery.stop();
      await posting.stop();
      await providers.stop();
      await rooms.upstream.close();
      await rooms.outbound.close();
      await lease.release();
    },
  };
}

type Base = ReturnType<typeof makeBase>;
type Sending = Awaited<ReturnType<typeof makeSending>>;

/** What everything else stands on: keys, the way out, and the rooms that need no other than themselves. */
function makeBase(
  options: AppOptions,
  node: () => number,
  publicUrl: () => string,
  serves: (application: Application, channel: Channel) => boolean,
) {
  const { db, log, config, clock = systemClock } = options;
  const common = { db, log, clock, keyring: createKeyring(options.masterKey) };
  const outbound = createOutbound({ allow: config.outboundAllow });
  const guesses = createGuessing(db, () => ({ accounts, templates }));
  const { guarded } = guesses;
  const templates = createTemplates({ db, log, serves, guarded });
  const accounts = createAccounts({
    ...common,
    publicSandbox: config.publicSandbox,
    furnishSandbox: ({ id }) => templates.seed(id, sandbox.templates),
    loginListeners: () => listSubscribers(db, 'account_login'),
    guarded,
  });
  const posting = createPosting({ ...common, outbound, facts: messageFacts, application: accounts.application });
  const subscribers = createSubscribers({ db, log }, 'api_call');
  const callbacks = createCallbacks({
    ...common,
    outbound,
    application: accounts.application,
    changed() {
      posting.changed();
      subscribers.look();
    },
    forgetPosts: posting.forgetEndpoint,
  });
  const sandbox = createSandbox({
    ...common,
    webhooks: { set: callbacks.setSandboxWebhook, remove: callbacks.removeSandboxWebhook },
  });
  const events = createEvents({
    db,
    log,
    clock,
    facts: messageFacts(),
    searchedAddress,
    wantsCalls: subscribers.has,
  });
  const ids = createIdSource(clock, node);
  const judging = createJudging({
    ...common,
    worker: config.roles.has('worker'),
    application: accounts.application,
    currency: config.currency,
  });
  return {
    common,
    outbound,
    events,
    templates,
    guesses,
    sandbox,
    accounts,
    callbacks,
    posting,
    subscribers,
    ids,
    publicUrl,
    ...judging,
  };
}

/** The ways out, and what uses them: providers, deliveries, messages, codes. */
async function makeSending(options: AppOptions, base: Base) {
  const { config } = options;
  const { currency } = config;
  const { common, sandbox, templates, posting } = base;
  const { db, log } = common;
  const {
    id: provider,
    limits: { idempotent },
  } = sandbox.adapter;
  const upstream = await sandbox.adapter.open({}, { log, onReceipt: (receipt) => delivery.receive(provider, receipt) });
  const uplinks = createUplinks({
    ...common,
    application: base.accounts.application,
    reaches: (by, { network }) => (network === 'virtual') === (by === provider),
  });
  const providers = createProviders({
    ...common,
    outbound: base.outbound,
    publicUrl: base.publicUrl,
    registry: createRegistry(options.adapters ?? adapters),
    currency,
    seedFile: config.providersFile,
    env: process.env,
    receive: (by, receipt) => delivery.receive(by, receipt),
    park: (by, receipt) => delivery.park(by, receipt),
    uplink: uplinks.take,
    reopen: (ids) => delivery.reopen(ids),
  });
  const { lineOf, linesFor, serving, serves } = createLines({ provider, upstream, idempotent }, providers, currency);
  const worker = config.roles.has('worker');
  const delivery = createDelivery({ ...common, worker, currency, lineOf, linesFor, release });
  const draw = options.drawCode ?? drawCode;
  const messages = createMessages({
    ...common,
    ids: base.ids,
    templates,
    delivery,
    drawCode: draw,
    currency,
    serving,
    storeAnswer,
  });
  const verifications = createVerifications({
    ...common,
    ports: {
      targets: targetRows,
      settleTargets,
      endDeliveries: delivery.endRows,
      expireDeliveries: delivery.expire,
      isMessage: messages.exists,
    },
  });
  const alerts = createAlerts({
    ...common,
    ...watchedBy(providers),
    outbound: base.outbound,
    telegramApiUrl: config.telegramApiUrl,
    currency,
    application: base.accounts.application,
    ...options.watched,
  });
  const insights = createInsights({
    ...common,
    currency,
    relations: { facts: messageFacts(), acceptances: acceptedAttempts(), verifications: verificationMessages() },
  });
  const feedback = createFeedback({ log, acceptances: delivery.acceptances, upstream: providers.upstream });
  const forget = [
    (...asked: Parameters<typeof delivery.forget>) => forgetEvents(db, ...asked),
    delivery.forget,
    (...asked: Parameters<typeof delivery.forget>) => forgetVerifications(db, ...asked),
    messages.forget,
    uplinks.forget,
    posting.forget,
  ];
  return {
    upstream,
    uplinks,
    providers,
    delivery,
    messages,
    verifications,
    alerts,
    insights,
    feedback,
    forget,
    serves,
  };
}

function makeFrontDoor(options: AppOptions, base: Base, sending: Sending) {
  const { config } = options;
  const { common, accounts, sandbox, templates, guesses, callbacks, posting, events, publicUrl, fraud, backTests } =
    base;
  const { db, clock } = common;
  const { messages, verifications, feedback, uplinks, providers, alerts, insights } = sending;
  const now = (): number => clock.now();
  return createFrontDoor({
    operations: [
      ...messages.operations,
      ...events.operations,
      ...makeVerificationOperations({ db, verifications, now, onVerified: feedback.verified, storeAnswer }),
      ...templates.operations,
      ...sandbox.operations,
      ...accounts.operations,
      ...createLimitOperations({ guesses }),
      ...createListOperations({
        db,
        application: accounts.application,
        parseNumber: (text) => parsePhone(text).address,
      }),
      ...templates.adminOperations,
      ...uplinks.operations,
      ...providers.operations,
      ...callbacks.operations,
      ...posting.operations,
      ...alerts.operations,
      ...insights.operations,
      ...fraud.operations,
      ...backTests.operations,
    ],
    webhooks,
    authenticate: { key: accounts.authenticateKey, operator: accounts.authenticateOperator },
    quota: sandbox.countRequest,
    onAnswered: events.noteCall,
    answerHook: ({ provider, token, ...call }) => providers.hook(provider, token, call),
    ...common,
    publicUrl,
    trustProxy: config.trustProxy,
    checks: { database: () => db.ping() },
    checkOutput: options.checkOutput ?? false,
  });
}

async function makeRooms(options: AppOptions, node: () => number, publicUrl: () => string) {
  const base = makeBase(options, node, publicUrl, (...asked) => sending.serves(...asked));
  const sending = await makeSending(options, base);
  const retention = createRetention({
    ...base.common,
    applicationsAfter: base.accounts.applicationsAfter,
    forget: sending.forget,
    sweepTargets: (limit) => sweepTargets(options.db, limit),
  });
  return { ...base, ...sending, retention, frontDoor: makeFrontDoor(options, base, sending) };
}

/** The app as configured: opens and migrates its database, makes the first objects. */
export async function openApp(config: Config, options: Pick<AppOptions, 'drawCode' | 'adapters'> = {}) {
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
