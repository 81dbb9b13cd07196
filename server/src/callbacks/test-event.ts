/** A test event: a realistic row of an event, posted at once with the real headers; it is in neither the ledger nor the log. */
import { type EventName, rowOf, standardBody } from '../events/index.ts';
import { isAccepted, noteOf, shownText } from './answer.ts';
import type { Endpoint } from './endpoint.ts';
import { getEndpoint, type Office, requireApplication } from './office.ts';
import { post } from './post.ts';
import { newEventId } from './probe.ts';
import { sampleOf } from './sample.ts';

export interface TestEventResult {
  event: EventName;
  delivered: boolean;
  httpStatus: number | null;
  latencyMs: number;
  /** Why it was not delivered. */
  detail: string | null;
  response: string | null;
}

export async function sendTestEvent(
  office: Office,
  applicationId: string,
  id: string,
  chosen: EventName | undefined,
  signal: AbortSignal,
): Promise<TestEventResult> {
  const application = await requireApplication(office, applicationId);
  const endpoint = await getEndpoint(office, applicationId, id);
  const event = chosen ?? usualEvent(endpoint);
  const { entry, message } = sampleOf({
    event,
    applicationId: application.id,
    organizationId: application.organizationId,
    nowMs: office.clock.now(),
  });
  const row = rowOf(entry, message);
  const body = endpoint.format === 'standard' ? standardBody(entry, message) : { total: 1, rows: [row] };
  const posted = { eventId: newEventId(office.clock), body: JSON.stringify(body) };
  const { answer, latencyMs } = await post(office, endpoint, posted, signal);
  const delivered = isAccepted(answer);
  return {
    event,
    delivered,
    httpStatus: answer.kind === 'answered' ? answer.status : null,
    latencyMs,
    detail: delivered ? null : noteOf(answer),
    response: shownText(answer),
  };
}

const usualEvent = ({ eventTypes }: Endpoint): EventName =>
  eventTypes.includes('delivered') ? 'delivered' : (eventTypes[0] ?? 'delivered');
