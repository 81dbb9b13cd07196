/** The thread that holds PGlite: protocol bytes in, protocol bytes out, one message at a time. */
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';

const { directory, template } = workerData as { directory?: string; template?: Uint8Array<ArrayBuffer> };

// PGlite's own defaults contain -F, which switches fsync off: an acknowledged row could be lost with the power.
const startParams =
  directory === undefined ? PGlite.defaultStartParams : PGlite.defaultStartParams.filter((param) => param !== '-F');

const db = await PGlite.create({
  ...(directory !== undefined && { dataDir: directory }),
  ...(template && { loadDataDir: new Blob([template]) }),
  startParams,
});

parentPort?.on('message', (message: Uint8Array | 'close') => {
  if (message === 'close') {
    void db.close().finally(() => parentPort?.close());
    return;
  }
  const reply = Uint8Array.from(db.execProtocolRawSync(message));
  parentPort?.postMessage(reply, [reply.buffer]);
});
parentPort?.postMessage('ready');
