/** Every room made and handed its neighbours. The only file that knows every room; `app.ts` starts and stops them. */

import { applicationOrganizations, createAccounts } from './accounts/index.ts';
import type { AgentsOptions } from './agents/index.ts';
import { type AlertsPorts, createAlerts } from './alerts/index.ts';
import { createCallbacks, createSubscribers, listSubscribers } from './callbacks/index.ts';
import { adapters } from './channels/adapters.ts';
import { type Adapter, type Channel, createRegistry } from './channels/index.ts';
import { checkLimits, limitChecks } from './check-limits.ts';
import type { Config } from './config.ts';
import { createConfirmations } from './confirmations/index.ts';
import { acceptedAttempts, createDelivery, type Delivery } from './delivery/index.ts';
import { createEvents, forgetEvents, webhooks } from './events/index.ts';
import { createFeedback } from './feedback.ts';
import { createGate } from './gate.ts';
import { createGuessing } from './guessing.ts';
import { createFrontDoor, createVisitors, type FrontDoor, packageVersion, storeAnswer } from './http/index.ts';
import type { Operation } from './http/operation.ts';
import { createInsights, readPastSends } from './insights/index.ts';
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
import { measure, metricsPage } from './measuring.ts';
import {
  createMessages,
  type Messages,
  messageFacts,
  parseAddress,
  parsePhone,
  searchedAddress,
} from './messages/index.ts';
import { createMetrics } from './metrics/index.ts';
import { type Clock, systemClock } from './platform/clock.ts';
import { resolveCustomerNames } from './platform/customer-names.ts';
import type { Db } from './platform/db.ts';
import { createIdSource } from './platform/ids.ts';
import type { Log } from './platform/log.ts';
import { createOutbound } from './platform/outbound.ts';
import { createKeyring } from './platform/seal.ts';
import type { Application } from './policy.ts';
import { createPosting } from './posting/index.ts';
import { createPresend } from './presend/index.ts';
import { createPricing } from './pricing/index.ts';
import { countryOf, createProviders } from './providers/index.ts';
import { createRates } from './rates/index.ts';
import { createRefusals } from './refusals/index.ts';
import { createRetention } from './retention.ts';
import { createSandbox } from './sandbox/index.ts';
import { createSite } from './site/index.ts';
import { createSkills } from './skills/index.ts';
import { chargeKey, createSpend, findAgainst, spendShare } from './spend/index.ts';
import { createTemplates } from './templates/index.ts';
import { createTooling } from './tooling.ts';
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
  /** Tests of the protocol of agents bring what they call. */
  extendAgents?: AgentsOptions['extend'];
}

type Base = ReturnType<typeof makeBase>;
type Sending = Awaited<ReturnType<typeof makeSending>>;

/** To operators' addresses, and to customers': what those are named must not hold up the carriers. */
const makeWaysOut = (allow: readonly string[]) => ({
  outbound: createOutbound({ allow }),
  toCustomers: createOutbound({ allow, resolve: resolveCustomerNames() }),
});

/** What everything else stands on: keys, the way out, and the rooms that need no other than themselves. */
function makeBase(
  options: AppOptions,
  node: () => number,
  publicUrl: () => string,
  serves: (application: Application, channel: Channel) => boolean,
) {
  const { db, log, config, clock = systemClock } = options;
  const metrics = createMetrics({ version: packageVersion });
  const common = { db, log, clock, keyring: createKeyring(options.masterKey), watch: metrics };
  const ways = makeWaysOut(config.outboundAllow);
  const guesses = createGuessing(db, () => ({ accounts, templates }));
  const { guarded } = guesses;
  const templates = createTemplates({ db, log, serves, guarded });
  const accounts = createAccounts({
    ...common,
    publicSandbox: config.publicSandbox,
    furnishSandbox: ({ id }) => templates.seed(id, sandbox.templates),
    normaliseRecipient: (text) => parseAddress(text).address,
    loginListeners: () => listSubscribers(db, 'account_login'),
    guarded,
  });
  const spend = createSpend({
    ...common,
    currency: config.currency,
    organization: accounts.organization,
    application: accounts.application,
    organizations: applicationOrganizations(),
  });
  const posting = createPosting({
    ...common,
    outbound: ways.toCustomers,
    facts: messageFacts,
    application: accounts.application,
  });
  const subscribers = createSubscribers({ db, log }, 'api_call');
  const callbacks = createCallbacks({
    ...common,
    outbound: ways.toCustomers,
    application: accounts.application,
    changed() {
      posting.changed();
      subscribers.look();
    },
    forgetPosts: posting.forgetEndpoint,
  });
  const refusals = createRefusals({
    ...common,
    application: accounts.application,
    normaliseRecipient: (text) => searchedAddress(text, 'to'),
  });
  const presend = createPresend({ ...common, outbound: ways.toCustomers, application: accounts.application });
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
  const relations = { facts: messageFacts(), acceptances: acceptedAttempts() };
  const { application, applicationsAfter } = accounts;
  const pricing = createPricing({
    ...common,
    ...{ currency: config.currency, countryOf, relations, application, applicationsAfter },
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
    metrics,
    ...ways,
    events,
    templates,
    guesses,
    sandbox,
    accounts,
    spend,
    callbacks,
    presend,
    refusals,
    posting,
    subscribers,
    relations,
    pricing,
    ids,
    publicUrl,
    ...judging,
  };
}

async function makeSending(options: AppOptions, base: Base) {
  const { config } = options;
  const { currency } = config;
  const { common, sandbox, templates, posting, pricing, relations, spend } = base;
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
  const virtual = { provider, upstream, idempotent };
  const lines = createLines({ virtual, providers, pricing, currency });
  const { lineOf, linesFor, serving, serves } = lines;
  const worker = config.roles.has('worker');
  const rates = createRates({ ...common, pastSends: (id) => readPastSends(db, id) });
  const delivery = createDelivery({ ...common, worker, currency, lineOf, linesFor, release, charges: spend.charges });
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
    rates,
    estimate: lines.estimateStep,
    spendsAgain: findAgainst,
    chargeKey,
    askApproval: base.accounts.askApproval,
    gate: createGate({ fraud: base.fraud, spend, presend: base.presend }),
    noteRefusal: base.refusals.note,
    spend: spendShare,
  });
  const verifications = makeVerifications(common, delivery, messages);
  const alerts = createAlerts({
    ...common,
    ...watchedBy(providers, spend),
    outbound: base.outbound,
    telegramApiUrl: config.telegramApiUrl,
    currency,
    application: base.accounts.application,
    ...options.watched,
  });
  const insights = createInsights({
    ...common,
    currency,
    relations: { ...relations, verifications: verificationMessages() },
  });
  const feedback = createFeedback({ log, acceptances: delivery.acceptances, upstream: providers.upstream });
  return {
    upstream,
    uplinks,
    providers,
    lines,
    delivery,
    messages,
    verifications,
    alerts,
    insights,
    feedback,
    forget: forgetting(db, [delivery, messages, uplinks, posting, base.refusals, spend]),
    serves,
    rates,
  };
}

