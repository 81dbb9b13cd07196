/** The operator's deeds on the opt-outs of an application. What changes is in the ledger, and holds for the next send. */
import { ApiError, invalid } from '../errors.ts';
import { deleteOptOut, findOptOut, insertOptOut, listOptOuts, type OptOut } from '../limits/index.ts';
import { parseAddress, searchedAddress } from '../messages/index.ts';
import { isId } from '../platform/ids.ts';
import type { Application } from '../policy.ts';
import type { UplinksContext } from './take-uplink.ts';

/** 404 for an unknown application, as with every operation of the operator. */
async function requireApplication({ application }: UplinksContext, id: string): Promise<Application> {
  return found('application', await application(id));
}

function found<Row>(thing: 'application' | 'opt-out', row: Row | null): Row {
  if (row === null) throw new ApiError(4001, `${thing} not found`, { status: 404 });
  return row;
}

export interface OptOutList {
  rows: OptOut[];
  /** Where the list goes on; null at its end. */
  next: string | null;
}

/** Newest first. */
export async function readOptOuts(
  context: UplinksContext,
  applicationId: string,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<OptOutList> {
  if (cursor !== undefined && !isId(cursor)) throw invalid([{ field: 'cursor', problem: 'not a cursor of this list' }]);
  const { id } = await requireApplication(context, applicationId);
  const rows = await listOptOuts(context.db, id, { limit: limit + 1, before: cursor ?? null });
  const shown = rows.slice(0, limit);
  return { rows: shown, next: rows.length > limit ? (shown.at(-1)?.number ?? null) : null };
}

/** 404 for who has not opted out, 3002 for what is no address. */
export async function getOptOut(context: UplinksContext, applicationId: string, target: string): Promise<OptOut> {
  const { id } = await requireApplication(context, applicationId);
  return found('opt-out', await findOptOut(context.db, id, searchedAddress(target, 'target')));
}

/** Who has opted out before stays as it was. 5011 or 3002 for what is no address. */
export async function addOptOut(
  context: UplinksContext,
  applicationId: string,
  target: string,
  actor: { ip: string },
): Promise<OptOut> {
  const { id } = await requireApplication(context, applicationId);
  const { address } = parseAddress(target, 'target');
  const made = { applicationId: id, target: address, source: 'operator', keyword: null } as const;
  // Somebody may remove it between the two.
  return (await insertOptOut(context.db, made, actor)) ?? found('opt-out', await findOptOut(context.db, id, address));
}

/** The normalised address. 404 for who has not opted out. */
export async function removeOptOut(
  context: UplinksContext,
  applicationId: string,
  target: string,
  actor: { ip: string },
): Promise<string> {
  const { id } = await requireApplication(context, applicationId);
  const address = searchedAddress(target, 'target');
  return found('opt-out', await deleteOptOut(context.db, id, address, actor)).target;
}
