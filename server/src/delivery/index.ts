/**
 * The durable effort to get a message there: a chain of steps, each made of attempts, decided by the pure next(). A message
 * accepted with a delivery row reaches a final state by its deadline whatever node dies; nothing is handed over after it is
 * verified, cancelled, exhausted, superseded or expired, and none twice unless the outcome of an attempt was unknown.
 */
import type { Channel, OutgoingMessage, Receipt } from '../channels/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Db, Queryable } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import type { Keyring } from '../platform/seal.ts';
import type { Column, Sql } from '../platform/sql.ts';
import { type Acceptance, type AttemptRecord, findAcceptances, listAttempts } from './attempt-store.ts';
import { type Backlog, readBacklog } from './backlog-store.ts';
import type { Charges } from './charge-store.ts';
import type { Clear, Ids } from './content.ts';
import { createDeeds, type Deeds, type LinesFor, openContent } from './deeds.ts';
import { endDeliveries } from './ending-store.ts';
import { createEngine, type DeliveryWatch } from './engine.ts';
import type { LineOf } from './line.ts';
import { createParkedReceipts } from './parked.ts';
import { type Draft, type Prepared, prepare } from './prepare.ts';
import { reopen } from './reopen.ts';
import { deliveryStates, findDeliveries, forgetDeliveries, insertDeliveries, preparedColumns } from './store.ts';
import { type DeliveryView, viewOf } from './view.ts';
import { createWrite, type ReleasePort } from './write.ts';

export { type Channel, type Content, channelNames } from '../channels/index.ts';
export { type Acceptance, type AttemptRecord, acceptedAttempts } from './attempt-store.ts';
export type { Charges } from './charge-store.ts';
export type { Clear, Ids } from './content.ts';
export type { Expired, Restart } from './deeds.ts';
export type { Line } from './line.ts';
export type { Draft, DraftStep, Prepared } from './prepare.ts';
export type { EndReason, MessageState, SkipReason, StepState, StepView } from './state.ts';
export type { DeliveryView } from './view.ts';
export type { Release } from './write.ts';

export interface DeliveryPorts {
  db: Db;
  keyring: Keyring;
  clock: Clock;
  log: Log;
  /** Whether this process delivers, or only accepts. */
  worker: boolean;
  /** ISO 4217 code of every cost. */
  currency: string;
  lineOf: LineOf;
  linesFor: LinesFor;
  /** Lifts resend locks in the transaction in which messages became failed or invalid. */
  release: ReleasePort;
  /** Written with hand-overs and endings: what they cost. */
  charges?: Charges | undefined;
  attemptTimeoutMs?: number;
  /** Attempts under way at once. */
  concurrency?: number;
  watch?: DeliveryWatch | undefined;
}

/** A row returned by `endRows`. */
export interface EndedRow {
  application_id: string;
  message_id: string;
  /** The number of the caller's status row where `numbered`. */
  sequence: number;
  silent: boolean;
  /** What that row names: channel, step (1-based) and attempt of the newest hand-over. */
  channel: Channel;
  step: number;
  attempt: number;
  /** Address of that step where it is another than asked for. */
  current_to: string | null;
  /** Steps that will not start any more, and the first of them: for fallback_cancelled. */
  waiting: number;
  waiting_step: number | null;
  waiting_channel: Channel | null;
}

