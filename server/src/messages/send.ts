/**
 * Sending, the story on one screen: find the template, compose, ask who judges, read what the accepting statement (accept.ts) answers,
 * start the delivery. The answer is given after the commit; no upstream has been called by then, and who judges was asked before.
 */
import type { Channel, Content } from '../delivery/index.ts';
import { ApiError, refuse } from '../errors.ts';
import {
  findListed,
  findLock,
  findOptOuts,
  type LimitNotes,
  type ListAsk,
  type ListHit,
  refusalOf,
} from '../limits/index.ts';
import type { Queryable } from '../platform/db.ts';
import type { Application } from '../policy.ts';
import type { SendTemplate } from '../templates/index.ts';
import { findVerification } from '../verifications/index.ts';
import { ApprovalNeeded, requireApproved } from './approval.ts';
import { compose, listAsk, readRecipient, resolve, ruleOf, type SendRequest } from './compose.ts';
import type { MessagesContext } from './context.ts';
import type { StoredDecision } from './decision.ts';
import { type GateAnswer, type GateAsk, gateAsk } from './gate.ts';
import type { Living } from './living.ts';
import type { ChainStep, Excluded } from './plan.ts';
import { refusedSend } from './refused.ts';
import type { Acceptance, AcceptResult, MessageKind } from './store.ts';

export interface SendResult {
  messageId: string;
  channel: Channel;
  /** Null for a message without a code. */
  expiresAt: Date | null;
}

/** The approved template, of the kind that the endpoint needs: 4001, 3003 (contract §5.5, 1–4). */
export async function templateFor(
  context: MessagesContext,
  application: Application,
  templateId: string,
  kind: MessageKind,
  ownCode: string | null,
): Promise<SendTemplate> {
  const found = await context.templates.findForSend(application.id, templateId);
  if (found.kind === 'missing') throw new ApiError(4001, 'template not found');
  if (found.kind === 'not_approved') throw refuse('template_not_approved');
  const { template } = found;
  if (kind !== 'custom' && !template.codeConfig) throw refuse('not_code_template');
  if (kind === 'custom' && template.codeConfig && ownCode === null) throw refuse('code_required');
  return template;
}

export interface Sent {
  result: SendResult;
  /** Begins the delivery; after the commit. */
  start(): void;
}

/** One recipient who passed every rule that needs no counting. All who judge over the network were asked: accepting asks the database alone. */
export interface Prepared {
  /** As it is tried first. */
  acceptance: Acceptance;
  /** By what was found out meanwhile, and the living code as it is now. */
  composeOn: Composer;
  /** What the accepting statement answered. Throws a refusal; null: it has to be composed anew. */
  read(acceptance: Acceptance, row: AcceptResult | undefined): Sent | null;
  noteRefused(error: ApiError): void;
}

/** What is found out about one send over all its tries. */
interface Found {
  excluded: Excluded;
  /** Asked once, whatever has to be composed anew. */
  gate: GateAnswer | null;
  notes: LimitNotes | null;
  country: string | null;
}

type Composer = (on: Queryable) => Promise<Acceptance>;

/**
 * Composes one send. The accepting statement itself asks lists and opt-outs, so that a send costs no reading for them. They come
 * before the rules behind them, though (contract §5.5): who breaks one of those is looked up first.
 */
function composer(
  context: MessagesContext,
  application: Application,
  template: SendTemplate,
  request: SendRequest,
  found: Found,
): Composer {
  const { excluded } = found;
  const recipient = readRecipient(application, template, request);
  const ask = listAsk(application, request, recipient);
  found.country = ask.country ?? null;

  async function composeOpen(on: Queryable): Promise<Acceptance> {
    const resolved = resolve(context, application, template, request, recipient, excluded);
    const living = resolved.counted ? await findLiving(context, on, application, template, resolved.target) : null;
    const made = compose(context, application, template, request, resolved, living);
    if (resolved.exempt || found.gate) return made.acceptance;
    const channels = usableChannels(context, resolved.chain, made.contents);
    requireSendApproved(context, application, template, request, { target: resolved.target, channels });
    found.gate = await context.gate(gateAsk(application, template.templateId, request, resolved, channels));
    if (found.gate.refusal) throw found.gate.refusal;
    excluded.closed = found.gate.closed;
    return excluded.closed.size > 0 ? composeOpen(on) : made.acceptance;
  }

  async function composeFor(on: Queryable): Promise<Acceptance> {
    const acceptance = await composeOpen(on);
    acceptance.message.decision = found.gate?.report ?? null;
    return acceptance;
  }

  return async (on) => {
    try {
      return await composeFor(on);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const known = excluded.listed.size + excluded.unsubscribed.size;
      const listed = await findListed(on, ask);
      // China without permission stays what it is, also on a list.
      if (error.code === 5017 && listed.every(({ type }) => type === 'country')) throw error;
      exclude(excluded, ask, listed, await findOptOuts(on, application.id, ask.addresses));
      if (excluded.listed.size + excluded.unsubscribed.size === known) throw error;
      return composeFor(on);
    }
  };
}

