/** What the operator's deeds share: their tools, and the answers for an unknown id and for a change that came too late. */
import { ApiError, type FieldFault, invalid } from '../errors.ts';
import { isId } from '../platform/ids.ts';
import type { Memory } from './memory.ts';
import type { OpeningPorts } from './open-upstream.ts';
import { providerIdPattern } from './records.ts';
import type { TestMessages } from './test-messages.ts';

export interface Office extends OpeningPorts {
  memory: Memory;
  currency: string;
  tests: TestMessages;
}

/** What making and changing needs of the office; the seed waits for no reading in between. */
export interface SaveTools extends Pick<Office, 'db' | 'keyring' | 'registry' | 'explain'> {
  memory: Pick<Memory, 'afterWrite'>;
}

type Thing = 'provider' | 'route';

export function found<Row>(thing: Thing, row: Row | null): Row {
  if (row === null) throw new ApiError(4001, `${thing} not found`, { status: 404 });
  return row;
}

/** The id, if it can be one at all; else the answer for an unknown one, without asking the database. */
export const knownProvider = (id: string): string => found('provider', providerIdPattern.test(id) ? id : null);
export const knownRoute = (id: string): string => found('route', isId(id) ? id : null);

/** 3002 unless the list is empty. */
export function requireNone(faults: readonly FieldFault[]): void {
  const [first, ...rest] = faults;
  if (first) throw invalid([first, ...rest]);
}

/** 409: what is asked for clashes with what is there. */
export function conflict(field: string, problem: string, details: Record<string, unknown> = {}): ApiError {
  return new ApiError(3002, `${field}: ${problem}`, {
    status: 409,
    details: { fields: [{ field, problem }], ...details },
  });
}

const tries = 5;

/**
 * Reads, works out the change, and writes it where the row still has the version that was read; else begins again. A version the
 * caller named must be the one that is read.
 */
export async function changeRow<Row extends { version: number }, Changed>(
  read: () => Promise<Row>,
  version: number | undefined,
  write: (row: Row) => Promise<Changed | null>,
): Promise<Changed> {
  for (let left = tries; left > 0; left--) {
    const row = await read();
    if (version !== undefined && version !== row.version) throw conflict('version', `is ${row.version} by now`);
    const changed = await write(row);
    if (changed !== null) return changed;
  }
  throw conflict('version', 'others are changing it at this moment, try again');
}
