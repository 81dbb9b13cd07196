/** The description in its other forms and the workflows over it, as a server with an address of its own gives them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { systemClock } from '../platform/clock.ts';
import type { Description as Published } from '../testing/description.ts';
import { schemaFaults } from '../testing/json-schema.ts';
import { areas } from './areas.ts';
import { type Description, operationsOf, type Parameter, resolve } from './description.ts';
import { documentPages } from './documents.ts';
import { wellKnownPages } from './well-known.ts';

const base = 'https://otp.example.com';
const text = readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8');
const whole = JSON.parse(text) as Description;
const ports = {
  publicUrl: () => base,
  description: () => whole,
  publicSandbox: true,
  clock: systemClock,
  visit: () => undefined,
  securityContact: undefined,
};
const request = { ip: '127.0.0.1', method: 'GET', query: new URLSearchParams(), headers: {} } as const;
const pages = [...documentPages(ports), ...wellKnownPages(ports)];
const get = async (path: string) => {
  const found = await pages.find((page) => page.path === path)?.answer({ ...request, path });
  assert.ok(found, path);
  return { ...found, text: String(found.body) };
};

test('/openapi.yaml is the same document as /openapi.json', async () => {
  const { mediaType, text: yaml, headers } = await get('/openapi.yaml');
  assert.deepEqual([mediaType, headers?.['Access-Control-Allow-Origin']], ['application/yaml', '*']);
  assert.deepEqual(parse(yaml), whole);
});

describe('the description by area', () => {
  const vendor = {
    'otp-delivery': ['POST /v1/messages'],
    'otp-verification': ['POST /v1/verifications'],
    'custom-otp-code-delivery': ['POST /v1/codes'],
    'custom-message-delivery': ['POST /v1/custom-messages'],
    template: [
      'POST /v1/template-configs',
      'GET /v1/template-configs',
      'GET /v1/template-configs/{template_id}',
      'DELETE /v1/template-configs/{template_id}',
    ],
  };

  test('has the vendor’s operations of the area and no others, each as it stands in the whole', async () => {
    assert.deepEqual(Object.keys(areas), Object.keys(vendor));
    for (const [name, calls] of Object.entries(vendor)) {
      const cut = JSON.parse((await get(`/openapi/${name}.json`)).text) as Description;
      assert.deepEqual(
        operationsOf(cut).map(({ method, path }) => `${method} ${path}`),
        calls,
      );
      for (const [path, methods] of Object.entries(cut.paths))
        for (const [method, operation] of Object.entries(methods))
          assert.deepEqual(operation, whole.paths[path]?.[method]);
      assert.equal('webhooks' in cut, false);
    }
  });

  test('has exactly what these refer to, and a title of its own', async () => {
    const titles = new Set<unknown>();
    for (const name of Object.keys(areas)) {
      const cut = JSON.parse((await get(`/openapi/${name}.json`)).text);
      const named = new Set([...JSON.stringify(cut).matchAll(/"#\/components\/([^"]+)"/g)].map(([, one]) => one));
      const { securitySchemes, ...components } = cut.components;
      const held = Object.entries<object>(components).flatMap(([kind, parts]) =>
        Object.keys(parts).map((part) => `${kind}/${part}`),
      );
      assert.deepEqual([...named].sort(), held.sort(), name);
      assert.deepEqual(Object.keys(securitySchemes), ['apiKey', 'apiKeyBearer']);
      titles.add(cut.info.title);
    }
    assert.equal(titles.size, Object.keys(areas).length);
  });
});

describe('the workflows', () => {
  // biome-ignore lint/suspicious/noExplicitAny: a document walked freely
  let served: any;
  before(async () => {
    served = parse((await get('/arazzo.yaml')).text);
  });
  const committed = parse(readFileSync(new URL('../../../docs/flows.arazzo.yaml', import.meta.url), 'utf8'));

  test('are over the description of this instance, and the file over the one beside it', () => {
    assert.equal(served.arazzo, '1.0.1');
    assert.deepEqual(served.sourceDescriptions, [{ name: 'otp', url: `${base}/openapi.json`, type: 'openapi' }]);
    committed.sourceDescriptions[0].url = served.sourceDescriptions[0].url;
    assert.deepEqual(committed, served);
  });

  test('call operations that exist, with their parameters and with bodies that fit', () => {
    const byId = new Map(operationsOf(whole).map((operation) => [operation.operationId, operation]));
    let steps = 0;
    for (const { workflowId, inputs, steps: list } of served.workflows)
      for (const { stepId, operationId, parameters, requestBody } of list) {
        const told = `${workflowId}.${stepId}`;
        const operation = byId.get(operationId);
        assert.ok(operation, `${told}: ${operationId}`);
        const known = operation.parameters.map((one) => resolve<Parameter>(whole, one));
        for (const { name, in: place } of parameters.filter(({ in: one }: Parameter) => one !== 'header'))
          assert.ok(
            known.some((one) => one.name === name && one.in === place),
            `${told}: ${name}`,
          );
        for (const { name } of known.filter(({ required }) => required))
          assert.ok(
            parameters.some((one: Parameter) => one.name === name),
            `${told} lacks ${name}`,
          );
        const schema = operation.requestBody?.content['application/json']?.schema;
        if (requestBody) {
          const body = withInputs(requestBody.payload, inputs.properties);
          assert.deepEqual(schemaFaults(schema as never, body, whole as unknown as Published), [], told);
        }
        steps += 1;
      }
    assert.equal(steps, 15);
  });

  test('use no input that is not described, and no output of a step that comes later', () => {
    for (const { workflowId, inputs, steps } of served.workflows) {
      const written = JSON.stringify(steps);
      const used = new Set([...written.matchAll(/\$inputs\.(\w+)/g)].map(([, name]) => name));
      assert.deepEqual([...used].sort(), Object.keys(inputs.properties).sort(), workflowId);
      const given = new Set<string>();
      for (const step of steps) {
        for (const [, id = '', name = ''] of JSON.stringify(step).matchAll(/\$steps\.(\w+)\.outputs\.(\w+)/g))
          assert.ok(given.has(`${id}.${name}`), `${workflowId}.${step.stepId}: ${id}.${name}`);
        for (const name of Object.keys(step.outputs ?? {})) given.add(`${step.stepId}.${name}`);
      }
    }
  });
});

/** The payload with what expressions may stand for. */
function withInputs(payload: unknown, inputs: Record<string, { default?: string }>): unknown {
  const samples: Record<string, string> = { template_id: 'login', endpoint_url: 'https://hooks.example.com/otp' };
  return JSON.parse(
    JSON.stringify(payload)
      .replaceAll(/\$inputs\.(\w+)/g, (_, name) => inputs[name]?.default ?? samples[name] ?? '')
      .replaceAll(/\$steps\.\w+\.outputs\.(\w+)/g, (_, name) => (name === 'code' ? '123456' : '2072832692843466759')),
  );
}

test('the API catalog names every form', async () => {
  const { linkset } = JSON.parse((await get('/.well-known/api-catalog')).text);
  const hrefs = linkset.flatMap((one: Record<string, { href: string }[]>) =>
    ['service-desc', 'service-meta'].flatMap((relation) => (one[relation] ?? []).map(({ href }) => href)),
  );
  const expected = [
    '/openapi.json',
    '/openapi.yaml',
    ...Object.keys(areas).map((name) => `/openapi/${name}.json`),
    '/arazzo.yaml',
  ];
  assert.deepEqual(
    hrefs,
    expected.map((path) => base + path),
  );
});
