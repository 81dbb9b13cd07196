/**
 * The thread that holds PGlite: protocol bytes in, protocol bytes out, one message at a time. A PANIC (a full disk while the log is
 * written) leaves PGlite hanging for ever at the next query, so the thread ends with it: whoever holds the thread opens a new one.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';

const { directory, template } = workerData as { directory?: string; template?: Uint8Array<ArrayBuffer> };

// PGlite's own defaults contain -F, which switches fsync off: an acknowledged row could be lost with the power.
const startParams =
  directory === undefined ? PGlite.defaultStartParams : PGlite.defaultStartParams.filter((param) => param !== '-F');
// The default of 128 MB would all be touched in time; what is worked on at once fits into an eighth of it.
const memoryParams = ['-c', 'shared_buffers=16MB'];

const db = await PGlite.create({
  ...(directory !== undefined && { dataDir: directory }),
  ...(template && { loadDataDir: new Blob([template]) }),
  startParams: [...startParams, ...memoryParams],
});

parentPort?.on('message', (message: Uint8Array | 'close') => {
  if (message === 'close') {
    void db.close().finally(() => parentPort?.close());
    return;
  }
  const reply = answer(message);
  if (!isWhole(reply)) throw new Error(`PGlite stopped: ${reasonIn(reply)}`);
  parentPort?.postMessage(reply, [reply.buffer]);
});
parentPort?.postMessage('ready');

/**
 * The database's answer to protocol bytes. The streaming call is the only one of PGlite's raw calls that does not also parse every
 * answer and keep it for ever; with nothing to sync afterwards it has run to its end when it returns, and its promise tells only faults.
 */
function answer(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  void db.execProtocolRawStream(message, { syncToFs: false, onRawData: (part) => void parts.push(part.slice()) });
  return Uint8Array.from(Buffer.concat(parts));
}

/** Every answer of a server that goes on ends with ReadyForQuery: Z, length 5, the state of the transaction. */
function isWhole(reply: Uint8Array): boolean {
  const at = reply.length - 6;
  return at >= 0 && reply[at] === 0x5a && reply[at + 4] === 5;
}

/** The text of an ErrorResponse, where one stands in the reply. */
function reasonIn(reply: Uint8Array): string {
  return /\0M([^\0]+)\0/.exec(Buffer.from(reply).toString())?.[1] ?? 'no reason given';
}
