/**
 * Writing server-sent events to a client that may be slow, gone, or there for long. The next piece is asked for only when the last one
 * left, so that nobody reads ahead of a client; one that takes nothing for too long is cut off and comes back by itself.
 */
import type { ServerResponse } from 'node:http';
import type { EventStream } from './operation.ts';

export interface StreamLimits {
  /** Ends every stream: the server stops. */
  closing: AbortSignal;
  drainMs: number;
}

/** Writes and ends the response. Rejects with what the events reject with; the response is then not ended. */
export async function writeStream(
  response: ServerResponse,
  events: EventStream,
  { closing, drainMs }: StreamLimits,
): Promise<void> {
  const over = new AbortController();
  const end = (): void => over.abort();
  response.once('close', end);
  closing.addEventListener('abort', end);
  if (closing.aborted || response.destroyed) end();
  response.flushHeaders();
  try {
    for await (const text of events.open(over.signal)) {
      if (over.signal.aborted) break;
      if (!response.write(text) && !(await drained(response, drainMs, over.signal))) {
        // What is still unsent would keep a stopping server waiting for a client that does not read.
        response.destroy();
        break;
      }
    }
    response.end();
  } finally {
    response.off('close', end);
    closing.removeEventListener('abort', end);
  }
}

/** Whether the client took what was written; not when it went away, waited too long or the server stops. */
function drained(response: ServerResponse, withinMs: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (taken: boolean) => (): void => {
      clearTimeout(timer);
      response.off('drain', onDrain);
      signal.removeEventListener('abort', onOver);
      resolve(taken);
    };
    const onDrain = settle(true);
    const onOver = settle(false);
    const timer = setTimeout(onOver, withinMs);
    response.once('drain', onDrain);
    signal.addEventListener('abort', onOver);
    if (signal.aborted) onOver();
  });
}
