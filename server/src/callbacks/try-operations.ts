/** What an operator does to one endpoint beyond its settings: probe it, send it a test event, rotate its signing secret. */
import { defineOperation, type Operation } from '../http/operation.ts';
import * as wire from './endpoint-wire.ts';
import * as examples from './examples.ts';
import type { Office } from './office.ts';
import { probeAgain } from './probe.ts';
import { rotateSecret } from './rotate.ts';
import { sendTestEvent } from './test-event.ts';

const path = '/admin/v1/applications/{application_id}/callback-endpoints/{endpoint_id}';
const common = { tag: 'Operator: callbacks', auth: 'operator', method: 'POST', errors: [4001] } as const;
const params = wire.endpointParams;

export function createTryOperations(office: Office): Operation[] {
  return [probeNow(office), testEvent(office), rotate(office)];
}

const probeNow = (office: Office): Operation =>
  defineOperation(
    {
      ...common,
      id: 'probeCallbackEndpoint',
      conflicts: true,
      path: `${path}/probe`,
      summary: 'Probe a callback endpoint now',
      input: { params },
      output: wire.endpointSchema,
      examples: [{ name: 'it answers', output: examples.endpoint }],
    },
    async ({ params }) => wire.toEndpoint(await probeAgain(office, params.application_id, params.endpoint_id)),
  );

const testEvent = (office: Office): Operation =>
  defineOperation(
    {
      ...common,
      id: 'sendTestEvent',
      path: `${path}/test-event`,
      summary: 'Post a test event to a callback endpoint',
      description:
        'A realistic row of a message that does not exist, in the format of the endpoint, signed with the real headers, posted once and at once, also while the endpoint is not enabled.',
      input: { params, body: wire.testBody },
      bodyOptional: true,
      output: wire.testSchema,
      examples: [{ name: 'refused', body: { event: 'delivered' }, output: examples.tested }],
    },
    async ({ params, body, signal }) => {
      const { application_id, endpoint_id } = params;
      const { event, delivered, httpStatus, latencyMs, detail, response } = await sendTestEvent(
        office,
        application_id,
        endpoint_id,
        body.event,
        signal,
      );
      return { event, delivered, http_status: httpStatus, latency_ms: latencyMs, detail, response };
    },
  );

const rotate = (office: Office): Operation =>
  defineOperation(
    {
      ...common,
      id: 'rotateCallbackSecret',
      conflicts: true,
      path: `${path}/rotate-secret`,
      summary: 'Give a callback endpoint a new signing secret',
      description:
        'The new secret is shown in this answer only. The former one signs beside it for another 24 hours, so that the receiver can change over.',
      input: { params },
      output: wire.rotatedSchema,
      examples: [{ name: 'rotated', output: examples.rotated }],
    },
    async ({ params, ip }) => {
      const { application_id, endpoint_id } = params;
      const { endpoint, signingSecret, formerSignsUntil } = await rotateSecret(office, application_id, endpoint_id, {
        ip,
      });
      return {
        ...wire.toEndpoint(endpoint),
        signing_secret: signingSecret,
        former_signs_until: formerSignsUntil.toISOString(),
      };
    },
  );