export interface Delivery extends Deeds {
  /** The first state of a delivery, to be inserted by the accepting statement and given to `accepted` after its commit. */
  prepare(draft: Draft): Prepared;
  /** Columns of the accepting statement's input relation that `insertRows` reads. */
  columns: Record<string, Column<Prepared>>;
  /** CTE body: inserts deliveries from `input`, which also has application_id and message_id. */
  insertRows(input: Sql): Sql;
  /** After commit: hands over at once what this process holds the lease of. */
  accepted(prepared: Prepared): void;
  /**
   * Clauses: ends open deliveries. `rows`: application_id, message_id, reason text, numbered boolean, spares_expired boolean. Makes the
   * clause `ended`, of EndedRow. Where given, the deliveries of `overtaken` (application_id, message_id) only lose their waiting
   * steps and stay open: the clause `stopped`, with the last three columns of EndedRow.
   */
  endRows(rows: Sql, overtaken?: Sql): Sql;
  /** After the commit of nextChannel or restart: starts at once. */
  wake(ids?: Ids): void;
  /** True once the receipt is durably taken; false when its attempt is not known yet. */
  receive(provider: string, receipt: Receipt): Promise<boolean>;
  /** Keeps a receipt that was not taken, and offers it again for five minutes. Resolves when it is durable. */
  park(provider: string, receipt: Receipt): Promise<void>;
  /** A hand-over as it was made, for an upstream that fetches the text; null once its delivery has ended. */
  reopen(ids: Ids & { attempt: number }): Promise<OutgoingMessage | null>;
  /** What upstreams of providers accepted for a message: whom to tell that its code was used. */
  acceptances(ids: Ids): Promise<Acceptance[]>;
  /** Every provider call of a message, in order. */
  attempts(ids: Ids): Promise<AttemptRecord[]>;
  /** `db` reads inside the caller's transaction. */
  find(applicationId: string, messageId: string, db?: Queryable): Promise<DeliveryView | null>;
  /** The code and texts while something can still be sent, else null. */
  openContent(applicationId: string, messageId: string, db?: Queryable): Promise<Clear | null>;
  /** Relation (application_id, message_id, state, channel, cost_micros) for lists. */
  states(): Sql;
  /** Removes up to `limit` deliveries of messages below the id; resolves with how many. */
  forget(applicationId: string, belowId: string, limit: number): Promise<number>;
  start(): Promise<void>;
  /** Takes on nothing new and waits for what is under way, at most `drainMs` (7 s) and a moment. */
  stop(drainMs?: number): Promise<void>;
  /** What is due and not begun, on any node. */
  backlog(): Promise<Backlog>;
  /** Attempts of this process. */
  underWay(): { running: number; waiting: number };
  /** Tests: does everything that is due by the database's clock. */
  runUntilIdle(): Promise<void>;
}

export function createDelivery(ports: DeliveryPorts): Delivery {
  const { db, keyring, clock, worker, release, attemptTimeoutMs = 10_000, concurrency = 200 } = ports;
  const write = createWrite({ db, clock, release, currency: ports.currency, charges: ports.charges });
  const engine = createEngine({ ...ports, write, attemptTimeoutMs, concurrency });
  const read = db.batch({ run: findDeliveries });
  const parked = createParkedReceipts({ db, log: ports.log, receive: engine.receive });
  return {
    ...createDeeds({ write, keyring, now: clock.now, linesFor: ports.linesFor }),
    prepare: (draft) => prepare(draft, keyring, clock.now(), engine.takesMore()),
    columns: preparedColumns,
    insertRows: (input) => insertDeliveries(input, !worker),
    accepted: engine.accepted,
    endRows: (rows, overtaken) => endDeliveries(rows, ports.charges, overtaken),
    wake: engine.wake,
    receive: engine.receive,
    park: parked.park,
    reopen: (ids) => reopen(db, keyring, clock.now(), ids),
    acceptances: (ids) => findAcceptances(db, ids),
    attempts: (ids) => listAttempts(db, ids),
    async find(applicationId, messageId, from) {
      const ids = { applicationId, messageId };
      const loaded = from ? (await findDeliveries(from, [ids]))[0] : await read(ids);
      return loaded ? viewOf(loaded.state) : null;
    },
    openContent: (applicationId, messageId, from = db) => openContent(from, keyring, { applicationId, messageId }),
    states: deliveryStates,
    backlog: () => readBacklog(db),
    underWay: engine.underWay,
    forget: (applicationId, belowId, limit) => forgetDeliveries(db, applicationId, belowId, limit),
    async start() {
      await engine.start();
      if (worker) parked.start();
    },
    async stop(drainMs = 7_000) {
      await parked.stop();
      await engine.stop(drainMs);
    },
    async runUntilIdle() {
      do await engine.runUntilIdle();
      while ((await parked.look()) > 0);
    },
  };
}
