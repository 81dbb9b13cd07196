/** What the deeds of this room work with; made once in index.ts. */
import type { Channel, Delivery } from '../delivery/index.ts';
import type { ErrorCode } from '../errors.ts';
import type { Db, Queryable } from '../platform/db.ts';
import type { IdSource } from '../platform/ids.ts';
import type { Keyring } from '../platform/seal.ts';
import type { Share } from '../platform/share.ts';
import type { Application } from '../policy.ts';
import type { Rates } from '../rates/index.ts';
import type { Templates } from '../templates/index.ts';
import type { AskApproval } from './approval.ts';
import type { Gate } from './gate.ts';
import type { NoteRead } from './note-read.ts';
import type { Serving } from './plan.ts';
import type { NoteRefusal } from './refused.ts';
import type { ChargeKey, Estimate, SpendsAgain } from './spend-ask.ts';
import type { Acceptance, AcceptResult, Granted, MessageKind } from './store.ts';

/** Told what becomes of every message asked for, one per recipient; must not throw. */
export interface SendWatch {
  /** After its commit. */
  accepted(kind: MessageKind, channel: Channel): void;
  refused(code: ErrorCode, reason: string | null): void;
}

export interface MessagesContext {
  db: Db;
  keyring: Keyring;
  ids: IdSource;
  now(): number;
  templates: Pick<Templates, 'findForSend' | 'render'>;
  delivery: Delivery;
  /** Draws a code of a type (bits) and length. */
  drawCode(type: number, length: number): string;
  /** ISO 4217 code of every cost. */
  currency: string;
  /** Who serves the channel to this address for this application. */
  serving(application: Application, channel: Channel, to: string): Serving;
  estimate: Estimate;
  askApproval: AskApproval;
  /** Who judges a send before it is counted. */
  gate: Gate;
  /** Keeps what was refused and why; never throws. */
  noteRefusal: NoteRefusal;
  watch?: SendWatch | undefined;
  spendsAgain: SpendsAgain;
  chargeKey: ChargeKey;
  noteRead: NoteRead;
  /** Which limits a send meets. */
  rates: Pick<Rates, 'ofSend'>;
  /** What other rooms count when a message is sent again. */
  shares: readonly Share<Granted>[];
  /** The accepting statement on the given connection. */
  acceptOn(db: Queryable, items: readonly Acceptance[]): Promise<AcceptResult[]>;
  /** The same, gathered with other requests of the moment into one statement. */
  accept(item: Acceptance): Promise<AcceptResult>;
}
