/** Paths of operations: from the form of the registry to the router's, and which methods a path knows (contract §2 step 2). */

/** `/v1/messages/{message_id}` → `/v1/messages/:message_id`. A colon of the path itself is doubled, as the router wants it. */
export function toRoutePath(path: string): string {
  return path.replaceAll(':', '::').replaceAll(/\{([^{}]+)\}/g, ':$1');
}

/** Names in braces, in order. */
export function paramNames(path: string): string[] {
  return [...path.matchAll(/\{([^{}]+)\}/g)].map(([, name]) => name ?? '');
}

interface Pattern {
  segments: readonly string[];
  methods: string[];
}

export interface PathTable {
  /** Value of Allow for a request target whose path is known; undefined for an unknown one. */
  methodsOf(target: string): string | undefined;
}

/** Only asked when the router found nothing, so it may be slow. It reads a target as the router does: decoded, one trailing slash. */
export function createPathTable(operations: readonly { method: string; path: string }[]): PathTable {
  const patterns = new Map<string, Pattern>();
  for (const { method, path } of operations) {
    const pattern = patterns.get(path) ?? { segments: path.split('/'), methods: [] };
    pattern.methods.push(method);
    patterns.set(path, pattern);
  }
  return {
    methodsOf(target) {
      const segments = segmentsOf(target);
      const found = new Set<string>();
      for (const pattern of patterns.values()) {
        if (segments && matches(pattern.segments, segments)) for (const method of pattern.methods) found.add(method);
      }
      return found.size === 0 ? undefined : [...found].sort().join(', ');
    },
  };
}

function segmentsOf(target: string): string[] | undefined {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '');
  try {
    const segments = decodeURI(path).split('/');
    if (segments.length > 2 && segments.at(-1) === '') segments.pop();
    return segments;
  } catch {
    return undefined;
  }
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  if (pattern.at(-1) === '*') {
    const above = pattern.slice(0, -1);
    return segments.length > above.length && matches(above, segments.slice(0, above.length));
  }
  if (pattern.length !== segments.length) return false;
  return pattern.every((part, i) => (part.startsWith('{') ? segments[i] !== '' : part === segments[i]));
}
