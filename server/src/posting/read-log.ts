/** Pages of what waits for an endpoint and of what was tried. */
import { getEndpoint, type Office } from '../callbacks/index.ts';
import { invalid } from '../errors.ts';
import { isId } from '../platform/ids.ts';
import {
  type AttemptFilter,
  type AttemptRow,
  type DeliveryFilter,
  type DeliveryRow,
  listAttempts,
  listDeliveries,
} from './log-store.ts';

export interface Page<Row> {
  rows: Row[];
  /** Where the list goes on; null at its end. */
  next: string | null;
}

type Asked<Filter> = Omit<Filter, 'before'> & { cursor?: string | undefined };

export async function readDeliveries(
  office: Office,
  applicationId: string,
  id: string,
  { cursor, ...filter }: Asked<DeliveryFilter>,
): Promise<Page<DeliveryRow>> {
  const [messageId = '', position = '', ...more] = (cursor ?? '').split('-');
  const given = (messageId === '0' || isId(messageId)) && isId(position) && more.length === 0;
  if (cursor !== undefined && !given) throw badCursor();
  const endpoint = await getEndpoint(office, applicationId, id);
  const before = cursor === undefined ? undefined : { messageId, position, endpointId: endpoint.id };
  const rows = await listDeliveries(office.db, [endpoint.id], { ...filter, before, limit: filter.limit + 1 });
  return pageOf(rows, filter.limit, (row) => `${row.messageId}-${row.position}`);
}

export async function readAttempts(
  office: Office,
  applicationId: string,
  id: string,
  { cursor, ...filter }: Asked<AttemptFilter>,
): Promise<Page<AttemptRow>> {
  if (cursor !== undefined && !isId(cursor)) throw badCursor();
  const endpoint = await getEndpoint(office, applicationId, id);
  const of = { ids: [endpoint.id], applicationId };
  const rows = await listAttempts(office.db, of, { ...filter, before: cursor, limit: filter.limit + 1 });
  return pageOf(rows, filter.limit, (row) => row.id);
}

export const badCursor = () => invalid([{ field: 'cursor', problem: 'not a cursor of this list' }]);

/** One row more than asked for shows whether the list goes on. */
export function pageOf<Row>(rows: Row[], limit: number, cursorOf: (row: Row) => string): Page<Row> {
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  return { rows: shown, next: last ? cursorOf(last) : null };
}
