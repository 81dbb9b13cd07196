// Takes credentials and one-time codes out of whatever a server sent back, before it can become part of an error.
// A gateway that echoes the Authorization header must not put it into somebody's error tracker.

/**
 * Returns a function that replaces each hidden value in every string of a JSON value.
 * Values match as whole words only, so that a code is not cut out of the middle of a message id.
 */
export function redactor(hidden: readonly string[]): <T>(value: T) => T {
  const words = hidden.map((value) => value.trim()).filter((value) => value !== '');
  if (words.length === 0) return (value) => value;
  // Longest first: a key that is part of the secret must not leave the rest of the secret standing.
  const alternatives = [...words].sort((a, b) => b.length - a.length).map(escapeForPattern);
  const pattern = new RegExp(`(?<![A-Za-z0-9])(?:${alternatives.join('|')})(?![A-Za-z0-9])`, 'g');
  return (value) => clean(value, pattern) as typeof value;
}

function clean(value: unknown, pattern: RegExp): unknown {
  if (typeof value === 'string') return value.replace(pattern, '[redacted]');
  if (Array.isArray(value)) return value.map((item) => clean(item, pattern));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, clean(item, pattern)]));
}

function escapeForPattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
