/**
 * The published description as tests use it: every operation with its schemas, and values made from a schema, valid ones and
 * ones with a single fault. What a test sends follows the description, so a new operation or field is tested without being named.
 */
export interface Schema {
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  propertyNames?: Schema;
  items?: Schema;
  anyOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  pattern?: string;
  format?: string;
  examples?: unknown[];
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  default?: unknown;
  $ref?: string;
}

interface Media {
  schema: Schema;
  examples?: Record<string, { value: unknown }>;
}

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  schema: Schema;
}

interface OperationObject {
  operationId: string;
  description?: string;
  security: Record<string, unknown>[];
  parameters: (Parameter | { $ref: string })[];
  requestBody?: { required: boolean; 'x-max-body-bytes'?: number; content: Record<string, Media> };
  responses: Record<string, Response | { $ref: string }>;
}

interface Response {
  description: string;
  headers?: Record<string, { $ref: string }>;
  content: Record<string, Media>;
}

export interface Description {
  openapi: string;
  info: Record<string, unknown>;
  servers: { url: string }[];
  tags: { name: string }[];
  paths: Record<string, Record<string, OperationObject>>;
  webhooks?: Record<string, Record<string, OperationObject>>;
  components: {
    schemas: Record<string, Schema>;
    responses?: Record<string, Response>;
    headers: Record<string, unknown>;
    parameters: Record<string, Parameter>;
    securitySchemes: Record<string, unknown>;
  };
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Described {
  id: string;
  method: Method;
  path: string;
  auth: 'none' | 'key' | 'operator';
  body: Schema | undefined;
  bodyRequired: boolean;
  params: Parameter[];
  query: Parameter[];
  responses: Record<string, Response>;
  object: OperationObject;
}

const authOf = ([first]: Record<string, unknown>[]): Described['auth'] =>
  first === undefined ? 'none' : 'apiKey' in first ? 'key' : 'operator';

/** Every operation of the description, in its order. */
export function describedOperations(description: Description): Described[] {
  return Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, object]) => {
      const parameters = object.parameters.flatMap((parameter) => ('name' in parameter ? [parameter] : []));
      return {
        id: object.operationId,
        method: method.toUpperCase() as Method,
        path,
        auth: authOf(object.security),
        body: object.requestBody?.content['application/json']?.schema,
        bodyRequired: object.requestBody?.required ?? false,
        params: parameters.filter((parameter) => parameter.in === 'path'),
        query: parameters.filter((parameter) => parameter.in === 'query'),
        responses: responsesOf(object, description),
        object,
      };
    }),
  );
}

function responsesOf({ responses }: OperationObject, { components }: Description): Record<string, Response> {
  const found = Object.entries(responses).map(([status, one]): [string, Response] => {
    if (!('$ref' in one)) return [status, one];
    const shared = components.responses?.[one.$ref.replace('#/components/responses/', '')];
    if (!shared) throw new Error(`${one.$ref} leads nowhere`);
    return [status, shared];
  });
  return Object.fromEntries(found);
}

/** The path with its parameters filled in from `values`, or with a sample. */
export function pathOf({ path, params }: Described, values: Record<string, string> = {}): string {
  return params.reduce(
    (text, { name, schema }) =>
      text.replace(`{${name}}`, encodeURIComponent(values[name] ?? String(sampleOf(schema, name)))),
    path,
  );
}

export type Path = readonly (string | number)[];

export interface Node {
  path: Path;
  schema: Schema;
  required: boolean;
}

/** Every place in a body that has a schema, the body itself first. Members of maps are called `name`. */
export function* nodesOf(schema: Schema, path: Path = [], required = true): Generator<Node> {
  yield { path, schema, required };
  for (const branch of schema.anyOf ?? [])
    for (const node of nodesOf(branch, path)) if (node.path.length > path.length) yield node;
  for (const [name, part] of Object.entries(schema.properties ?? {}))
    yield* nodesOf(part, [...path, name], schema.required?.includes(name) ?? false);
  if (typeof schema.additionalProperties === 'object')
    yield* nodesOf(schema.additionalProperties, [...path, keyOf(schema)], false);
  if (schema.items) yield* nodesOf(schema.items, [...path, 0], false);
}

/** `template.params.name`, `to[0]`; the body itself is called body. */
export function fieldName(path: Path): string {
  const name = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('');
  return name === '' ? 'body' : name.replace(/^\./, '');
}

const keyOf = ({ propertyNames }: Schema): string => String(propertyNames?.enum?.[0] ?? 'name');

/** Texts that mean something, by the name of their field. */
const samples: Record<string, unknown> = {
  to: '+6591234567',
  phone: '+6591234567',
  email: 'ana@example.com',
  pre_from_mail: 'codes@example.com',
  id: 'login',
  template: 'login',
  // Also an id of India's operators, which has digits only.
  template_id: '1107',
  entity_id: '1101',
  message_id: '2072832692843466759',
  organization_id: '2072832692843446272',
  application_id: '2072832692843446272',
  key_id: '2072832692843446272',
  cursor: '2072832692843466759',
  after: '2072832692843466759',
  send_channel_strategy: 'whatsapp|sms|email|voice',
  ip: '203.0.113.9',
  code: '482913',
  verify_code: '482913',
  ip_allowlist: '203.0.113.0/24',
  expires_at: '2099-01-01T00:00:00.000Z',
  // What is posted there goes nowhere.
  url: 'https://localhost/otp',
  event_id: 'evt_2072832692843466759',
  event_ids: 'evt_2072832692843466759',
  endpoint_id: '2072832692843446272',
  failed_since: '2026-01-01T00:00:00Z',
  country: 'SG',
  list: 'SG',
  from: '2026-01-01T00:00:00Z',
  until: '2026-01-02T00:00:00Z',
  custom_content: '{{code}} is your code',
  time_zone: 'Asia/Singapore',
  prefix: '65',
  adapter: 'sms-vonage',
  addresses: 'ana@example.com',
  bot_token: '123456789:AAExampleTokenOfABot',
  chat_id: '-1001234567890',
};

