/** Whether an endpoint answers (contract §10.1): the body `{}` with all headers of a callback; any 2xx within three seconds passes. */
import { randomInt } from 'node:crypto';
import type { Clock } from '../platform/clock.ts';
import { messageIdOf } from '../platform/ids.ts';
import { isAccepted, noteOf } from './answer.ts';
import type { Endpoint } from './endpoint.ts';
import { changeEndpoint, type Office } from './office.ts';
import { type PostPorts, post } from './post.ts';
import { updateProbe } from './save-store.ts';

const timeoutMs = 3_000;

export interface ProbeResult {
  reachable: boolean;
  /** Its status, or why there was none. */
  note: string;
}

/** The number of `webhook-id: evt_…` for a post that stands for no entry of the ledger. */
export const newEventId = (clock: Clock): string => messageIdOf(clock.now(), randomInt(1024), randomInt(4096));

/** Ends by itself; a caller who goes away does not make an endpoint unreachable. */
export async function probe(
  ports: PostPorts,
  endpoint: Pick<Endpoint, 'url' | 'username' | 'secrets'>,
): Promise<ProbeResult> {
  const probed = { ...endpoint, timeoutMs };
  const { answer } = await post(ports, probed, { eventId: newEventId(ports.clock), body: '{}' });
  return { reachable: isAccepted(answer), note: noteOf(answer) };
}

/** Tests anew. A result about settings that changed meanwhile is thrown away. */
export function probeAgain(office: Office, applicationId: string, id: string): Promise<Endpoint> {
  return changeEndpoint(office, { applicationId, id }, async (read) =>
    updateProbe(office.db, office.keyring, read, await probe(office, read)),
  );
}
