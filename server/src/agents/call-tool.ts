/**
 * One call of a tool: is it given to this caller, are its parameters right; then the operation is asked through the
 * front door with the caller's own credential, so that permission, limits, idempotency and errors are those of REST.
 */
import type { InputRequiredResult } from '@modelcontextprotocol/server';
import { ApiError, type FieldFault, invalid } from '../errors.ts';
import { faultsOf, faultTexts } from '../http/faults.ts';
import type { Application, Caller } from '../policy.ts';
import { plainArguments } from './arguments.ts';
import { auditLine } from './audit.ts';
import { type Narrowing, standing } from './catalog.ts';
import { type Asking, type ConfirmPorts, clientText, confirm } from './confirm.ts';
import { masked, quoted } from './mask.ts';
import { Advised, inWordsOf, ownRefusal, type Refusal, refusalOf } from './refusal.ts';
import { type Ask, askedOf, type Json, type Texts, type Tool } from './tool.ts';

/** Who calls, over one HTTP request. */
export interface Session {
  caller: Caller;
  /** As presented; handed on to the operations. */
  authorization: string;
  ip: string;
  requestId: string;
  /** Of the HTTP request; clients of the older protocol name themselves nowhere else. */
  userAgent: string | null;
  /** Of the HTTP request, for calls without a key of their own: a repeated check then costs one attempt. */
  idempotencyKey: string | null;
  narrowing: Narrowing;
  /** Takes back that the request was counted: what is asked in its place counts itself. */
  uncount(): void;
  /** Of one call. */
  asking?: Asking;
}

/** One request to an operation, without a socket. */
export interface InProcessCall {
  method: string;
  path: string;
  body: unknown;
  headers: Record<string, string>;
  ip: string;
  signal: AbortSignal | undefined;
}

export interface CallPorts extends Texts, ConfirmPorts {
  publicUrl(): string;
  /** Through the front door. */
  ask(call: InProcessCall): Promise<{ status: number; body: unknown }>;
  /** What creating the template would answer. */
  tryTemplate(application: Application, body: unknown): Promise<Json>;
  /** Every call: who, what, how it ended. */
  audit(line: Json): void;
}

/** What a call came to. */
export type Told = { ok: true; content: Json } | { ok: false; refusal: Refusal };
/** `later`: a person is asked first, and the call comes again with the answer. */
export type Outcome = Told | { ok: 'later'; question: InputRequiredResult };

const standings: Record<Exclude<ReturnType<typeof standing>, 'given'>, readonly [string, string]> = {
  narrowed: ['the client narrowed its tools, and this one is not among them', 'Use the tools that tools/list shows.'],
  'no permission': [
    'the key has no permission for this tool',
    'Use the tools that tools/list shows, or ask the operator for a key with the permission.',
  ],
  'virtual network only': [
    'codes can be read only on the virtual phone network',
    'Ask the person who received the code for it; real messages are read by nobody else.',
  ],
  'server key': [
    'a server key sends nothing over MCP in a live application',
    'Use a key of an application on the virtual phone network, or ask the operator for an agent key in live mode.',
  ],
  'test mode': [
    'this agent key is in test mode and sends nothing in a live application',
    'Use a key of an application on the virtual phone network, or ask the operator to set this one to live mode.',
  ],
};

/** Never throws for what a caller can do wrong. */
export async function callTool(
  ports: CallPorts,
  tool: Tool,
  session: Session,
  given: Json,
  signal?: AbortSignal,
): Promise<Outcome> {
  const attempted = await attempt(ports, tool, session, given, signal);
  const outcome: Outcome =
    attempted.ok === false ? { ok: false, refusal: inWordsOf(tool.shape.renamed ?? {}, attempted.refusal) } : attempted;
  const { requestId, caller, asking, userAgent } = session;
  const by = { requestId, keyId: caller.keyId, client: asking?.client ?? userAgent };
  ports.audit(auditLine(tool, by, given, outcome));
  return outcome;
}

async function attempt(
  ports: CallPorts,
  tool: Tool,
  session: Session,
  given: Json,
  signal: AbortSignal | undefined,
): Promise<Outcome> {
  const refused = (error: ApiError): Outcome => ({
    ok: false,
    refusal: ownRefusal(error, session.requestId, ports.publicUrl()),
  });
  const stands = standing(tool, session.caller, session.narrowing);
  if (stands !== 'given') {
    const [message, nextStep] = standings[stands];
    return refused(new Advised(2004, message, nextStep));
  }
  try {
    const args = argumentsOf(tool, given);
    if (tool.shape.tell) return { ok: true, content: tool.shape.tell(ports, args) };
    if (tool.shape.tries && args['dry_run'] === true) return await dryRun(ports, tool, session.caller, args);
    const question = await confirm(ports, tool, session, args);
    if (question) return { ok: 'later', question };
    return await ask(ports, tool, session, args, signal);
  } catch (error) {
    if (error instanceof ApiError) return refused(error);
    throw error;
  }
}

/** Throws 3002 naming every fault by the tool's own parameters. */
export function argumentsOf({ shape, inputSchema }: Tool, given: Json): Json {
  const parsed = shape.input.safeParse(plainArguments(inputSchema, given), faultTexts);
  if (parsed.success) return parsed.data;
  const faults = faultsOf(parsed.error.issues, 'arguments');
  throw invalid(faults as [FieldFault, ...FieldFault[]]);
}

async function dryRun(ports: CallPorts, { shape, operation }: Tool, caller: Caller, args: Json): Promise<Outcome> {
  const { body } = shape.ask(args);
  const parsed = operation?.spec.input.body?.safeParse(body, faultTexts);
  if (parsed && !parsed.success) throw invalid(faultsOf(parsed.error.issues, 'body') as [FieldFault, ...FieldFault[]]);
  return { ok: true, content: { ...(await ports.tryTemplate(caller.application, parsed?.data)), dry_run: true } };
}

async function ask(
  ports: CallPorts,
  tool: Tool,
  session: Session,
  args: Json,
  signal: AbortSignal | undefined,
): Promise<Outcome> {
  const { asked, spec } = askedOf(tool, args);
  const key = asked.idempotencyKey ?? (spec.method === 'POST' ? session.idempotencyKey : null);
  session.uncount();
  const { status, body } = await ports.ask({
    method: spec.method,
    path: pathOf(spec.path, asked),
    body: spec.method === 'GET' ? undefined : (asked.body ?? {}),
    headers: {
      authorization: session.authorization,
      'x-request-id': session.requestId,
      'user-agent': clientText(tool, session),
      ...(key !== null && { 'idempotency-key': `"${key}"` }),
    },
    ip: session.ip,
    signal,
  });
  if (status !== 200) return { ok: false, refusal: refusalOf(status, body as Json) };
  return { ok: true, content: contentOf(tool.shape, body, args) };
}

function pathOf(pattern: string, { params = {}, query = {} }: Ask): string {
  const path = pattern.replaceAll(/\{([^{}]+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  const search = new URLSearchParams(
    Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
  return search === '' ? path : `${path}?${search}`;
}

function contentOf({ list, fields, answer, unmasked }: Tool['shape'], body: unknown, args: Json): Json {
  const whole = (list === undefined ? body : { [list]: body }) as Json;
  const shown = answer
    ? answer(whole, args)
    : Object.fromEntries(Object.entries(whole).filter(([name]) => fields?.includes(name) ?? true));
  return (unmasked ? quoted(shown) : masked(shown)) as Json;
}
