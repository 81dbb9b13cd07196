/** What an operator does with a provider that is there: try it, look at its health, drain it, close its circuit. */
import { z } from 'zod';
import { defineOperation, type Operation } from '../http/operation.ts';
import * as examples from './examples.ts';
import { goneSeconds } from './health.ts';
import { listHealth } from './health-store.ts';
import { found, knownProvider, type Office } from './office.ts';
import * as wire from './provider-wire.ts';
import type { Provider } from './records.ts';
import { getProvider } from './save-provider.ts';
import { drainProvider, resetCircuit } from './store.ts';
import { syncTemplates, type TestResult, testProvider } from './test-provider.ts';

const root = '/admin/v1/providers/{provider_id}';
const common = { tag: 'Operator: providers', auth: 'operator', errors: [4001] } as const;
const params = wire.providerParams;

export function createUpkeepOperations(office: Office): Operation[] {
  return [...trials(office), ...healthOperations(office), ...switches(office)];
}

function trials(office: Office): Operation[] {
  return [
    defineOperation(
      {
        ...common,
        id: 'testProvider',
        method: 'POST',
        path: `${root}/test`,
        summary: 'Send one real test message through a provider',
        description:
          'Hands over "This is a test message", past routes, rate and circuit, and answers what the upstream said. Works on a disabled provider too. The upstream bills it.',
        input: { params, body: wire.testBody },
        output: wire.testSchema,
        examples: [
          {
            name: 'accepted',
            body: { to: '+6591234567' },
            output: { outcome: 'accepted', channel: 'sms', upstream_id: 'SM1f3', latency_ms: 212 },
          },
        ],
      },
      async ({ params, body, ip, signal }) =>
        toTest(await testProvider(office, params.provider_id, body, { ip }, signal)),
    ),
    defineOperation(
      {
        ...common,
        id: 'syncTemplates',
        conflicts: true,
        method: 'POST',
        path: `${root}/sync-templates`,
        summary: "Make the upstream's templates that are missing, and tell the state of all",
        description: 'For upstreams that review texts, such as WhatsApp.',
        input: { params, body: wire.syncBody },
        bodyOptional: true,
        output: wire.syncSchema,
        examples: [
          {
            name: 'one language',
            body: { languages: ['en'] },
            output: { templates: [{ name: 'otp_code', language: 'en', state: 'pending' }] },
          },
        ],
      },
      async ({ params, body, ip, signal }) => ({
        templates: await syncTemplates(office, params.provider_id, body.languages, { ip }, signal),
      }),
    ),
  ];
}

const toTest = ({ outcome, channel, latencyMs }: TestResult): z.infer<typeof wire.testSchema> => ({
  outcome: outcome.kind,
  channel,
  ...(outcome.kind === 'accepted' && { upstream_id: outcome.upstreamId }),
  ...(outcome.kind === 'refused' && {
    reason: outcome.reason,
    error_code: outcome.errorCode,
    temporary: outcome.temporary,
  }),
  ...(outcome.kind !== 'accepted' && { detail: outcome.detail }),
  latency_ms: latencyMs,
});

function healthOperations(office: Office): Operation[] {
  const output = z.object({ health: z.array(wire.healthSchema) });
  const example = { name: 'one node', output: { health: [examples.health] } };
  const read = async (provider: string | null) => {
    await office.memory.health.flush();
    return { health: (await listHealth(office.db, provider, goneSeconds)).map(wire.toHealth) };
  };
  return [
    defineOperation(
      {
        ...common,
        id: 'listProviderHealth',
        method: 'GET',
        path: '/admin/v1/provider-health',
        summary: 'How every live node sees every provider',
        input: {},
        output,
        errors: [],
        examples: [example],
      },
      () => read(null),
    ),
    defineOperation(
      {
        ...common,
        id: 'getProviderHealth',
        method: 'GET',
        path: `${root}/health`,
        summary: 'How every live node sees one provider',
        description: 'Calls and errors are those inside the window of the circuit, or those that opened it.',
        input: { params },
        output,
        examples: [example],
      },
      async ({ params }) => read((await getProvider(office, params.provider_id)).id),
    ),
  ];
}

function switches(office: Office): Operation[] {
  const example = { name: 'an SMS provider', output: examples.provider };
  const change = async (id: string, write: (known: string) => Promise<Provider | null>) => {
    const known = knownProvider(id);
    const provider = found('provider', await office.memory.afterWrite(() => write(known)));
    return wire.toProvider(provider, office.registry.find(provider.adapter), office);
  };
  return [
    defineOperation(
      {
        ...common,
        id: 'drainProvider',
        method: 'POST',
        path: `${root}/drain`,
        summary: 'Hand nothing new to a provider for a while',
        description: 'It stays open, so that receipts are still taken. Ends by itself; 0 seconds end it at once.',
        input: { params, body: wire.drainBody },
        output: wire.providerSchema,
        examples: [{ ...example, body: { seconds: 3_600 } }],
      },
      ({ params, body, ip }) => change(params.provider_id, (id) => drainProvider(office.db, id, body.seconds, { ip })),
    ),
    defineOperation(
      {
        ...common,
        id: 'resetProviderCircuit',
        method: 'POST',
        path: `${root}/reset-circuit`,
        summary: 'Close the circuit of a provider on every node',
        input: { params },
        bodyOptional: true,
        output: wire.providerSchema,
        examples: [example],
      },
      ({ params, ip }) => change(params.provider_id, (id) => resetCircuit(office.db, id, { ip })),
    ),
  ];
}
