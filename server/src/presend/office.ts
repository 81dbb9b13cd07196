/** What the deeds on hooks share: their tools, and the answers for what is unknown. */
import { ApiError } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import type { Outbound } from '../platform/outbound.ts';
import type { Keyring } from '../platform/seal.ts';
import type { Application } from '../policy.ts';

export interface Office {
  db: Db;
  keyring: Keyring;
  clock: Clock;
  outbound: Pick<Outbound, 'fault' | 'request'>;
  application(id: string): Promise<Application | null>;
  /** After a write, whether or not its outcome is known: this process then knows what the database says. */
  changed(): Promise<void>;
}

export function found<Row>(thing: 'application' | 'pre-send hook', row: Row | null): Row {
  if (row === null) throw new ApiError(4001, `${thing} not found`, { status: 404 });
  return row;
}

/** 404 for an unknown application, as with every operation of the operator. */
export const requireApplication = async (office: Pick<Office, 'application'>, id: string): Promise<Application> =>
  found('application', await office.application(id));
