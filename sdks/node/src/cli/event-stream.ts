// Server-sent events over the global fetch, without an end: a stream that ends or breaks is opened again behind the last event seen.

import { networkError } from '../errors.ts';

export interface StreamEvent {
  id: string;
  cursor: string;
  at: string;
  event: string;
  row: { [name: string]: unknown };
}

/** From the begin of one connection to that of the next at least so long, times the tries that came to nothing. */
const pauseMs = 2_000;
/** A server that does not come back within this many tries is given up. */
const longestTries = 5;

/** Opens a connection that gives events behind a cursor, until `signal` ends it. */
export type Open = (
  cursor: string | undefined,
  signal: AbortSignal | undefined,
) => Promise<{ body: AsyncIterable<Uint8Array> | null }>;

/** Events behind `cursor`, or from now on, until `signal`. `open` throws where the server refuses; that is final. */
export async function* follow(open: Open, cursor?: string, signal?: AbortSignal): AsyncGenerator<StreamEvent> {
  let from = cursor;
  // Where there is a cursor, the server has answered before: it is worth another try.
  let opened = cursor !== undefined;
  for (let tries = 0; tries < longestTries; tries += 1) {
    const begun = Date.now();
    try {
      const { body } = await open(from, signal);
      opened = true;
      for await (const block of blocksOf(body ?? [])) {
        const { id, data } = block;
        if (id !== undefined) from = id;
        tries = 0;
        if (data !== '') yield JSON.parse(data) as StreamEvent;
      }
    } catch (error) {
      if (signal?.aborted) return;
      if (!isLostConnection(error)) throw error;
      if (!opened) throw networkError('network', 'no answer from the server');
    }
    // Also behind a stream that gave something: a proxy that ends each at once must not be asked a thousand times.
    const leftMs = Math.max(1, tries) * pauseMs - Math.max(0, Date.now() - begun);
    if (leftMs > 0) await new Promise((resolve) => setTimeout(resolve, leftMs));
  }
  throw networkError('network', 'the stream of events was lost and could not be opened again');
}

/** What fetch throws, at once and in the middle of a body. */
function isLostConnection(error: unknown): boolean {
  return error instanceof TypeError;
}

async function* blocksOf(
  body: AsyncIterable<Uint8Array> | Uint8Array[],
): AsyncGenerator<{ id?: string; data: string }> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = block.split('\n').map((line) => /^(id|data): ?(.*)$/.exec(line));
      const idOf = fields.find((field) => field?.[1] === 'id')?.[2];
      const data = fields.filter((field) => field?.[1] === 'data').map((field) => field?.[2] ?? '');
      yield { ...(idOf === undefined ? {} : { id: idOf }), data: data.join('\n') };
    }
  }
}
