/** What operators see of the posts to one endpoint, and how they have events posted again. */
import { z } from 'zod';
import { type Office, endpointParams as params } from '../callbacks/index.ts';
import { defineOperation, type Operation } from '../http/operation.ts';
import * as examples from './examples.ts';
import * as wire from './log-wire.ts';
import { readAttempts, readDeliveries } from './read-log.ts';
import { replay } from './replay.ts';

const path = '/admin/v1/applications/{application_id}/callback-endpoints/{endpoint_id}';
const common = { tag: 'Operator: callbacks', auth: 'operator', errors: [4001] } as const;

export function createLogOperations(office: Office): Operation[] {
  return [listWaiting(office), listTries(office), replayEvents(office)];
}

const listWaiting = (office: Office): Operation =>
  defineOperation(
    {
      ...common,
      id: 'listCallbackDeliveries',
      method: 'GET',
      path: `${path}/deliveries`,
      summary: 'List the events that wait for a callback endpoint, and those that were given up',
      description:
        'Newest message first. An event that was accepted is no longer in this list, see listCallbackAttempts.',
      input: { params, query: wire.deliveriesQuery },
      output: wire.deliveriesSchema,
      examples: [{ name: 'one page', output: { deliveries: [examples.delivery], next_cursor: null } }],
    },
    async ({ params, query: { message_id: messageId, ...query } }) => {
      const asked = { ...query, messageId };
      const { rows, next } = await readDeliveries(office, params.application_id, params.endpoint_id, asked);
      return { deliveries: rows.map(wire.toDelivery), next_cursor: next };
    },
  );

const listTries = (office: Office): Operation =>
  defineOperation(
    {
      ...common,
      id: 'listCallbackAttempts',
      method: 'GET',
      path: `${path}/attempts`,
      summary: 'List every try of every event at a callback endpoint, newest first',
      input: { params, query: wire.attemptsQuery },
      output: wire.attemptsSchema,
      examples: [{ name: 'one page', output: { attempts: [examples.attempt], next_cursor: null } }],
    },
    async ({ params, query: { message_id: messageId, event_id, ...query } }) => {
      const asked = { ...query, messageId, eventId: event_id?.slice(4) };
      const { rows, next } = await readAttempts(office, params.application_id, params.endpoint_id, asked);
      return { attempts: rows.map(wire.toAttempt), next_cursor: next };
    },
  );

const replayEvents = (office: Office): Operation =>
  defineOperation(
    {
      ...common,
      id: 'replayCallbacks',
      method: 'POST',
      path: `${path}/replays`,
      summary: 'Post events to a callback endpoint again',
      description:
        'Those named by their ids; those of one message; those of a time, whose message was accepted no more than three days before it; or what failed since a time. They keep their ids and begin anew with their tries; at most 100,000 at once.',
      input: { params, body: wire.replayBody },
      output: z.object({ queued: z.int() }),
      examples: [
        {
          name: 'all that failed since midnight',
          body: { failed_since: examples.midnight },
          output: { queued: 12 },
        },
      ],
    },
    async ({ params, body }) => ({
      queued: await replay(office, params.application_id, params.endpoint_id, body),
    }),
  );
