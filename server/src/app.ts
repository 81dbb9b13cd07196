/** The app: its rooms over one database, started and stopped in order. */
import { type FirstStart, publicSandboxApplicationId } from './accounts/index.ts';
import type { Config } from './config.ts';
import { firstTemplates } from './first-templates.ts';
import { openOperators } from './measuring.ts';
import type { Listener } from './metrics/index.ts';
import { createLog } from './platform/log.ts';
import { keptMasterKey } from './platform/master-key.ts';
import { migrate } from './platform/migrate.ts';
import { leaseNode } from './platform/nodes.ts';
import { openPglite } from './platform/pglite.ts';
import { openPostgres } from './platform/postgres.ts';

import { type AppOptions, makeRooms } from './rooms.ts';

export type { AppOptions } from './rooms.ts';

export type App = Awaited<ReturnType<typeof createApp>>;

/** Every room over one database. Nothing runs yet: `start` begins the work of the roles. */
export async function createApp(options: AppOptions) {
  const { db, log, config } = options;
  const lease = await leaseNode(db, log, config.roles.has('worker'));
  let address = '';
  let isStarted = false;
  let operators: Listener | null = null;
  const rooms = await makeRooms(
    options,
    () => lease.node(),
    () => config.publicUrl ?? address,
  );
  const { frontDoor, accounts, templates, sandbox, delivery, verifications, retention, providers } = rooms;
  const { events, posting, alerts, insights, subscribers, spend, fraud } = rooms;
  return {
    ...rooms,
    /**
     * Reads the providers, and makes what a first start needs; the secrets only then. Throws ConfigError for the master key of another
     * database and for a bad providers file.
     */
    async furnish(): Promise<FirstStart | null> {
      await accounts.requireMasterKey();
      await events.start();
      // One after the other: they share the connection that listens.
      await providers.start();
      await rooms.pricing.start();
      await rooms.presend.start();
      const first = await accounts.bootstrap(config);
      await templates.seed(publicSandboxApplicationId, sandbox.templates);
      if (first) await templates.seed(first.applicationId, firstTemplates);
      return first;
    },
    /** Opens the listener for operators where one is wanted; resolves with its address. Throws ConfigError. */
    async openOperators(): Promise<string | null> {
      operators = await openOperators({ ...rooms, isStarted: () => isStarted }, config, log);
      return operators?.address ?? null;
    },
    /** Begins the roles; resolves with the address customers reach, `worker` for a process that answers no requests. */
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
      if (config.roles.has('api')) {
        subscribers.start();
        await spend.look();
        spend.start();
        address = await frontDoor.listen(config.host, config.port);
      }
      isStarted = true;
      return address || 'worker';
    },
    /** Answers what is under way, finishes attempts, gives back what is held. */
    async stop(): Promise<void> {
      await Promise.all([frontDoor.close(), sandbox.stop(), events.endStreams()]);
      await Promise.all([verifications.stop(), retention.stop(), events.stop(), subscribers.stop()]);
      await Promise.all([alerts.stop(), insights.stop(), spend.stop(), fraud.stop()]);
      await Promise.all([rooms.feedback.stop(), rooms.refusals.flush()]);
      await delivery.stop();
      await posting.stop();
      await Promise.all([providers.stop(), rooms.pricing.stop(), rooms.presend.stop()]);
      await rooms.upstream.close();
      await Promise.all([rooms.outbound.close(), rooms.toCustomers.close()]);
      await lease.release();
      // Last: until here it tells how far the end has come.
      await operators?.close();
    },
  };
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
    // Before the first objects: a start that fails for its port has not made a key that nobody saw.
    const operators = await app.openOperators();
    const firstStart = await app.furnish();
    const stop = async (): Promise<void> => {
      await app.stop();
      await db.close();
    };
    return { firstStart, operators, start: app.start, stop };
  } catch (error) {
    await db.close();
    throw error;
  }
}
