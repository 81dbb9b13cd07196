/** Puts the room together: the network, its handsets, its receipts, the quota. */
import type { Clock } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import type { Keyring } from '../platform/seal.ts';
import type { Application } from '../policy.ts';
import { countRequest, type QuotaCaller, type QuotaLimits } from './count-request.ts';
import type { SandboxDeeds, Webhooks } from './deeds.ts';
import { isMagic, type Script, scriptFor } from './magic.ts';
import { createSandboxOperations } from './operations.ts';
import { readHandset } from './read-handset.ts';
import { createReceiptLoop } from './receipt-loop.ts';
import { claimLimit, reportDueReceipts } from './report-receipts.ts';
import { scriptRecipient } from './script-recipient.ts';
import { deleteScript, findScript, nextReceiptInMs } from './store.ts';
import { sweep } from './sweep.ts';
import { sandboxTemplates } from './templates.ts';
import { createVirtualNetwork, type VirtualAdapter } from './virtual-network.ts';
import { createWatchers } from './watchers.ts';

export interface SandboxOptions {
  db: Db;
  keyring: Keyring;
  clock: Clock;
  log: Log;
  webhooks: Webhooks;
  /** Requests per UTC day; default 500 per IPv4 address or IPv6 /64 and 5,000 per key (contract §13). */
  limits?: QuotaLimits;
  /** Long polls waiting on this node at once. */
  maxWaiting?: number;
}

export interface Sandbox extends SandboxDeeds {
  /** The virtual phone network, for all four channels. */
  adapter: VirtualAdapter;
  /** See magic.ts. */
  scriptFor(application: Pick<Application, 'network' | 'sandbox'>, to: string): Script | null;
  /** Whether a normalised address is one of the contract's magic recipients, wherever that matters. */
  isMagic(to: string): boolean;
  /** See count-request.ts. */
  countRequest(caller: QuotaCaller, ip: string): Promise<void>;
  operations: ReturnType<typeof createSandboxOperations>;
  templates: typeof sandboxTemplates;
  /** Reports receipts as they fall due, on nodes whose adapter is open, and sweeps hourly. */
  start(): Promise<void>;
  /** Lets waiting long polls answer and ends the round under way. */
  stop(): Promise<void>;
  /** One round of due receipts; resolves with how many were reported. */
  runDue(): Promise<number>;
  /** Rounds until nothing is due any more at this moment. */
  runUntilIdle(): Promise<number>;
  /** Removes handset messages and scripts older than 24 hours; resolves with the number of rows. */
  sweep(): Promise<number>;
}

export function createSandbox(options: SandboxOptions): Sandbox {
  const { db, keyring, log } = options;
  const limits = options.limits ?? { publicPerDay: 500, keyPerDay: 5_000 };
  const watchers = createWatchers({ db, keyring, maxWatchers: options.maxWaiting ?? 1_000 });
  const network = createVirtualNetwork({ db, keyring, watchers, onPlanned: (inMs) => loop.dueIn(inMs) });
  const runDue = (): Promise<number> => reportDueReceipts({ db, log, network });
  const loop = createReceiptLoop({
    round: async () => (await runDue()) < claimLimit,
    nextInMs: () => nextReceiptInMs(db),
    sweep: async (goOn) => void (await sweep(db, goOn)),
    log,
  });
  const deeds = {
    messages: (applicationId, query, signal) => readHandset({ ...options, watchers }, applicationId, query, signal),
    webhooks: options.webhooks,
    scriptRecipient: (applicationId, to, channels) => scriptRecipient(db, applicationId, to, channels),
    findScript: (applicationId, to) => findScript(db, applicationId, to),
    removeScript: (applicationId, to) => deleteScript(db, applicationId, to),
  } satisfies SandboxDeeds;
  return {
    ...deeds,
    adapter: network.adapter,
    scriptFor,
    isMagic,
    countRequest: (caller, ip) => countRequest({ db, keyring, limits }, caller, ip),
    operations: createSandboxOperations(deeds),
    templates: sandboxTemplates,
    async start() {
      loop.start();
    },
    async stop() {
      watchers.close();
      await loop.stop();
    },
    runDue,
    async runUntilIdle() {
      let reported = 0;
      for (let now = await runDue(); now > 0; now = await runDue()) reported += now;
      return reported;
    },
    sweep: () => sweep(db),
  };
}
