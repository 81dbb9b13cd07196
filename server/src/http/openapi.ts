/**
 * The API description, OpenAPI 3.1.0, made from the list of operations and nothing else. 3.1 and not 3.2: most tools read only
 * the former.
 */
import { readFileSync } from 'node:fs';
import { errorResponses, errorSchema } from './errors.ts';
import { withWords, wordsFor } from './field-words.ts';
import { createSchemaBook, type Json, type SchemaBook } from './openapi-schemas.ts';
import { describeTags } from './openapi-tags.ts';
import { describeWebhooks, type Webhook, webhookParameters } from './openapi-webhooks.ts';
import type { Operation } from './operation.ts';
import { paramNames } from './paths.ts';

type Spec = Operation['spec'];

const info = {
  title: 'OTP platform',
  summary: 'Send one-time passwords and messages, and check codes.',
  description:
    'Success is always 200. Every refusal has the body of the schema Error and a stable `code`. Unknown request fields are ignored; expect response fields and values you do not know. Repeat a request only on status 429 or 5xx, or where the error table says so. Every request may carry `X-Request-Id` (1 to 64 of A-Z, a-z, 0-9, `.`, `_` and `-`): it comes back with the answer and stands in the log.',
  license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
};

const headers: Record<string, Json> = {
  'X-Request-Id': header(
    'Id of this request: the one you sent, or one made for you.',
    'req_01K0A1B2C3D4E5F6G7H8J9KMNP',
  ),
  'RateLimit-Policy': header('Requests per window of so many seconds and key.', '"key";q=6000;w=60'),
  RateLimit: header('Requests remaining and seconds until the window ends.', '"key";r=5987;t=41'),
  'Idempotent-Replayed': header(
    '`true` when this is the stored answer to an earlier request with the same key.',
    'true',
  ),
  'Retry-After': header('Seconds after which to try again.', '41'),
  'WWW-Authenticate': header('The scheme to authenticate with.', 'Basic realm="otp"'),
  Link: header('The page about this error.', '<https://otp.example.com/docs/errors/3004>; rel="help"'),
};

function header(description: string, example: string): Json {
  return { description, schema: { type: 'string' }, example };
}

const securitySchemes = {
  apiKey: {
    type: 'http',
    scheme: 'basic',
    description: 'dev_key as user name, dev_secret as password.',
  },
  apiKeyBearer: {
    type: 'http',
    scheme: 'bearer',
    description: '`Authorization: Bearer dev_key:dev_secret`, for clients that know no other way.',
  },
  operator: { type: 'http', scheme: 'bearer', description: 'The operator token; only for /admin/v1.' },
};
const security = { none: [], key: [{ apiKey: [] }, { apiKeyBearer: [] }], operator: [{ operator: [] }] } as const;

const parameters = {
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description:
      'Makes a repetition safe for 24 hours: the same request under the same key has one effect and the same answer.',
    schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[ -~]+$' },
    example: '6f9619ff-8b86-4011-b42d-00c04fc964ff',
  },
};

/** The whole document. `publicUrl` has no slash at its end. Throws for two operations of one name and for what cannot be described. */
export function makeOpenApi(
  operations: readonly Operation[],
  publicUrl: string,
  webhooks: readonly Webhook[] = [],
): object {
  const shown = operations.map(({ spec }) => spec).filter(({ hidden }) => hidden !== true);
  const book = createSchemaBook({ Error: withWords(errorSchema, 'reply') }, withWords);
  const responses: Record<string, Json> = {};
  const paths: Record<string, Json> = {};
  for (const spec of shown) {
    const path = paths[spec.path] ?? {};
    paths[spec.path] = {
      ...path,
      [spec.method.toLowerCase()]: describeOperation(spec, book, errorResponses(spec, publicUrl, responses)),
    };
  }
  return {
    openapi: '3.1.0',
    info: {
      ...info,
      contact: { name: 'Who runs this server', url: `${publicUrl}/docs` },
      version: packageVersion,
    },
    servers: [{ url: publicUrl }],
    tags: describeTags([...shown.map(({ tag }) => tag), ...(webhooks.length > 0 ? ['Callbacks'] : [])]),
    paths,
    ...(webhooks.length > 0 && { webhooks: describeWebhooks(webhooks, book) }),
    components: {
      schemas: book.components,
      responses,
      headers,
      parameters: { ...parameters, ...(webhooks.length > 0 && webhookParameters) },
      securitySchemes,
    },
  };
}