/** A valid value; objects with their required members and those on the way to `toward`. */
export function sampleOf(schema: Schema, name = '', toward: Path | 'all' = []): unknown {
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const [example] = schema.examples ?? [];
  if (example !== undefined && schema.properties === undefined) return example;
  if (schema.format === 'date-time') return '2026-07-03T00:00:00.000Z';
  const branch =
    schema.anyOf?.find((one) => hasMember(one, toward)) ?? schema.anyOf?.find((one) => leadsOn(one, toward));
  if (branch) return sampleOf(branch, name, toward);
  switch (typeOf(schema)) {
    case 'object':
      return sampleObject(schema, toward);
    case 'array':
      return toward === 'all' || toward.length > 0 || (schema.minItems ?? 0) > 0
        ? [sampleOf(schema.items ?? {}, name, toward === 'all' ? 'all' : toward.slice(1))]
        : [];
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      if (schema.pattern === '^[1-9]\\d{0,18}$') return '7';
      if (schema.pattern === '^[A-Z]{2}$') return 'SG';
      if (schema.pattern?.endsWith(':[0-5]\\d$')) return name === 'to' ? '07:00' : '22:00';
      return samples[name] ?? 'abc'.padEnd(schema.minLength ?? 0, 'c').slice(0, schema.maxLength ?? 3);
  }
}

function sampleObject(schema: Schema, toward: Path | 'all'): Record<string, unknown> {
  const [example] = (schema.examples ?? []) as Record<string, unknown>[];
  const made: Record<string, unknown> = { ...example };
  for (const [name, part] of Object.entries(schema.properties ?? {})) {
    if (example && toward === 'all') continue;
    const onTheWay = toward === 'all' || toward[0] === name;
    if (onTheWay || (!example && schema.required?.includes(name)))
      made[name] = sampleOf(part, name, toward === 'all' ? 'all' : onTheWay ? toward.slice(1) : []);
  }
  const { additionalProperties } = schema;
  if (typeof additionalProperties === 'object' && toward.length > 0)
    made[keyOf(schema)] = sampleOf(additionalProperties, '', toward === 'all' ? 'all' : toward.slice(1));
  return made;
}

/** One of several objects: the one with the member. */
const hasMember = ({ properties }: Schema, toward: Path | 'all'): boolean =>
  toward !== 'all' && properties !== undefined && Object.hasOwn(properties, String(toward[0]));

const leadsOn = (schema: Schema, toward: Path | 'all'): boolean =>
  toward === 'all' || toward.length === 0 || schema.properties !== undefined
    ? true
    : typeof toward[0] === 'number'
      ? schema.items !== undefined
      : typeof schema.additionalProperties === 'object';

export function typeOf(schema: Schema): string {
  const [first] = [schema.type ?? []].flat();
  return first ?? 'string';
}

/** The body with another value at `path`; `undefined` takes the member away. */
export function withValue(body: unknown, path: Path, value: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  if (Array.isArray(body)) return body.map((item, i) => (i === first ? withValue(item, rest, value) : item));
  const fields = { ...(body as Record<string, unknown>) };
  if (rest.length === 0 && value === undefined) delete fields[first];
  else fields[first] = withValue(fields[first] ?? {}, rest, value);
  return fields;
}

const ofEveryType = ['text that is no keyword', 7, 1.5, true, null, [], {}, [[]], 1e308] as const;

/** Values of a type that the schema does not know. */
export function ofOtherTypes(schema: Schema): unknown[] {
  // Anything goes: its form is described elsewhere.
  if (schema.type === undefined && !schema.anyOf && !schema.enum && schema.const === undefined) return [];
  const known = typesOf(schema);
  return ofEveryType.filter((value) => {
    const type = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
    if (type === 'number' && known.has('integer')) return !Number.isInteger(value);
    return !known.has(type);
  });
}

function typesOf(schema: Schema): Set<string> {
  if (schema.anyOf) return new Set(schema.anyOf.flatMap((branch) => [...typesOf(branch)]));
  if (schema.const !== undefined) return new Set([typeof schema.const]);
  return new Set([schema.type ?? 'string'].flat());
}

/** Values of the right type beyond the bounds that the schema names. */
export function outOfBounds(schema: Schema): unknown[] {
  const found: unknown[] = [];
  if (schema.enum) found.push(typeof schema.enum[0] === 'number' ? 99 : 'nonsense');
  if (schema.const !== undefined) found.push(typeof schema.const === 'number' ? 99 : 'nonsense');
  if ((schema.minLength ?? 0) > 0) found.push('');
  if (schema.maxLength !== undefined && schema.maxLength < 60_000) found.push('x'.repeat(schema.maxLength + 1));
  if (schema.minimum !== undefined) found.push(schema.minimum - 1);
  if (schema.maximum !== undefined) found.push(schema.maximum + 1);
  if ((schema.minItems ?? 0) > 0) found.push([]);
  if (schema.maxItems !== undefined && schema.items)
    found.push(Array.from({ length: schema.maxItems + 1 }, () => sampleOf(schema.items ?? {}, '')));
  return found;
}
