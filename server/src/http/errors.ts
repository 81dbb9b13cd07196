/** The error part of the API description: which statuses an operation can answer, with examples made from the error table. */
import { type ErrorCode, type ErrorEntry, errorTable, reasons } from '../errors.ts';
import type { Json } from './openapi-schemas.ts';
import type { Operation } from './operation.ts';

type Spec = Operation['spec'];

export const errorSchema: Json = {
  type: 'object',
  required: ['code', 'message'],
  properties: {
    code: { type: 'integer', enum: Object.keys(errorTable).map(Number), description: 'Stable; branch on it.' },
    message: { type: 'string', description: 'For people; may change.' },
    request_id: { type: 'string', pattern: '^[A-Za-z0-9._-]{1,64}$', description: 'Names this request to support.' },
    docs_url: { type: 'string', format: 'uri', description: 'What the code means and what to do next.' },
    reason: { type: 'string', enum: Object.keys(reasons), description: 'Which business rule; stable.' },
    details: {
      type: 'object',
      properties: {
        fields: {
          type: 'array',
          minItems: 1,
          description: 'Every field that does not meet the rules, in order.',
          items: {
            type: 'object',
            required: ['field', 'problem'],
            properties: { field: { type: 'string' }, problem: { type: 'string' } },
          },
        },
        retry_after: { type: 'integer', description: 'Seconds, as in Retry-After.' },
      },
    },
  },
};

/** Names the examples of codes that the operation lists itself. */
const ownPrefix = 'error_';

interface Refusal {
  status: number;
  code: ErrorCode;
  name: string;
  example: Json;
}

const entry = (code: ErrorCode): ErrorEntry => errorTable[code];
const plain = (code: ErrorCode, message: string = entry(code).title): Json => ({ code, message });
const waiting = { retry_after: 41 };

/** Every refusal an operation can answer: its own codes and those that follow from its form. */
function refusalsOf(spec: Spec): Refusal[] {
  const found: Refusal[] = [];
  const add = (status: number, code: ErrorCode, name: string, example: Json): void => {
    found.push({ status, code, name, example });
  };
  const takesBody = spec.input.body !== undefined || ['POST', 'PUT', 'PATCH'].includes(spec.method);
  if (takesBody || spec.input.params || spec.input.query)
    add(400, 3002, 'invalid', {
      ...plain(3002, 'template.id: required'),
      details: { fields: [{ field: 'template.id', problem: 'required' }] },
    });
  if (takesBody) {
    add(400, 3001, 'not_json', plain(3001));
  }
  // Also where no body is expected.
  add(413, 3002, 'too_large', plain(3002, 'body: larger than 64 KiB'));
  if (spec.auth !== 'none') add(401, 2001, 'unknown', plain(2001));
  if (spec.auth === 'key') {
    add(401, 2002, 'expired', plain(2002));
    add(403, 2004, 'not_permitted', plain(2004, 'no permission for this API'));
  }
  if (spec.auth !== 'none' || spec.throttled)
    add(429, 3004, 'throttled', { ...plain(3004, 'too many requests'), details: waiting });
  if (spec.method === 'POST' && spec.auth !== 'none') {
    add(409, 3002, 'in_progress', {
      ...plain(3002, 'Idempotency-Key: request in progress'),
      details: { retry_after: 1 },
    });
    add(422, 3002, 'reused_key', plain(3002, 'Idempotency-Key: reused with another request'));
  }
  if (spec.conflicts)
    add(409, 3002, `${ownPrefix}conflict`, {
      ...plain(3002, 'version: is 3 by now'),
      details: { fields: [{ field: 'version', problem: 'is 3 by now' }] },
    });
  add(500, 1000, 'internal', plain(1000));
  if (spec.auth !== 'none') add(503, 1000, 'unavailable', { ...plain(1000), details: { retry_after: 1 } });
  for (const code of spec.errors) {
    // The operator's objects hide from nobody; a key learns only that it has no such object.
    const status = code === 4001 && spec.auth === 'operator' ? 404 : entry(code).status;
    add(status, code, `${ownPrefix}${code}`, ownExample(code));
  }
  return found;
}

function ownExample(code: ErrorCode): Json {
  const [reason, [, text]] = Object.entries(reasons).find(([, [of]]) => of === code) ?? [undefined, [code, undefined]];
  if (reason === undefined) return plain(code);
  return { ...plain(code, text), reason, ...(code === 3004 && { details: { retry_after: 212 } }) };
}

/**
 * `responses` of one operation for all its error statuses. Those that follow from the kind of credential alone are the same in
 * many operations: they are put into `shared` (components.responses) and referred to.
 */
export function errorResponses(spec: Spec, publicUrl: string, shared: Record<string, Json>): Json {
  const byStatus = Map.groupBy(refusalsOf(spec), ({ status }) => status);
  const entries = [...byStatus].sort(([a], [b]) => a - b);
  return Object.fromEntries(
    entries.map(([status, refusals]) => {
      const response = errorResponse(spec, status, refusals, publicUrl);
      if (status === 400 || refusals.some(({ name }) => name.startsWith(ownPrefix))) return [String(status), response];
      const name = `${spec.auth === 'none' ? 'open' : spec.auth}${status}`;
      shared[name] = response;
      return [String(status), { $ref: `#/components/responses/${name}` }];
    }),
  );
}

function errorResponse(spec: Spec, status: number, refusals: readonly Refusal[], publicUrl: string): Json {
  const codes = [...new Set(refusals.map(({ code }) => code))];
  const throttled = spec.auth === 'key' && status !== 401 ? ['RateLimit-Policy', 'RateLimit'] : [];
  const wait = refusals.some(({ example }) => 'retry_after' in ((example['details'] ?? {}) as Json))
    ? ['Retry-After']
    : [];
  const challenge = status === 401 ? ['WWW-Authenticate'] : [];
  const names = ['X-Request-Id', 'Link', ...challenge, ...wait, ...throttled];
  const examples = refusals.map(({ name, code, example }) => [
    name,
    {
      summary: entry(code).next,
      value: { ...example, request_id: 'req_01K0A1B2C3D4E5F6G7H8J9KMNP', docs_url: `${publicUrl}/docs/errors/${code}` },
    },
  ]);
  return {
    description: codes.map((code) => `${code} ${entry(code).title}`).join('; '),
    headers: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
    content: {
      'application/json': { schema: { $ref: '#/components/schemas/Error' }, examples: Object.fromEntries(examples) },
    },
  };
}
