/** The operator's operations on routes, and the one that explains them. */
import { z } from 'zod';
import { defineOperation, type Operation } from '../http/operation.ts';
import * as examples from './examples.ts';
import type { Office } from './office.ts';
import { resolveRoute } from './resolve.ts';
import * as wire from './route-wire.ts';
import { createRoute, deleteRoute, getRoute, listRoutes, updateRoute } from './save-route.ts';

const root = '/admin/v1/routes';
const common = { tag: 'Operator: routes', auth: 'operator' } as const;
const one = { path: `${root}/{route_id}`, errors: [4001] } as const;
const params = wire.routeParams;
const example = { name: 'SMS to Singapore', output: examples.route };

export function createRouteOperations(office: Office): Operation[] {
  return [...listing(office), ...single(office), explaining(office)];
}

function listing(office: Office): Operation[] {
  return [
    defineOperation(
      {
        ...common,
        id: 'createRoute',
        conflicts: true,
        method: 'POST',
        path: root,
        summary: 'Create a route: the providers of a channel for a country, a prefix or by default',
        description:
          'Without `application_id` it serves all applications. A message goes to the most specific route first: those of its application before general ones, the longest prefix, the country, the default; entries that serve it in less specific routes follow.',
        input: { body: wire.routeBody },
        output: wire.routeSchema,
        errors: [],
        examples: [{ ...example, body: examples.routeBody }],
      },
      async ({ body, ip }) => wire.toRoute(await createRoute(office, body, { ip }), office.currency),
    ),
    defineOperation(
      {
        ...common,
        id: 'listRoutes',
        method: 'GET',
        path: root,
        summary: 'List routes, newest first',
        input: { query: wire.routesQuery },
        output: z.object({ routes: z.array(wire.routeSchema), next_cursor: z.string().nullable() }),
        errors: [],
        examples: [{ name: 'one page', output: { routes: [examples.route], next_cursor: null } }],
      },
      async ({ query: { application_id: applicationId, ...query } }) => {
        const { rows, next } = await listRoutes(office, { ...query, applicationId });
        return { routes: rows.map((route) => wire.toRoute(route, office.currency)), next_cursor: next };
      },
    ),
  ];
}

function single(office: Office): Operation[] {
  return [
    defineOperation(
      {
        ...common,
        ...one,
        id: 'getRoute',
        method: 'GET',
        summary: 'Get a route with its entries',
        input: { params },
        output: wire.routeSchema,
        examples: [example],
      },
      async ({ params }) => wire.toRoute(await getRoute(office, params.route_id), office.currency),
    ),
    defineOperation(
      {
        ...common,
        ...one,
        id: 'updateRoute',
        conflicts: true,
        method: 'PATCH',
        summary: 'Change the entries, the note or the enabled flag of a route',
        description:
          'What is not given stays; `entries` are given as a whole. Where the route leads cannot be changed: create another one.',
        input: { params, body: wire.routeChange },
        output: wire.routeSchema,
        examples: [{ ...example, body: { entries: examples.routeBody.entries } }],
      },
      async ({ params, body, ip }) =>
        wire.toRoute(await updateRoute(office, params.route_id, body, { ip }), office.currency),
    ),
    defineOperation(
      {
        ...common,
        ...one,
        id: 'deleteRoute',
        method: 'DELETE',
        summary: 'Delete a route',
        description: 'Messages under way that were planned over it go on with their next provider.',
        input: { params },
        output: z.object({ id: z.string(), deleted: z.literal(true) }),
        examples: [{ name: 'deleted', output: { id: examples.route.id, deleted: true } }],
      },
      async ({ params, ip }) => ({ id: await deleteRoute(office, params.route_id, { ip }), deleted: true }) as const,
    ),
  ];
}

const explaining = (office: Office): Operation =>
  defineOperation(
    {
      ...common,
      id: 'resolveRoute',
      method: 'POST',
      path: '/admin/v1/route-resolution',
      summary: 'Explain which providers a message would go to, in which order, and why not to others',
      description: 'Sends nothing. As the node that answers sees it at this moment.',
      input: { body: wire.resolveBody },
      output: wire.resolutionSchema,
      errors: [],
      examples: [
        { name: 'SMS to Singapore', body: { channel: 'sms', to: '+6591234567' }, output: examples.resolution },
      ],
    },
    ({ body: { application_id: applicationId, channel, to } }) => resolveRoute(office, { applicationId, channel, to }),
  );
