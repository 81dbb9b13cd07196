/** What the deeds on endpoints share: their tools, and the answers for what is unknown and for a change that came too late. */
import { ApiError, type FieldFault, invalid } from '../errors.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import { isId } from '../platform/ids.ts';
import type { Outbound } from '../platform/outbound.ts';
import type { Keyring } from '../platform/seal.ts';
import type { Application } from '../policy.ts';
import type { Endpoint } from './endpoint.ts';
import { findEndpoint } from './endpoint-store.ts';

export interface Office {
  db: Db;
  keyring: Keyring;
  clock: Clock;
  outbound: Pick<Outbound, 'fault' | 'request'>;
  application(id: string): Promise<Application | null>;
  /** Heard after an endpoint was made, changed or removed, and after something was queued for it again. */
  changed(): void;
  /** Removes what was queued for an endpoint that is gone, and the log of its posts. */
  forgetPosts(endpointId: string): Promise<void>;
}

/** Who did it, for the ledger; null leaves no line there. */
export type Actor = { ip: string } | null;

type Thing = 'application' | 'callback endpoint';

function found<Row>(thing: Thing, row: Row | null): Row {
  if (row === null) throw new ApiError(4001, `${thing} not found`, { status: 404 });
  return row;
}

/** 404 for an unknown application, as with every operation of the operator. */
export async function requireApplication({ application }: Pick<Office, 'application'>, id: string) {
  return found('application', await application(id));
}

export const foundEndpoint = <Row>(row: Row | null): Row => found('callback endpoint', row);

/** The id, if it can be one at all; else the answer for an unknown one, without asking the database. */
export const knownEndpoint = (id: string): string => foundEndpoint(isId(id) ? id : null);

/** 404 also for the endpoint of another application. */
export async function getEndpoint(office: Office, applicationId: string, id: string): Promise<Endpoint> {
  const application = await requireApplication(office, applicationId);
  return foundEndpoint(await findEndpoint(office.db, office.keyring, application.id, knownEndpoint(id)));
}

/** 3002 unless the list is empty. */
export function requireNone(faults: readonly FieldFault[]): void {
  const [first, ...rest] = faults;
  if (first) throw invalid([first, ...rest]);
}

/** 409: what is asked for clashes with what is there. */
export function conflict(field: string, problem: string): ApiError {
  return new ApiError(3002, `${field}: ${problem}`, { status: 409, details: { fields: [{ field, problem }] } });
}

const tries = 5;

/**
 * Reads, works out the change, and writes it where the row still has the version that was read; else begins again. A version the
 * caller named must be the one that is read.
 */
export async function changeEndpoint(
  office: Office,
  { applicationId, id, version }: { applicationId: string; id: string; version?: number | undefined },
  write: (read: Endpoint) => Promise<Endpoint | null>,
): Promise<Endpoint> {
  for (let left = tries; left > 0; left--) {
    const read = await getEndpoint(office, applicationId, id);
    if (version !== undefined && version !== read.version) throw conflict('version', `is ${read.version} by now`);
    const changed = await write(read);
    if (changed === null) continue;
    office.changed();
    return changed;
  }
  throw conflict('version', 'others are changing it at this moment, try again');
}
