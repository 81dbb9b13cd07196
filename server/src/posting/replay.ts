/**
 * Telling an endpoint again what it was told, or failed to be told: single events, one message, a time, or all that failed. Events
 * keep their ids, so that a receiver that had them knows them again.
 */
import { type Endpoint, expandEvents, getEndpoint, type Office } from '../callbacks/index.ts';
import { invalid } from '../errors.ts';
import type { EventName } from '../events/index.ts';
import { isId, messageIdOf } from '../platform/ids.ts';
import type { ReplayBody } from './log-wire.ts';
import * as store from './replay-store.ts';

const maxRows = 100_000;
const rowsAtOnce = 5_000;
/** Receipts and ends of codes come after their message: mostly within minutes, from some networks after three days. */
const maxLagMs = 3 * 86_400_000;
/** A message is numbered by the clock of a node, an event by that of the database. */
const clockSkewMs = 60_000;
const firstMs = 1_288_834_974_657;
const highestId = '9223372036854775807';

/** How many events are queued again. */
export async function replay(office: Office, applicationId: string, id: string, body: ReplayBody): Promise<number> {
  const endpoint = await getEndpoint(office, applicationId, id);
  const queued = await queueAgain(office, endpoint, body);
  if (queued > 0) office.changed();
  return queued;
}

function queueAgain(office: Office, endpoint: Endpoint, body: ReplayBody): Promise<number> {
  const target = { endpointId: endpoint.id, applicationId: endpoint.applicationId };
  if (body.event_ids)
    return store.queueEvents(office.db, target, { eventIds: body.event_ids.map((eventId) => eventId.slice(4)) });
  if (body.message_id !== undefined) {
    const { message_id } = body;
    const events = endpoint.eventTypes;
    return queueStretches(office, target, [{ fromId: message_id, untilId: message_id, times: null, events }]);
  }
  if (body.failed_since !== undefined) return queueFailed(office, target, new Date(body.failed_since));
  return queueStretches(office, target, stretchesOf(office, endpoint, body));
}

/** Messages of the time and a little before, and what belongs to none. */
function stretchesOf({ clock }: Pick<Office, 'clock'>, endpoint: Endpoint, body: ReplayBody): store.Stretch[] {
  const from = Date.parse(body.from ?? '');
  const until = body.until === undefined ? clock.now() + clockSkewMs : Date.parse(body.until);
  if (until <= from) throw invalid([{ field: 'until', problem: 'must be later than from' }]);
  const times = { from: new Date(from), until: new Date(until) };
  const events = chosenOf(endpoint, body);
  return [
    { fromId: idAt(from - maxLagMs), untilId: idAt(until + clockSkewMs), times, events },
    { fromId: '0', untilId: '0', times, events },
  ];
}

/** Of what the endpoint is told, that which is asked for. */
function chosenOf({ eventTypes }: Endpoint, { events }: ReplayBody): readonly EventName[] {
  if (!events) return eventTypes;
  const asked = new Set(expandEvents(events));
  return eventTypes.filter((name) => asked.has(name));
}

/** The lowest id of what happened at that time. */
export function idAt(ms: number): string {
  if (ms <= firstMs) return '1';
  const id = messageIdOf(ms, 0, 0);
  return isId(id) ? id : highestId;
}

async function queueStretches(
  { db }: Pick<Office, 'db'>,
  target: store.Target,
  stretches: readonly store.Stretch[],
): Promise<number> {
  let found = 0;
  for (const stretch of stretches) found += await store.countEntries(db, target, stretch, maxRows + 1);
  requireFew(found, stretches.some(({ times }) => times) ? 'from' : 'message_id');
  let total = 0;
  for (const stretch of stretches) {
    for (let after: store.Place | null = null; ; ) {
      const { queued, last } = await store.queueEntries(db, target, stretch, after, rowsAtOnce);
      total += queued;
      if (last === null || total >= maxRows) break;
      after = last;
    }
  }
  return total;
}

async function queueFailed({ db }: Pick<Office, 'db'>, target: store.Target, since: Date): Promise<number> {
  const { rows, until } = await store.countFailed(db, target, since, maxRows + 1);
  requireFew(rows, 'failed_since');
  // What fails again meanwhile is not taken up twice.
  const failed = { since, until };
  let total = 0;
  for (const queue of [store.requeueGivenUp, store.hastenRetries])
    for (let queued = rowsAtOnce; queued === rowsAtOnce && total < maxRows; total += queued)
      queued = await queue(db, target, failed, rowsAtOnce);
  return total;
}

function requireFew(rows: number, field: string): void {
  if (rows <= maxRows) return;
  const problem = `more than ${maxRows} events at once; replay a shorter time, or fewer kinds of events`;
  throw invalid([{ field, problem }]);
}