/** Of this server, as its package says. */
export const packageVersion = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

function describeOperation(spec: Spec, book: SchemaBook, failures: Json): Json {
  const body = spec.input.body && describeBody(spec, book.describe(spec.input.body, 'request'));
  return {
    operationId: spec.id,
    tags: [spec.tag],
    summary: spec.summary,
    ...describeMore(spec),
    security: security[spec.auth],
    parameters: describeParameters(spec, book),
    ...(body && { requestBody: body }),
    responses: { 200: describeSuccess(spec, book), ...failures },
  };
}

function describeMore({ description, permission, auth }: Spec): Json {
  const need =
    auth === 'operator'
      ? 'Needs the operator token, or that of a session.'
      : permission && `Needs ${permission === 'any' ? 'any permission' : `the permission \`${permission}\``}.`;
  const text = [description, need].filter((part) => part !== undefined).join('\n\n');
  return text === '' ? {} : { description: text };
}

function describeBody({ bodyOptional, maxBodyBytes, examples }: Spec, schema: Json): Json {
  return {
    required: bodyOptional !== true,
    ...(maxBodyBytes !== undefined && { 'x-max-body-bytes': maxBodyBytes }),
    content: { 'application/json': { schema, ...examplesOf(examples, 'body') } },
  };
}

function describeSuccess(spec: Spec, book: SchemaBook): Json {
  const limited = spec.auth === 'key' ? ['RateLimit-Policy', 'RateLimit'] : [];
  const replayable = spec.method === 'POST' && spec.auth !== 'none' ? ['Idempotent-Replayed'] : [];
  const names = ['X-Request-Id', ...limited, ...replayable];
  const schema = spec.mediaType === 'application/json' ? { type: 'object' } : book.describe(spec.output);
  return {
    description: 'Done.',
    headers: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
    content: {
      [spec.mediaType ?? 'application/json']: { schema, ...examplesOf(spec.examples, 'output') },
      ...(spec.otherwise && { [spec.otherwise.mediaType]: describeText(spec.otherwise, 'text') }),
      ...(spec.stream && { 'text/event-stream': describeText(spec.stream, 'events') }),
    },
  };
}

const describeText = ({ description, example }: { description: string; example: string }, name: string): Json => ({
  schema: { type: 'string', description },
  examples: { [name]: { summary: name, value: example } },
});

function examplesOf(examples: Spec['examples'], part: 'body' | 'output'): Json {
  const given = (examples ?? []).filter((example) => example[part] !== undefined);
  if (given.length === 0) return {};
  return {
    examples: Object.fromEntries(
      given.map((example) => [
        example.name.replaceAll(/[^A-Za-z0-9._-]+/g, '_'),
        { summary: example.name, value: example[part] },
      ]),
    ),
  };
}

function describeParameters({ path, input, method, auth }: Spec, book: SchemaBook): Json[] {
  const inPath = propertiesOf(input.params && book.describe(input.params, 'request', 'path'));
  const inQuery = propertiesOf(input.query && book.describe(input.query, 'request', 'query'));
  return [
    ...paramNames(path).map((name) =>
      parameter('path', name, inPath.find((found) => found.name === name)?.schema, true),
    ),
    ...inQuery.map(({ name, schema, required }) => parameter('query', name, schema, required)),
    ...(method === 'POST' && auth !== 'none' ? [{ $ref: '#/components/parameters/IdempotencyKey' }] : []),
  ];
}

function parameter(place: 'path' | 'query', name: string, schema: Json | undefined, required: boolean): Json {
  const { description = wordsFor(name, schema ?? {}, place), ...rest } = schema ?? { type: 'string' };
  return { name, in: place, required, ...(description !== undefined && { description }), schema: rest };
}

function propertiesOf(schema: Json | undefined): { name: string; schema: Json; required: boolean }[] {
  const properties = (schema?.['properties'] ?? {}) as Record<string, Json>;
  const required = (schema?.['required'] ?? []) as string[];
  return Object.entries(properties).map(([name, part]) => ({ name, schema: part, required: required.includes(name) }));
}
