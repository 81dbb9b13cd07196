/** The operator's operations on providers: made, read, changed and deleted, with what the adapters ask for. */
import { z } from 'zod';
import { defineOperation, type Operation } from '../http/operation.ts';
import * as examples from './examples.ts';
import type { Office } from './office.ts';
import * as wire from './provider-wire.ts';
import type { Provider } from './records.ts';
import { createProvider, deleteProvider, getProvider, updateProvider } from './save-provider.ts';
import { listProviders } from './store.ts';

const root = '/admin/v1/providers';
const common = { tag: 'Operator: providers', auth: 'operator' } as const;
const one = { path: `${root}/{provider_id}`, errors: [4001] } as const;
const params = wire.providerParams;
const example = { name: 'an SMS provider', output: examples.provider };

export function createProviderOperations(office: Office): Operation[] {
  return [listAdapters(office), ...listing(office), ...single(office)];
}

const shown = (office: Office, provider: Provider) =>
  wire.toProvider(provider, office.registry.find(provider.adapter), office);

const listAdapters = ({ registry }: Office): Operation =>
  defineOperation(
    {
      ...common,
      id: 'listAdapters',
      method: 'GET',
      path: '/admin/v1/adapters',
      summary: 'List the adapters of this program, with the settings each asks for',
      input: {},
      output: z.object({ adapters: z.array(wire.adapterSchema) }),
      errors: [],
      examples: [{ name: 'one adapter', output: { adapters: [examples.adapter] } }],
    },
    () => ({ adapters: registry.list().map(wire.toAdapter) }),
  );

function listing(office: Office): Operation[] {
  return [
    defineOperation(
      {
        ...common,
        id: 'createProvider',
        conflicts: true,
        method: 'POST',
        path: root,
        summary: 'Create a provider: an account at an upstream',
        description:
          'Its settings are those of the adapter, see listAdapters; secrets are stored sealed and never returned. It is opened at once on every node; routes decide what it is used for.',
        input: { body: wire.providerBody },
        output: wire.providerSchema,
        errors: [],
        examples: [{ ...example, body: examples.providerBody }],
      },
      async ({ body, ip }) => shown(office, await createProvider(office, body, { ip })),
    ),
    defineOperation(
      {
        ...common,
        id: 'listProviders',
        method: 'GET',
        path: root,
        summary: 'List all providers',
        input: {},
        output: z.object({ providers: z.array(wire.providerSchema) }),
        errors: [],
        examples: [{ name: 'one provider', output: { providers: [examples.provider] } }],
      },
      async () => ({ providers: (await listProviders(office.db)).map((provider) => shown(office, provider)) }),
    ),
  ];
}

function single(office: Office): Operation[] {
  return [
    defineOperation(
      {
        ...common,
        ...one,
        id: 'getProvider',
        method: 'GET',
        summary: 'Get a provider, without its secrets',
        input: { params },
        output: wire.providerSchema,
        examples: [example],
      },
      async ({ params }) => shown(office, await getProvider(office, params.provider_id)),
    ),
    defineOperation(
      {
        ...common,
        ...one,
        id: 'updateProvider',
        conflicts: true,
        method: 'PATCH',
        summary: 'Change a provider',
        description:
          'What is not given stays, inside `settings` and `circuit` too. A setting that is null goes back to its default; a secret that is left out, or sent as "set", is kept. Hand-overs under way end with the old settings.',
        input: { params, body: wire.providerChange },
        output: wire.providerSchema,
        examples: [{ ...example, body: { rate_per_second: 20 } }],
      },
      async ({ params, body, ip }) => shown(office, await updateProvider(office, params.provider_id, body, { ip })),
    ),
    defineOperation(
      {
        ...common,
        ...one,
        id: 'deleteProvider',
        conflicts: true,
        method: 'DELETE',
        summary: 'Delete a provider that no route uses',
        input: { params },
        output: z.object({ id: z.string(), deleted: z.literal(true) }),
        examples: [{ name: 'deleted', output: { id: examples.provider.id, deleted: true } }],
      },
      async ({ params, ip }) => {
        await deleteProvider(office, params.provider_id, { ip });
        return { id: params.provider_id, deleted: true } as const;
      },
    ),
  ];
}
