/**
 * The pre-send hook: an application's own word before a send is accepted. Its server is asked by one signed HTTP call and answers
 * allow, deny or challenge within a time limit; without a good answer the send passes or is refused, as the hook's owner chose.
 * A hook that fails again and again is left alone for some seconds, so that it cannot hold every send. Never a code goes out.
 */

import type { Log } from '../platform/log.ts';
import { createLoop } from '../platform/loop.ts';
import { createTally } from './counts.ts';
import type { HookAnswer, HookQuestion } from './hook.ts';
import { openLive } from './live.ts';
import { createMemory } from './memory.ts';
import type { Office } from './office.ts';
import { createOperations, type Operation } from './operations.ts';
import { addCounts } from './store.ts';

export type { HookAnswer, HookQuestion } from './hook.ts';

export type PresendOptions = Omit<Office, 'changed'> & { log: Log };

export interface Presend {
  /** Null: the application has no hook, or it is not enabled. Never throws for what the hook does. */
  ask(applicationId: string, question: HookQuestion): Promise<HookAnswer | null>;
  operations: readonly Operation[];
  /** Reads the hooks; before the first question. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

const beatMs = 1_000;

export function createPresend(options: PresendOptions): Presend {
  const { db, log, clock, keyring, outbound } = options;
  const tally = createTally();
  const memory = createMemory(db, keyring, (hook) =>
    openLive({ clock, outbound }, hook, (noted) => tally.note(hook.applicationId, noted)),
  );
  const fault = 'pre-send hooks were not read yet';
  const warn = (error: unknown): void => log.warn({ err: error }, fault);

  async function saveCounts(): Promise<void> {
    const taken = tally.take();
    if (taken.size === 0) return;
    await addCounts(db, taken).catch((error: unknown) => {
      tally.giveBack(taken);
      throw error;
    });
  }

  const beat = createLoop({
    async work() {
      await memory.catchUp();
      await saveCounts();
    },
    everyMs: beatMs,
    log,
    fault,
  });
  return {
    async ask(applicationId, question) {
      const live = memory.find(applicationId);
      return live?.hook.enabled ? live.ask(question) : null;
    },
    operations: createOperations({ ...options, saveCounts, changed: () => memory.read().catch(warn) }),
    async start() {
      await memory.start(warn);
      beat.start();
    },
    async stop() {
      await beat.stop();
      await memory.stop();
      await saveCounts().catch(warn);
    },
  };
}
