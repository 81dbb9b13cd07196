/**
 * A person's word for one live send, asked by the client of who asks for it. An extra confirmation and never the only guard: what a
 * client answers nobody can check. So a client that cannot ask is refused, unless the operator lets the key send unattended.
 */
import { createHash } from 'node:crypto';
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  type ClientCapabilities,
  type Implementation,
  type InputRequiredResult,
  inputRequired,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { type FieldFault, invalid } from '../errors.ts';
import { faultsOf, faultTexts } from '../http/faults.ts';
import { canonicalJson } from '../http/idempotency.ts';
import type { Caller } from '../policy.ts';
import { plainClient } from './audit.ts';
import type { Session } from './call-tool.ts';
import { Advised } from './refusal.ts';
import { askedOf, type Json, type Tool } from './tool.ts';

/** What the request brought beside the call. */
export interface Asking {
  /** Whether the client says it can show a form to a person. */
  canAsk: boolean;
  /** As it names itself. */
  client: string | null;
  /** Given out with the question, and brought back with the answer; from the client, so anything. */
  state: string | undefined;
  answer: unknown;
}

export interface PlannedSend {
  /** Masked. */
  recipient: string;
  templateId: string;
  channels: readonly { channel: string; micros: number }[];
  currency: string;
  /** Digest of what the texts are made of. */
  texts: string;
}

export interface ConfirmPorts {
  /** What the send would be; throws what it would be refused with before anything is counted. */
  preview(
    ask: { operation: string; params?: Record<string, string> | undefined; body?: unknown },
    by: { caller: Caller; requestId: string; client: string },
  ): Promise<PlannedSend>;
  confirmations: {
    issue(about: string): string;
    redeem(token: string, about: string): Promise<'good' | 'used' | 'expired' | 'invalid'>;
  };
}

const question = 'confirm';
const callAgain = 'Call the tool again without an answer, and let the person answer what is asked then.';
const refusals = {
  cannotAsk: [
    'a live send by this key is confirmed by a person, and this client cannot ask one',
    'Use a test credential, or ask the operator to allow unattended sends for this key.',
  ],
  declined: [
    'the person did not confirm this send',
    'Do not send this again unless the person asks for it. Nothing was sent.',
  ],
  used: ['this confirmation was used already', callAgain],
  expired: ['this confirmation is older than five minutes', callAgain],
  invalid: ['this confirmation was not given for this call of this key, or the send has changed since', callAgain],
} as const;
function unconfirmed(why: keyof typeof refusals): Advised {
  const [message, nextStep] = refusals[why];
  return new Advised(2004, message, nextStep);
}

/** As the library has validated it. */
interface Envelope {
  [CLIENT_CAPABILITIES_META_KEY]?: ClientCapabilities;
  [CLIENT_INFO_META_KEY]?: Implementation;
}

export function askingOf({ envelope, inputResponses, requestState }: ServerContext['mcpReq']): Asking {
  const { [CLIENT_CAPABILITIES_META_KEY]: capabilities, [CLIENT_INFO_META_KEY]: info } = (envelope ?? {}) as Envelope;
  const elicitation = capabilities?.elicitation;
  return {
    // Without a mode the older meaning: forms.
    canAsk: elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined),
    client: info ? `${info.name} ${info.version}` : null,
    state: requestState<string>(),
    answer: inputResponses?.[question],
  };
}

/** How the call is told to operators: the tool, and the client as it names itself. Printable, so that a header may carry it. */
export function clientText({ name }: Tool, { asking }: Session): string {
  const client = plainClient(asking?.client);
  return `${name} over MCP${client ? ` (${client})` : ''}`;
}

/** Null where the send may go on; else the question to a person. Throws Advised. */
export async function confirm(
  ports: ConfirmPorts,
  tool: Tool,
  session: Session,
  args: Json,
): Promise<InputRequiredResult | null> {
  const { caller, asking } = session;
  const live = caller.application.network === 'live' && tool.shape.reach === 'send';
  if (!live || !caller.agent || caller.agent.unattended) return null;
  // Also with the answer: a person's word is for the send that was shown, not for what a template or a price has become since.
  const planned = await plan(ports, tool, session, args);
  const digest = createHash('sha256').update(canonicalJson({ args, planned })).digest('base64url');
  const about = `${caller.keyId} ${tool.name} ${digest}`;
  if (asking?.state !== undefined && asking.answer !== undefined) {
    const redeemed = await ports.confirmations.redeem(asking.state, about);
    if (redeemed !== 'good') throw unconfirmed(redeemed);
    if (!isYes(asking.answer)) throw unconfirmed('declined');
    return null;
  }
  if (!asking?.canAsk) throw unconfirmed('cannotAsk');
  return inputRequired({
    inputRequests: { [question]: form(planned) },
    requestState: ports.confirmations.issue(about),
  });
}

function plan(ports: ConfirmPorts, tool: Tool, session: Session, args: Json): Promise<PlannedSend> {
  const { asked, spec } = askedOf(tool, args);
  const { params, body } = asked;
  const parsed = spec.input.body?.safeParse(body ?? {}, faultTexts);
  if (parsed && !parsed.success) throw invalid(faultsOf(parsed.error.issues, 'body') as [FieldFault, ...FieldFault[]]);
  const { caller, requestId } = session;
  return ports.preview(
    { operation: spec.id, params, body: parsed?.data },
    { caller, requestId, client: clientText(tool, session) },
  );
}

function isYes(answer: unknown): boolean {
  const { action, content } = (answer ?? {}) as { action?: unknown; content?: { send?: unknown } };
  return action === 'accept' && content?.send === true;
}

function form({ recipient, templateId, channels, currency }: PlannedSend) {
  const priced = channels.map(({ channel, micros }) => `${channel} (about ${micros / 1_000_000} ${currency})`);
  const by = priced.length === 0 ? 'no channel that is left' : priced.join(', then if needed ');
  return inputRequired.elicit({
    message: `Send to a real person: ${recipient}, template ${templateId}, by ${by}?`,
    requestedSchema: {
      type: 'object',
      properties: {
        send: { type: 'boolean', title: 'Send it', description: 'Reaches a real person and costs money.' },
      },
      required: ['send'],
    },
  });
}
