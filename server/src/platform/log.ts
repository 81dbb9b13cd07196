/** Structured logs through pino. Secrets, codes and full recipients never reach it: they are redacted by type or by `maskRecipient`. */
import { type DestinationStream, type Logger, pino } from 'pino';

export type Log = Logger;

export function createLog(level: string, to?: DestinationStream): Log {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: describeError } };
  return to ? pino(options, to) : pino(options);
}

/** Type, message, SQLSTATE and stack; never `detail` or parameters of a database error, which can hold row data. */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: 'thrown value that is no Error' };
  const state = (error as { code?: unknown }).code;
  return {
    type: error.name,
    message: error.message,
    ...(state !== undefined && { code: String(state) }),
    stack: error.stack,
    ...(error.cause instanceof Error && { cause: describeError(error.cause) }),
  };
}

/** `+65••••••44`, `a•••@example.com`: enough to recognise a recipient one knows, not to learn it. */
export function maskRecipient(to: string): string {
  const at = to.lastIndexOf('@');
  if (at > 0) return `${to.slice(0, 1)}•••${to.slice(at)}`;
  return to.length < 8 ? '•••' : `${to.slice(0, 3)}${'•'.repeat(to.length - 5)}${to.slice(-2)}`;
}