/** Codes count in the rooms of targets and limits, and end deliveries, in one statement. */
const makeVerifications = (common: Base['common'], delivery: Delivery, { exists }: Pick<Messages, 'exists'>) =>
  createVerifications({
    ...common,
    ports: {
      ...checkLimits,
      targets: targetRows,
      settleTargets,
      endDeliveries: delivery.endRows,
      expireDeliveries: delivery.expire,
      isMessage: exists,
    },
  });
type Forget = (applicationId: string, belowId: string, limit: number) => Promise<number>;

/** What removes messages past their time, the ledger first. */
function forgetting(db: Db, [delivery, ...rooms]: [{ forget: Forget }, ...{ forget: Forget }[]]): Forget[] {
  return [
    (...asked) => forgetEvents(db, ...asked),
    delivery.forget,
    (...asked) => forgetVerifications(db, ...asked),
    ...rooms.map(({ forget }) => forget),
  ];
}

/** Everything that can be asked over HTTP, in the order of its description. */
function allOperations(base: Base, sending: Sending): Operation[] {
  const { common, accounts, sandbox, templates, guesses, callbacks, posting, events, pricing, spend } = base;
  const { messages, verifications, feedback, uplinks, providers, alerts, insights, rates } = sending;
  const { db, clock } = common;
  const now = (): number => clock.now();
  return [
    ...messages.operations,
    ...events.operations,
    ...makeVerificationOperations({
      ...{ db, verifications, now, storeAnswer },
      onVerified: feedback.verified,
      limitsOf: limitChecks(rates),
    }),
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
    ...pricing.operations,
    ...callbacks.operations,
    ...base.presend.operations,
    ...base.refusals.operations,
    ...posting.operations,
    ...alerts.operations,
    ...insights.operations,
    ...base.fraud.operations,
    ...base.backTests.operations,
    ...spend.operations,
  ];
}

function makeFrontDoor(options: AppOptions, base: Base, sending: Sending) {
  const { config } = options;
  const { common, metrics, accounts, sandbox, templates, events, publicUrl } = base;
  const { db, log, clock } = common;
  const operations = allOperations(base, sending);
  const visit = createVisitors(clock);
  const site = createSite({
    ...{ publicUrl, clock, visit, securityContact: config.securityContact, publicSandbox: config.publicSandbox },
    // Complete only once the front door stands.
    description: () => frontDoor.openapi(),
  });
  const skills = createSkills({ publicUrl, publicSandbox: config.publicSandbox });
  const agents = createTooling({
    ...{ operations, accounts, templates, log, publicUrl, visit },
    messages: sending.messages,
    confirmations: createConfirmations(common),
    ...{ docs: site, skills, extend: options.extendAgents },
    frontDoor: () => frontDoor,
  });
  const frontDoor: FrontDoor = createFrontDoor({
    operations,
    endpoints: agents.endpoints,
    pages: [...skills.pages, ...agents.pages, ...site.pages, ...(config.metricsPublic ? [metricsPage(metrics)] : [])],
    webhooks,
    authenticate: { key: accounts.authenticateKey, operator: accounts.authenticateOperator },
    quota: sandbox.countRequest,
    onAnswered: events.noteCall,
    measure: metrics.measure,
    findHook: sending.providers.hook,
    ...common,
    publicUrl,
    trustProxy: config.trustProxy,
    checks: { database: () => db.ping() },
    checkOutput: options.checkOutput ?? false,
  });
  return frontDoor;
}

/** Every room, and the door in front of them. */
export async function makeRooms(options: AppOptions, node: () => number, publicUrl: () => string) {
  const base = makeBase(options, node, publicUrl, (...asked) => sending.serves(...asked));
  const sending = await makeSending(options, base);
  measure(base.metrics, { ...base, ...sending, db: options.db });
  const retention = createRetention({
    ...base.common,
    applicationsAfter: base.accounts.applicationsAfter,
    forget: sending.forget,
    sweepTargets: (limit) => sweepTargets(options.db, limit),
    sweepCounters: sending.rates.sweep,
  });
  return { ...base, ...sending, retention, frontDoor: makeFrontDoor(options, base, sending) };
}
