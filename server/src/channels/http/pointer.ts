/** JSON Pointer (RFC 6901) into what an upstream sent, and the reading of it: numbers keep the digits they were written with. */

export const isPointer = (text: string): boolean => /^(?:\/(?:[^~/]|~[01])*)*$/u.test(text);

/** What the pointer leads to; undefined where it leads nowhere. Inherited members do not exist. */
export function valueAt(pointer: string, document: unknown): unknown {
  let value = document;
  for (const token of pointer.split('/').slice(1)) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(value)) value = /^(?:0|[1-9]\d{0,6})$/.test(name) ? value[Number(name)] : undefined;
    else if (typeof value === 'object' && value !== null && Object.hasOwn(value, name))
      value = (value as Record<string, unknown>)[name];
    else return undefined;
  }
  return value;
}

/** Undefined for what is no JSON. Ids of 19 digits are common and would be rounded, so numbers become the text they were. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text, keepDigits);
  } catch {
    return undefined;
  }
}

function keepDigits(_name: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' ? (context?.source ?? String(value)) : value;
}

/** Fields of a query or form as a document: a name that comes more than once is a list. */
export function documentOf(fields: URLSearchParams): Record<string, unknown> {
  const names = [...new Set(fields.keys())];
  return Object.fromEntries(
    names.map((name) => {
      const values = fields.getAll(name);
      return [name, values.length === 1 ? values[0] : values];
    }),
  );
}

/** As text where it is one value and not nothing. */
export function textOf(value: unknown): string | null {
  if (typeof value === 'boolean') return String(value);
  const text = typeof value === 'string' ? value.trim() : '';
  return text === '' ? null : text;
}
