/**
 * Calls of an application's API as api_call events, for applications that asked for them. Written behind the answers, many at once:
 * nobody waits for them, and what cannot be written is only logged.
 */
import type { Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import type { Caller } from '../policy.ts';
import type { EventDraft } from './ledger.ts';
import { appendEvents } from './store.ts';

export interface AnsweredCall {
  caller: Caller;
  ip: string;
  method: string;
  /** The pattern: what is called carries recipients. */
  path: string;
  status: number;
  /** 0 without an error. */
  code: number;
  requestId: string;
}

export interface CallNotes {
  note(call: AnsweredCall): void;
  /** Resolves when all is written. */
  idle(): Promise<void>;
}

export interface CallNotesOptions {
  db: Db;
  log: Log;
  wantsCalls(applicationId: string): boolean;
  /** Reading events is not told: every read would make the next one find something. */
  except: string;
}

const gatherMs = 200;
const maxAtOnce = 5_000;
/** Waiting to be written; beyond it calls are not noted. */
const maxWaiting = 50_000;

export function createCallNotes({ db, log, wantsCalls, except }: CallNotesOptions): CallNotes {
  const write = db.batch<EventDraft, void>({
    async run(on, drafts) {
      await appendEvents(on, drafts);
      return drafts.map(() => undefined);
    },
    gatherMs,
    maxItems: maxAtOnce,
  });
  const waiting = new Set<Promise<void>>();
  return {
    note(call) {
      if (call.path === except || waiting.size >= maxWaiting || !wantsCalls(call.caller.application.id)) return;
      const written = write(draftOf(call))
        .catch((error: unknown) => log.warn({ err: error }, 'an API call was not noted'))
        .finally(() => waiting.delete(written));
      waiting.add(written);
    },
    async idle() {
      await Promise.all(waiting);
    },
  };
}

function draftOf({ caller, ip, method, path, status, code, requestId }: AnsweredCall): EventDraft {
  const { application, devKey } = caller;
  return {
    applicationId: application.id,
    messageId: '0',
    cause: 'api_called',
    status: 'api_call',
    data: {
      org_id: application.organizationId,
      operator: { api_key: devKey, ip_address: ip },
      api_call: { api_path: path, method, http_status: status, code, request_id: requestId },
    },
  };
}
