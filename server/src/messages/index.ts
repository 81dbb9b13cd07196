/**
 * Accepting something to send (a platform code, the caller's code, a custom message), finding it, acting on it. Everything of one
 * acceptance is committed in one statement before the answer; a refused request has no effect (contract §5, §11).
 */
import type { Channel, Delivery } from '../delivery/index.ts';
import type { Db, Queryable } from '../platform/db.ts';
import type { IdSource } from '../platform/ids.ts';
import type { Keyring } from '../platform/seal.ts';
import type { Share } from '../platform/share.ts';
import type { Application } from '../policy.ts';
import { createRateShare, type Rates } from '../rates/index.ts';
import type { Templates } from '../templates/index.ts';
import type { AskApproval } from './approval.ts';
import type { MessagesContext } from './context.ts';
import type { Gate } from './gate.ts';
import { makeLookupOperation } from './lookup-operations.ts';
import { makeMessageOperations } from './message-operations.ts';
import { createNoteRead } from './note-read.ts';
import { makeSendOperations, type StoreAnswer } from './operations.ts';
import type { Serving } from './plan.ts';
import { type PreviewAsk, type PreviewAsking, previewSend, type SendPreview } from './preview.ts';
import type { NoteRefusal } from './refused.ts';
import type { ChargeKey, Estimate, SpendsAgain } from './spend-ask.ts';
import { type Acceptance, createAccept, findMessage, forgetMessages, type Granted } from './store.ts';

export type { AttemptStory } from './attempts.ts';
export { challenged, type Gate, type GateAnswer, type GateAsk, rejected } from './gate.ts';
export type { StoreAnswer } from './operations.ts';
export { normalisedAddress, numberingOf, parseAddress, parsePhone, searchedAddress } from './recipient.ts';
export { otpBody } from './send-requests.ts';
export { type LastMessage, listLastMessages, messageFacts } from './store.ts';

export interface MessagesOptions {
  db: Db;
  keyring: Keyring;
  ids: IdSource;
  clock: { now(): number };
  templates: Pick<Templates, 'findForSend' | 'render'>;
  delivery: Delivery;
  /** Draws a code of a type (bits) and length. */
  drawCode(type: number, length: number): string;
  currency: string;
  serving(application: Application, channel: Channel, to: string): Serving;
  storeAnswer: StoreAnswer;
  rates: Pick<Rates, 'ofSend'>;
  estimate: Estimate;
  askApproval: AskApproval;
  gate: Gate;
  noteRefusal: NoteRefusal;
  watch?: MessagesContext['watch'];
  spendsAgain: SpendsAgain;
  chargeKey: ChargeKey;
  /** What balance and budgets add to the accepting statement. */
  spend: Share<Acceptance>;
}

export interface Messages {
  operations: ReturnType<typeof makeSendOperations>;
  /** What a send would be; throws what it would be refused with before anything is counted. */
  preview(ask: PreviewAsk, asking: PreviewAsking): Promise<SendPreview>;
  exists(on: Queryable, applicationId: string, messageId: string): Promise<boolean>;
  /** Removes up to `limit` messages below the id; resolves with how many. */
  forget(applicationId: string, belowId: string, limit: number): Promise<number>;
}

export function createMessages(options: MessagesOptions): Messages {
  const { db } = options;
  const rates = createRateShare<Granted>(({ grant, rates: asks }) => ({ applicationId: grant.applicationId, asks }));
  const acceptOn = createAccept(options.delivery, [rates, options.spend]);
  const context: MessagesContext = {
    ...options,
    now: () => options.clock.now(),
    noteRead: createNoteRead(db),
    shares: [rates],
    acceptOn: (on: Queryable, items) => acceptOn(on, items),
    accept: db.batch<Acceptance, Awaited<ReturnType<typeof acceptOn>>[number]>({
      run: acceptOn,
      key: ({ grant }) => (grant.counted ? `${grant.applicationId} ${grant.target}` : grant.messageId),
    }),
  };
  return {
    operations: [
      ...makeSendOperations(context, options.storeAnswer),
      ...makeMessageOperations(context),
      makeLookupOperation(context),
    ],
    preview: (ask, asking) => previewSend(context, ask, asking),
    forget: (applicationId, belowId, limit) => forgetMessages(db, applicationId, belowId, limit),
    exists: async (on, applicationId, messageId) => (await findMessage(on, applicationId, messageId)) !== null,
  };
}
