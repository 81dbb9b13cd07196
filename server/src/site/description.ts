/** The parts of the API description that pages are made from, as the front door makes them (http/openapi.ts). */

export interface Schema {
  type?: string | readonly string[];
  description?: string;
  properties?: Record<string, Schema>;
  required?: readonly string[];
  additionalProperties?: Schema | boolean;
  items?: Schema;
  anyOf?: readonly Schema[];
  allOf?: readonly Schema[];
  enum?: readonly unknown[];
  const?: unknown;
  default?: unknown;
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  $ref?: string;
}

export interface Media {
  schema: Schema;
  examples?: Record<string, { summary?: string; value: unknown }>;
}

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  description?: string;
  schema: Schema;
}

export interface Answer {
  description: string;
  content?: Record<string, Media>;
}

export interface OperationObject {
  operationId: string;
  tags: readonly string[];
  summary: string;
  description?: string;
  security: readonly Record<string, unknown>[];
  parameters: readonly (Parameter | { $ref: string })[];
  requestBody?: { required: boolean; content: Record<string, Media> };
  responses: Record<string, Answer | { $ref: string }>;
}

export interface Description {
  info: { version: string };
  tags: readonly { name: string }[];
  paths: Record<string, Record<string, OperationObject>>;
  webhooks?: Record<string, Record<string, OperationObject>>;
  components: {
    schemas: Record<string, Schema>;
    responses: Record<string, Answer>;
    parameters: Record<string, Parameter>;
  };
}

export interface Described extends OperationObject {
  method: string;
  path: string;
  auth: 'none' | 'key' | 'operator';
}

/** Every operation in the order of the registry. */
export function operationsOf({ paths }: Description): Described[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      method: method.toUpperCase(),
      path,
      auth: authOf(operation),
    })),
  );
}

function authOf({ security: [first] }: OperationObject): Described['auth'] {
  if (first === undefined) return 'none';
  return 'operator' in first ? 'operator' : 'key';
}

/** What a reference names, whatever it names; throws for one that leads nowhere. */
export function resolve<T extends object>({ components }: Description, one: T | { $ref: string }): T {
  if (!('$ref' in one) || typeof one.$ref !== 'string') return one as T;
  const [, kind = '', name = ''] = /^#\/components\/(\w+)\/(.+)$/.exec(one.$ref) ?? [];
  const found = (components as Record<string, Record<string, unknown>>)[kind]?.[name];
  if (found === undefined) throw new Error(`${one.$ref} leads nowhere`);
  return found as T;
}
