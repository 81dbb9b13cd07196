/**
 * Who read which messages, as msg_history events (contract §10.5). Written before the answer, so that nobody reads unseen; reads of
 * one moment share a statement. Not for the public sandbox, where everybody reads everybody's.
 */
import { appendEvents, type EventDraft } from '../events/index.ts';
import type { Db } from '../platform/db.ts';
import type { Caller } from '../policy.ts';

export interface Reader {
  caller: Caller;
  ip: string;
}

/** `query`: a list of so many messages; `view`: one with its story. */
export type NoteRead = (reader: Reader, action: 'query' | 'view', count: number) => Promise<void>;

export function createNoteRead(db: Db): NoteRead {
  const write = db.batch<EventDraft, void>({
    async run(on, drafts) {
      await appendEvents(on, drafts);
      return drafts.map(() => undefined);
    },
  });
  return async ({ caller: { application, devKey }, ip }, action, count) => {
    if (application.sandbox === 'public') return;
    await write({
      applicationId: application.id,
      messageId: '0',
      cause: 'history_read',
      status: 'msg_history',
      data: {
        org_id: application.organizationId,
        operator: { api_key: devKey, ip_address: ip },
        msg_history: { action, count },
      },
    });
  };
}
