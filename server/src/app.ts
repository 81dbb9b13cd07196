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
