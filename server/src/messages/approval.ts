/**
 * Live sends by an agent's key that no operator has approved: refused before anything is judged, counted or written, and then told,
 * so that an operator sees the first of them. Judged by the key as this node knows it; who is refused is looked up anew.
 */
import { ApiError, reasons } from '../errors.ts';
import { maskRecipient } from '../platform/log.ts';
import { type AgentStanding, type Application, type ApprovalAsk, awaitsApproval, type Caller } from '../policy.ts';

/** Notes the first of them; resolves with how the key stands by now, null where it is gone. */
export type AskApproval = (ask: ApprovalAsk) => Promise<AgentStanding | null>;

/** Who asks for a send, as far as an approval is about it. */
export interface AskedBy {
  caller: Pick<Caller, 'keyId' | 'agent'> | null;
  requestId: string | null;
  /** As it names itself. */
  client: string | null;
}

export class ApprovalNeeded extends ApiError {
  readonly ask: ApprovalAsk;
  /** Keeps the refusal, once it is known to stand. */
  note: () => void = () => undefined;
  constructor(ask: ApprovalAsk) {
    super(2004, reasons.approval_required[1], { reason: 'approval_required' });
    this.ask = ask;
  }
}

export function requireApproved(
  application: Application,
  { caller, requestId, client }: AskedBy,
  send: () => Pick<ApprovalAsk, 'operation' | 'recipient' | 'templateId' | 'channels' | 'currency'>,
): void {
  if (!caller?.agent || !awaitsApproval(caller.agent, application)) return;
  const sent = send();
  const recipient = maskRecipient(sent.recipient);
  throw new ApprovalNeeded({ ...sent, recipient, recipients: 1, keyId: caller.keyId, requestId, client });
}

/**
 * Runs a send, and asks for the approval it lacks; outside of its transaction, which the refusal has undone. Where an operator has
 * approved the key and this node had not heard of it, the send is run again, on the terms that were approved.
 */
export async function withApproval<By extends { agent: AgentStanding | null }, T>(
  askApproval: AskApproval,
  caller: By,
  send: (caller: By) => Promise<T>,
): Promise<T> {
  try {
    return await send(caller);
  } catch (error) {
    if (!(error instanceof ApprovalNeeded) || !caller.agent) throw error;
    const agent = await askApproval(error.ask);
    if (agent?.approval === 'approved') return send({ ...caller, agent });
    error.note();
    if (agent?.approval === 'refused')
      throw new ApiError(2004, reasons.approval_refused[1], { reason: 'approval_refused' });
    throw error;
  }
}
