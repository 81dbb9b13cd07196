/** The operator's operations on callback endpoints, below their application: made, read, changed and deleted. */
import { z } from 'zod';
import { defineOperation, type Operation } from '../http/operation.ts';
import { listEndpoints } from './endpoint-store.ts';
import * as wire from './endpoint-wire.ts';
import * as examples from './examples.ts';
import { getEndpoint, type Office, requireApplication } from './office.ts';
import { createEndpoint, deleteEndpoint, updateEndpoint } from './save-endpoint.ts';

const path = '/admin/v1/applications/{application_id}/callback-endpoints';
const common = { tag: 'Operator: callbacks', auth: 'operator', errors: [4001] } as const;
const params = wire.endpointParams;
const one = { ...common, path: `${path}/{endpoint_id}` } as const;
const example = { name: 'a login service', output: examples.endpoint };

export function createEndpointOperations(office: Office): Operation[] {
  return [create(office), list(office), get(office), update(office), remove(office)];
}

const create = (office: Office): Operation =>
  defineOperation(
    {
      ...common,
      id: 'createCallbackEndpoint',
      conflicts: true,
      method: 'POST',
      path,
      summary: 'Create a callback endpoint',
      description:
        'The address is probed with `{}` and all headers of a callback; any 2xx within three seconds passes. A failing probe saves too, with `reachable` false. The signing secret is shown in this answer only. At most 20 per application.',
      input: { params: wire.applicationParams, body: wire.endpointBody },
      output: wire.createdSchema,
      examples: [{ name: 'a login service', body: examples.endpointBody, output: examples.created }],
    },
    async ({ params, body, ip }) => {
      const { endpoint, signingSecret } = await createEndpoint(office, params.application_id, body, { ip });
      return { ...wire.toEndpoint(endpoint), signing_secret: signingSecret };
    },
  );

const list = (office: Office): Operation =>
  defineOperation(
    {
      ...common,
      id: 'listCallbackEndpoints',
      method: 'GET',
      path,
      summary: 'List the callback endpoints of an application, oldest first',
      input: { params: wire.applicationParams },
      output: z.object({ callback_endpoints: z.array(wire.endpointSchema) }),
      examples: [{ name: 'one endpoint', output: { callback_endpoints: [examples.endpoint] } }],
    },
    async ({ params }) => {
      const { id } = await requireApplication(office, params.application_id);
      return { callback_endpoints: (await listEndpoints(office.db, office.keyring, id)).map(wire.toEndpoint) };
    },
  );

const get = (office: Office): Operation =>
  defineOperation(
    {
      ...one,
      id: 'getCallbackEndpoint',
      method: 'GET',
      summary: 'Get a callback endpoint, without its secrets',
      input: { params },
      output: wire.endpointSchema,
      examples: [example],
    },
    async ({ params }) => wire.toEndpoint(await getEndpoint(office, params.application_id, params.endpoint_id)),
  );

const update = (office: Office): Operation =>
  defineOperation(
    {
      ...one,
      id: 'updateCallbackEndpoint',
      conflicts: true,
      method: 'PATCH',
      summary: 'Change a callback endpoint',
      description:
        'What is not given stays. Probed anew where `url`, `username`, `secret` or `authorization` is given. Enabling one that the platform switched off lets it begin without a past.',
      input: { params, body: wire.endpointChange },
      output: wire.endpointSchema,
      examples: [{ ...example, body: { batch_rows: 1, enabled: true } }],
    },
    async ({ params, body, ip }) =>
      wire.toEndpoint(await updateEndpoint(office, params.application_id, params.endpoint_id, body, { ip })),
  );

const remove = (office: Office): Operation =>
  defineOperation(
    {
      ...one,
      id: 'deleteCallbackEndpoint',
      method: 'DELETE',
      summary: 'Delete a callback endpoint, with what waits for it and its log',
      input: { params },
      output: z.object({ id: z.string(), deleted: z.literal(true) }),
      examples: [{ name: 'deleted', output: { id: examples.endpoint.id, deleted: true } }],
    },
    async ({ params, ip }) => {
      await deleteEndpoint(office, params.application_id, params.endpoint_id, { ip });
      return { id: params.endpoint_id, deleted: true } as const;
    },
  );
