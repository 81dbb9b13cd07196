/**
 * A load on a server that may be killed at any moment: sends from several connections, some of them read and verified. What was
 * acknowledged is kept; what broke off is nobody's promise. Goes on with the next server as soon as it is told its address.
 */
import { EventEmitter, once } from 'node:events';
import { type Client, keyClient, newRecipient, readHandset, sendLogin, verify } from './client.ts';

export interface Load {
  /** Ids answered with 200. */
  acknowledged: string[];
  /** Ids answered with `verified: true`. */
  verified: string[];
  /** Answers that were neither 200 nor broken off, as `status/code`. */
  refusals: Set<string>;
  /** Sends go to this server from now on. */
  use(address: string): void;
  /** Resolves when so many more sends were acknowledged. */
  more(count: number): Promise<void>;
  stop(): Promise<void>;
}

interface LoadState extends Omit<Load, 'more' | 'stop'> {
  client: Client | undefined;
  running: boolean;
  changes: EventEmitter;
}

/** One of so many sends is verified. */
const verifyOneOf = 4;

export function startLoad(connections: number): Load {
  const state: LoadState = {
    acknowledged: [],
    verified: [],
    refusals: new Set(),
    client: undefined,
    running: true,
    changes: new EventEmitter().setMaxListeners(connections + 5),
    use(address) {
      state.client = keyClient(address);
      state.changes.emit('server');
    },
  };
  const workers = Array.from({ length: connections }, () => work(state));
  return {
    ...state,
    async more(count) {
      const wanted = state.acknowledged.length + count;
      while (state.acknowledged.length < wanted) await once(state.changes, 'acknowledged');
    },
    async stop() {
      state.running = false;
      state.changes.emit('server');
      await Promise.all(workers);
    },
  };
}

async function work(state: LoadState): Promise<void> {
  let done = 0;
  while (state.running) {
    const { client } = state;
    if (!client) {
      await once(state.changes, 'server');
      continue;
    }
    try {
      await sendOne(state, client, done++ % verifyOneOf === 0);
    } catch {
      // Broken off: this server is gone, unless another was named meanwhile.
      if (state.client === client) state.client = undefined;
    }
  }
}

async function sendOne(state: LoadState, client: Client, withVerify: boolean): Promise<void> {
  const to = newRecipient();
  const { status, body } = await sendLogin(client, to);
  if (status !== 200) {
    state.refusals.add(`${status}/${body.code}`);
    return;
  }
  state.acknowledged.push(body.message_id);
  state.changes.emit('acknowledged');
  if (!withVerify) return;
  const received = await readHandset(client, to);
  if (received === undefined) return;
  const answer = await verify(client, body.message_id, received.code);
  if (answer.status === 200 && answer.body.verified === true) state.verified.push(body.message_id);
  else state.refusals.add(`${answer.status}/${answer.body.code}`);
}
