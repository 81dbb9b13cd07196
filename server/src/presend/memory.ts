/**
 * The hooks of all applications in memory, kept equal to the database: read again when a notification or the beat says that
 * something changed. A write of this process is known to it before its answer goes out. A hook that did not change keeps its circuit.
 */
import type { Db } from '../platform/db.ts';
import type { Keyring } from '../platform/seal.ts';
import { createSharedReading } from '../platform/shared-reading.ts';
import type { Hook } from './hook.ts';
import type { Live } from './live.ts';
import { changesChannel, findStamp, listHooks } from './store.ts';

export interface Memory {
  find(applicationId: string): Live | null;
  /** Reads everything as it is after this call. */
  read(): Promise<void>;
  /** Reads if something changed since; for the beat, should a notification be lost. */
  catchUp(): Promise<void>;
  /** Reads, and hears of changes from now on. */
  start(onFault: (error: unknown) => void): Promise<void>;
  /** Ends after the reading under way. */
  stop(): Promise<void>;
}

export function createMemory(db: Db, keyring: Keyring, open: (hook: Hook) => Live): Memory {
  let lives = new Map<string, Live>();
  let stamp = '';
  let stopped = false;

  async function readOnce(): Promise<void> {
    // First: what changes between these statements is then read once more.
    const found = await findStamp(db);
    const hooks = await listHooks(db, keyring);
    stamp = found;
    lives = new Map(
      hooks.map((hook) => {
        const known = lives.get(hook.applicationId);
        return [hook.applicationId, known?.hook.version === hook.version ? known : open(hook)];
      }),
    );
  }

  const { read, close } = createSharedReading(readOnce);

  return {
    find: (applicationId) => lives.get(applicationId) ?? null,
    read,
    async catchUp() {
      if ((await findStamp(db)) !== stamp) await read();
    },
    async start(onFault) {
      await db.listen(changesChannel, () => void (stopped || read().catch(onFault)));
      await read();
    },
    async stop() {
      stopped = true;
      await close();
    },
  };
}