/** The part of a send that needs no database: where it goes and by which channels. Throws what the send would. */
export function planOne(
  context: MessagesContext,
  application: Application,
  template: SendTemplate,
  request: SendRequest,
): Planned {
  let country: string | null = null;
  try {
    const recipient = readRecipient(application, template, request);
    country = recipient.addresses.phone?.country ?? null;
    const resolved = resolve(context, application, template, request, recipient, nothingExcluded());
    const { contents } = compose(context, application, template, request, resolved, null);
    const planned = { target: resolved.target, channels: usableChannels(context, resolved.chain, contents) };
    if (!resolved.exempt) requireSendApproved(context, application, template, request, planned);
    return planned;
  } catch (error) {
    const notes = { gate: null, notes: null, country };
    if (error instanceof ApiError) noteRefused(context, application, template, request, error, notes);
    throw error;
  }
}

interface Planned {
  target: string;
  channels: GateAsk['channels'];
}

function requireSendApproved(
  { currency }: MessagesContext,
  application: Application,
  { templateId }: SendTemplate,
  request: SendRequest,
  { target, channels }: Planned,
): void {
  const operation = operationOf[request.kind];
  requireApproved(application, request, () => ({ operation, recipient: target, templateId, channels, currency }));
}

const nothingExcluded = (): Excluded => ({ unsubscribed: new Set(), listed: new Map(), closed: new Map() });

const operationOf = { otp: 'sendOtp', code: 'sendCustomCode', custom: 'sendCustomMessage' } as const;

const usableChannels = (
  { estimate }: MessagesContext,
  chain: readonly ChainStep[],
  contents: readonly (Content | null)[],
): GateAsk['channels'] =>
  chain.flatMap((step, i) => {
    const content = contents[i];
    return content && step.to !== null
      ? [{ channel: step.channel, micros: estimate({ ...step, to: step.to }, content) }]
      : [];
  });

/** Takes addresses out; throws where an entry is about the whole request: where it came from (5013), or the country (3003). */
function exclude(
  excluded: Excluded,
  { country }: Pick<ListAsk, 'country'>,
  listed: readonly ListHit[],
  optedOut: readonly string[],
): void {
  for (const { type, address, entryId } of listed) {
    if (type === 'ip') throw new ApiError(5013, 'Blacklisted');
    if (type === 'country') throw refuse('country_not_enabled', country ?? '');
    excluded.listed.set(address, entryId);
  }
  for (const address of optedOut) excluded.unsubscribed.add(address);
}

/**
 * One recipient. Under policies other than compat a living code is looked up first; if another send changes that until the accepting statement
 * runs, that one says `changed` and the send is composed anew, as it is without the addresses that are found listed or opted out.
 */
export async function prepareSend(
  context: MessagesContext,
  application: Application,
  template: SendTemplate,
  request: SendRequest,
): Promise<Prepared> {
  const found: Found = { excluded: nothingExcluded(), gate: null, notes: null, country: null };
  const note = (error: ApiError): void => noteRefused(context, application, template, request, error, found);
  try {
    const composeOn = composer(context, application, template, request, found);
    return {
      acceptance: await composeOn(context.db),
      composeOn,
      read: (acceptance, row) => readAnswer(context, found, acceptance, row),
      noteRefused: note,
    };
  } catch (error) {
    if (error instanceof ApiError) note(error);
    throw error;
  }
}

function noteRefused(
  { noteRefusal, watch }: MessagesContext,
  application: Application,
  { templateId }: SendTemplate,
  request: SendRequest,
  error: ApiError,
  { gate, notes, country }: Omit<Found, 'excluded'>,
): void {
  const stored = gate?.report || notes ? ({ ...gate?.report, ...notes } as StoredDecision) : null;
  const note = (): void => {
    watch?.refused(error.code, error.reason ?? null);
    noteRefusal(refusedSend(application, templateId, request, error, { stored, country }));
  };
  // Whether that one stands is known later.
  if (error instanceof ApprovalNeeded) error.note = note;
  else note();
}

function readAnswer(
  { watch, delivery }: MessagesContext,
  found: Found,
  acceptance: Acceptance,
  row: AcceptResult | undefined,
): Sent | null {
  if (!row) throw new Error('the accepting statement answers every row');
  found.notes = row.notes;
  const refusal = refusalOf(row);
  if (refusal) throw refusal;
  exclude(found.excluded, acceptance.grant, row.listed, row.optedOut);
  if (row.verdict !== 'granted') return null;
  const { messageId } = acceptance.grant;
  const { channel } = acceptance.delivery.state;
  return {
    result: { messageId, channel, expiresAt: row.expiresAt },
    start() {
      watch?.accepted(acceptance.message.kind, channel);
      delivery.accepted(acceptance.delivery);
    },
  };
}

/** What this send would join or replace; null under compat, where a living code refuses the send. */
async function findLiving(
  context: MessagesContext,
  db: Queryable,
  application: Application,
  template: SendTemplate,
  target: string,
): Promise<Living | null> {
  const { mode } = ruleOf(application, template);
  const lock = mode === 'compat' ? null : await findLock(db, application.id, target, template.templateId);
  if (!lock) return null;
  const { messageId } = lock;
  const verification = await findVerification(db, application.id, messageId);
  if (verification?.state !== 'pending') return { messageId, verification: null, code: null };
  const code =
    mode === 'reuse' ? ((await context.delivery.openContent(application.id, messageId, db))?.code ?? null) : null;
  return { messageId, verification, code };
}
