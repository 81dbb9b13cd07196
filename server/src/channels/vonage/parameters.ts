/**
 * The parameters of a webhook of the SMS API, however the account has them sent: in the query (GET), as a form or as JSON. Flat by
 * contract; what is nested, doubled or too much is no webhook of Vonage.
 */
import type { HookRequest } from '../contract.ts';
import type { Parameters } from './signature.ts';

const maxParameters = 64;

/** Null for what cannot be read. A POST without a body has its parameters in the query. */
export function readParameters({ method, headers, query, body }: HookRequest): Parameters | null {
  if (method === 'GET' || body.length === 0) return flat([...query]);
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  const text = body.toString('utf8');
  return type === 'application/json' ? fromJson(text) : flat([...new URLSearchParams(text)]);
}

function fromJson(text: string): Parameters | null {
  const value = parseObject(text);
  return value && flat(Object.entries(value).filter(([, member]) => member !== null));
}

/** Null for what is not one JSON object. */
export function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

function flat(entries: readonly (readonly [string, unknown])[]): Parameters | null {
  const parameters = new Map<string, string>();
  for (const [name, value] of entries) {
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return null;
    if (parameters.has(name)) return null;
    parameters.set(name, String(value));
  }
  return parameters.size <= maxParameters ? parameters : null;
}
