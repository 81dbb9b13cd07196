/** An opened upstream and the hand-overs under way through it: replaced at any moment, closed only after the last of them. */
import type { Upstream } from '../channels/index.ts';
import type { Log } from '../platform/log.ts';

export interface Handle {
  readonly upstream: Upstream;
  enter(): void;
  leave(): void;
  /** Nothing new will enter; resolves when it is closed. */
  retire(): Promise<void>;
  /** Closes without waiting for anybody. */
  close(): Promise<void>;
}

export function createHandle(upstream: Upstream, log: Log): Handle {
  let inside = 0;
  let retired = false;
  let closing: Promise<void> | undefined;
  const { promise: closed, resolve } = Promise.withResolvers<void>();

  function close(): Promise<void> {
    closing ??= closeQuietly(upstream, log).then(resolve);
    return closing;
  }

  return {
    upstream,
    enter() {
      inside++;
    },
    leave() {
      inside--;
      if (retired && inside === 0) void close();
    },
    retire() {
      retired = true;
      if (inside === 0) void close();
      return closed;
    },
    close,
  };
}

async function closeQuietly(upstream: Upstream, log: Log): Promise<void> {
  try {
    await upstream.close();
  } catch (error) {
    log.error({ err: error }, 'an upstream was not closed cleanly');
  }
}
