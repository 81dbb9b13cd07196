/**
 * One call of a tool as the log keeps it: who, with which client, what, how it ended. Of the arguments only what the tool knows by name, since a model
 * may put a code under any name; no code, no value of a text, and no address in full. Pure.
 */
import type { Outcome } from './call-tool.ts';
import { isAddress, masked } from './mask.ts';
import type { Json, Tool } from './tool.ts';

export interface CalledBy {
  requestId: string;
  keyId: string | null;
  /** As the program names itself, anything. */
  client: string | null | undefined;
}

const maxLength = 200;
const hiddenText = '•••';
/** What the user typed, and what goes into texts. As it is dialled at home a number has no form that masking knows. */
const hidden = new Set(['code', 'params', 'number']);

export function auditLine(tool: Tool, { requestId, keyId, client }: CalledBy, given: Json, outcome: Outcome): Json {
  const known = (tool.inputSchema['properties'] ?? {}) as Json;
  const told = Object.entries(given).filter(([name]) => Object.hasOwn(known, name));
  const unknown = Object.keys(given).length - told.length;
  return {
    request_id: requestId,
    key_id: keyId,
    client: plainClient(client),
    tool: tool.name,
    arguments: shown(told),
    ...(unknown > 0 && { unknown_arguments: unknown }),
    outcome: outcome.ok === 'later' ? 'asked' : outcome.ok ? 'done' : 'refused',
    ...(outcome.ok === false && { code: outcome.refusal.code }),
  };
}

/** Printable, so that a header may carry it; null where nothing is left. */
export const plainClient = (client: string | null | undefined): string | null =>
  client?.replaceAll(/[^ -~]/g, '').slice(0, 100) || null;

/** Cut after masking, so that no piece of an address is left that masking does not know; and before, so that it costs little. */
function shown(told: readonly [string, unknown][]): Json {
  const cut = (value: unknown, length: number): unknown => (typeof value === 'string' ? value.slice(0, length) : value);
  const kept = told.map(([name, value]) => [name, isHidden(name, value) ? hiddenText : cut(value, 2 * maxLength)]);
  const safe = Object.entries(masked(Object.fromEntries(kept)) as Json);
  return Object.fromEntries(safe.map(([name, value]) => [name, cut(value, maxLength)]));
}

function isHidden(name: string, value: unknown): boolean {
  if (name === 'to') return typeof value !== 'string' || !isAddress(value);
  return hidden.has(name) || (typeof value === 'object' && value !== null);
}
