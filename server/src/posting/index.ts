/**
 * Posting what the ledger queued to the endpoints of its application (contract §10.3): at least once under one id and with one body,
 * the events of one message in order. An endpoint that hangs or fails slows nobody else. Operators, and keys with the permission, see what
 * waits and every try, and have events posted again.
 */
import type { Office } from '../callbacks/index.ts';
import { type Backlog, readBacklog } from './backlog-store.ts';
import { createDispatcher, type Dispatcher, type DispatcherOptions } from './dispatcher.ts';
import { createLogOperations } from './log-operations.ts';
import { deleteTraces, forgetPosts } from './log-store.ts';
import { createOwnOperations } from './own-operations.ts';

export type PostingOptions = DispatcherOptions & Pick<Office, 'application'>;

export interface Posting extends Dispatcher {
  operations: ReturnType<typeof createLogOperations>;
  /** What waits on any node, and what was given up. */
  backlog(): Promise<Backlog>;
  /** Removes up to `limit` rows each of queue and log that tell of messages below the id; resolves with how many. */
  forget(applicationId: string, belowId: string, limit: number): Promise<number>;
  /** Removes all that was queued for an endpoint, and its log. */
  forgetEndpoint(endpointId: string): Promise<void>;
}

const rowsAtOnce = 10_000;

export function createPosting(options: PostingOptions): Posting {
  const { db } = options;
  const dispatcher = createDispatcher(options);
  async function forgetEndpoint(endpointId: string): Promise<void> {
    while ((await deleteTraces(db, endpointId, rowsAtOnce)) > 0);
  }
  const office = { ...options, changed: dispatcher.changed, forgetPosts: forgetEndpoint };
  return {
    ...dispatcher,
    operations: [...createLogOperations(office), ...createOwnOperations(office)],
    forget: (...asked) => forgetPosts(db, ...asked),
    forgetEndpoint,
    backlog: () => readBacklog(db),
  };
}
