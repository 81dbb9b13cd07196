/**
 * One recipient of one send, made ready to be accepted: address, rules, chain, code, rendered steps. Everything here happens
 * before anything is written; what it throws has no effect. The order of the checks is the contract's (§5.5).
 */
import type { Content } from '../delivery/index.ts';
import { ApiError, invalid, refuse } from '../errors.ts';
import { canonicalIp, type ListAsk } from '../limits/index.ts';
import { type AgentTerms, type Application, type Caller, type ResendRule, requireAgentMaySend } from '../policy.ts';
import type { RateSubject } from '../rates/index.ts';
import { isMagic, type Script, scriptFor } from '../sandbox/index.ts';
import type { Language, SendTemplate } from '../templates/index.ts';
import { hashCode, mixesCase, type VerificationRow } from '../verifications/index.ts';
import type { MessagesContext } from './context.ts';
import { joinedBy, type Living } from './living.ts';
import {
  type Addresses,
  type ChainStep,
  type Excluded,
  otherRecipient,
  planChain,
  requireCountry,
  requireOpen,
  requireProfile,
  requireUnlisted,
  requireUsable,
} from './plan.ts';
import {
  type Address,
  bareAddress,
  groupsOf,
  magicPhone,
  type PhoneAddress,
  parseEmail,
  parsePhone,
} from './recipient.ts';
import { render, sealAgain } from './render.ts';
import { keyBudgetOf, spendAsk } from './spend-ask.ts';
import type { Acceptance, MessageKind, MessageRow } from './store.ts';

/** What the three send endpoints have in common, already valid in form. */
export interface SendRequest {
  kind: MessageKind;
  to: string;
  language: Language;
  params: Record<string, string>;
  /** The caller's own code; null when the platform makes it or the text has none. */
  ownCode: string | null;
  customArgs: Record<string, string> | null;
  alternateTo: { email?: string | undefined; phone?: string | undefined } | null;
  signals: Record<string, unknown> | null;
  purpose: string | null;
  ttlSeconds: number | null;
  codeLength: number | null;
  /** Whose key asks; null where none does. */
  caller: Pick<Caller, 'keyId' | 'agent' | 'limits'> | null;
  requestId: string | null;
  idempotencyKey: string | null;
  /** The program that asks, as it names itself. */
  client: string | null;
}

/** A recipient of good form, and what the sandbox makes of it. */
export interface Recipient {
  addresses: Addresses & { main: Address };
  shape: { length: number; ttlSeconds: number };
  script: Script | null;
  /** See isExempt. */
  exempt: boolean;
}

/** A recipient that passed every rule that needs no counting. */
export interface Resolved extends Recipient {
  target: string;
  country: string | null;
  chain: ChainStep[];
  /** Whether the rules of a target apply: not for texts without a code, sandbox recipients and the public sandbox. */
  counted: boolean;
}

const customLifeMs = 86_400_000;

/** Steps 5–7 of contract §5.5. */
export function readRecipient(application: Application, template: SendTemplate, request: SendRequest): Recipient {
  const addresses = addressesOf(application, request);
  const script = scriptFor(application, addresses.main.address);
  const shape = shapeOf(application, template, request);
  if (script?.refuse) throw scriptRefusal(script.refuse);
  return { addresses, shape, script, exempt: isExempt(application, addresses.main.address) };
}

/** What lists are asked about one recipient, whatever chain it gets. */
export function listAsk(application: Application, request: SendRequest, recipient: Recipient): ListAsk {
  const { phone, email } = recipient.addresses;
  return {
    applicationId: application.id,
    addresses: recipient.exempt ? [] : [phone, email].flatMap((address) => address?.address ?? []),
    country: phone?.country ?? null,
    ip: askedIp(request, recipient),
  };
}

const askedIp = ({ signals }: SendRequest, { exempt }: Recipient): string | null =>
  exempt || typeof signals?.['ip'] !== 'string' ? null : signals['ip'];

/** Steps 8–13 of contract §5.5, as far as they need no counting. `excluded`: what is known; the accepting statement looks again. */
export function resolve(
  context: MessagesContext,
  application: Application,
  template: SendTemplate,
  request: SendRequest,
  recipient: Recipient,
  excluded: Excluded,
): Resolved {
  const { addresses, script } = recipient;
  const hasCode = template.codeConfig !== null;
  const chain = planChain({
    chain: script?.chain ?? template.strategy,
    addresses,
    application,
    excluded,
    emailForbidden:
      application.policy.profile === 'nist-800-63b' && hasCode && (request.purpose ?? 'login') === 'login',
    serving: (channel, to) => context.serving(application, channel, to),
  });
  requireUnlisted(chain);
  if (addresses.phone && !isMagic(addresses.phone.address)) requireCountry(addresses.phone, application);
  if (request.caller?.agent && !recipient.exempt) requireDestinations(application, request.caller.agent, addresses);
  requireOpen(chain);
  requireUsable(chain);
  return {
    ...recipient,
    target: addresses.main.address,
    country: addresses.phone?.country ?? null,
    chain,
    counted: hasCode && !recipient.exempt,
  };
}

/** An agent's key sends nowhere that its terms do not name, by whatever step. */
export function requireDestinations({ network }: Application, terms: AgentTerms, { phone, email }: Addresses): void {
  if (phone) requireAgentMaySend(terms, { network, to: phone.address, country: phone.country });
  if (email) requireAgentMaySend(terms, { network, to: email.address, country: null });
}

/** Where the message may go by its chain; nowhere for recipients that no list is asked about. */
function addressesInUse({ chain, exempt }: Resolved): string[] {
  if (exempt) return [];
  return [
    ...new Set(
      chain.flatMap(({ to, skip }) => (to === null || skip === 'listed' || skip === 'unsubscribed' ? [] : to)),
    ),
  ];
}

/** Code, rendered steps and everything the accepting statement writes. */
export function compose(
  context: MessagesContext,
  application: Application,
  template: SendTemplate,
  request: SendRequest,
  resolved: Resolved,
  living: Living | null,
): { acceptance: Acceptance; contents: (Content | null)[] } {
  const { target, shape, script, chain, counted } = resolved;
  const { asks: rates, targetLimits } = context.rates.ofSend(application, subjectOf(request, resolved, template));
  const messageId = context.ids.next();
  const rule = ruleOf(application, template);
  const codeType = template.codeConfig?.type ?? 1;
  const joined = request.kind === 'otp' ? joinedBy({ purpose: request.purpose, codeType }, rule, living) : null;
  const verificationId = joined?.verification.id ?? messageId;
  const code = codeOf(context, request, template, shape.length, script?.code ?? joined?.code);
  const shared = rule.mode === 'reuse' ? joined?.verification : null;
  const codeTtlMs = shared?.leftMs ?? shape.ttlSeconds * 1000;
  const ttlMs = Math.round(template.codeConfig ? codeTtlMs : customLifeMs);
  const rendering = { template, language: request.language, params: request.params, code, ttlMs };
  const waits = { ...application.policy.fallback_wait_seconds, ...template.fallbackWaitSeconds };
  const delays = [...(script?.startDelaysMs ?? [])];
  const steps = chain.map((step) => ({
    ...step,
    to: step.to ?? '',
    content: step.skip === null ? render(context, application, step.channel, rendering) : null,
    waitMs: waits[step.channel] * 1000,
    // A script's delays are of the steps that are used, whatever the template's chain skips before them.
    startDelayMs: step.skip === null ? (delays.shift() ?? 0) : 0,
  }));
  const contents = steps.map(({ content }) => content);
  const verification =
    request.kind === 'otp' && code !== null
      ? verificationOf(context, application, { verificationId, code, codeType, rule, purpose: request.purpose })
      : null;
  const delivery = context.delivery.prepare({
    applicationId: application.id,
    messageId,
    to: target,
    hasVerification: verification !== null,
    silent: script?.silent ?? false,
    code,
    steps,
    deadlineMs: ttlMs,
    releaseKey: counted ? { target, templateId: template.templateId } : null,
  });
  const acceptance: Acceptance = {
    grant: {
      applicationId: application.id,
      target,
      templateId: template.templateId,
      messageId,
      verificationId,
      counted,
      rule,
      targetAttempts: application.policy.target_attempts,
      targetWindowSeconds: application.policy.target_window_seconds,
      ttlMs,
      expiresAt: shared?.expiresAt ?? null,
      holdsLock: delivery.state.state !== 'invalid',
      expectedMessageId: rule.mode === 'compat' ? null : (living?.messageId ?? '0'),
      addresses: addressesInUse(resolved),
      country: resolved.country,
      ip: askedIp(request, resolved),
      targetLimits,
    },
    rates,
    message: messageOf(context, application, template, request, resolved, { messageId, rule }),
    verification,
    spend: spendAsk(application, resolved, contents, {
      messageId,
      keyBudget: keyBudgetOf(request.caller),
      estimate: context.estimate,
    }),
    delivery,
  };
  return { acceptance, contents };
}

const signal = (signals: SendRequest['signals'], name: string): string | null => {
  const value = signals?.[name];
  return typeof value === 'string' && value !== '' ? value : null;
};

/** What limits count of this send: nothing of test numbers, nothing per recipient of texts without a code. */
function subjectOf(
  request: SendRequest,
  { exempt, counted, target, chain, addresses }: Resolved,
  template: SendTemplate,
): RateSubject | null {
  if (exempt) return null;
  const { signals, caller } = request;
  return {
    keyId: caller?.keyId ?? null,
    agent: caller?.agent ?? null,
    keyLimits: caller?.limits ?? [],
    recipients: [target, otherRecipient(chain, target) ?? []].flat(),
    ip: canonicalIp(signal(signals, 'ip') ?? ''),
    deviceId: signal(signals, 'device_id'),
    sessionId: signal(signals, 'session_id'),
    target: counted ? target : null,
    templateId: template.templateId,
    ...groupsOf(addresses.phone),
  };
}

function messageOf(
  context: MessagesContext,
  application: Application,
  template: SendTemplate,
  request: SendRequest,
  resolved: Resolved,
  { messageId, rule }: { messageId: string; rule: ResendRule },
): MessageRow {
  const rendersAgain = request.kind === 'otp' && keptCodes(rule) !== null;
  const again = { params: request.params, ...resolved.shape };
  return {
    kind: request.kind,
    templateRevision: template.revision,
    language: request.language,
    country: resolved.country,
    purpose: request.purpose,
    customArgs: request.customArgs,
    signals: request.signals,
    sealedParams: rendersAgain ? sealAgain(context, application.id, messageId, again) : null,
    hasCode: template.codeConfig !== null,
    otherRecipient: otherRecipient(resolved.chain, resolved.target),
    invalid: resolved.chain.find((step) => step.skip === 'target_invalid') ?? null,
    decision: null,
  };
}

/** Recipients of the public sandbox, and magic ones where they act, meet no rule of a target, so that parallel tests do not meet (contract §13). */
export function isExempt(application: Application, target: string): boolean {
  return application.sandbox === 'public' || (application.network === 'virtual' && isMagic(target));
}

/** Template over application over system. */
export function ruleOf(application: Application, template: SendTemplate): ResendRule {
  return { ...application.policy.resend_policy, ...template.resend };
}

/** The magic numbers of the sandbox are in no numbering plan: taken as they stand where they act, refused everywhere else. */
function addressesOf(application: Application, request: SendRequest): Addresses & { main: Address } {
  const main = request.to.includes('@') ? parseEmail(request.to, 'to') : phoneOf(application, request.to);
  const { email, phone } = request.alternateTo ?? {};
  return {
    main,
    phone: main.kind === 'phone' ? main : phone === undefined ? null : phoneOf(application, phone),
    email: main.kind === 'email' ? main : email === undefined ? null : parseEmail(email, 'alternate_to.email'),
  };
}

/** Throws 5011. */
export function phoneOf(application: Pick<Application, 'network'>, text: string): PhoneAddress {
  const bare = bareAddress(text);
  if (!isMagic(bare)) return parsePhone(text);
  if (application.network !== 'virtual') throw new ApiError(5011, 'Invalid phone number');
  return magicPhone(bare);
}

function shapeOf(
  application: Application,
  template: SendTemplate,
  request: SendRequest,
): { length: number; ttlSeconds: number } {
  const { codeConfig } = template;
  if (!codeConfig) return { length: 0, ttlSeconds: 0 };
  const allowed = application.policy.allow_overrides;
  if (request.ttlSeconds !== null && !allowed.includes('ttl_seconds'))
    throw refuse('override_not_allowed', 'ttl_seconds');
  if (request.codeLength !== null && !allowed.includes('code_length'))
    throw refuse('override_not_allowed', 'code_length');
  const shape = {
    length: request.codeLength ?? codeConfig.length,
    ttlSeconds: request.ttlSeconds ?? codeConfig.ttlMinutes * 60,
  };
  requireProfile(application, { ...shape, length: request.ownCode?.length ?? shape.length });
  return shape;
}

function scriptRefusal(refusal: NonNullable<Script['refuse']>): ApiError {
  const retryAfter = refusal.code === 3004 ? { retryAfter: 60 } : {};
  return new ApiError(refusal.code, refusal.message, {
    ...(refusal.reason && { reason: refusal.reason }),
    ...retryAfter,
  });
}

/** Callbacks echo custom_args and never carry the code. */
export const codeInArgs = (): ApiError => invalid([{ field: 'custom_args', problem: 'must not contain the code' }]);

function codeOf(
  context: MessagesContext,
  request: SendRequest,
  template: SendTemplate,
  length: number,
  known: string | null | undefined,
): string | null {
  if (!template.codeConfig) return null;
  if (request.kind !== 'otp') return request.ownCode;
  const echoed = new Set(Object.values(request.customArgs ?? {}));
  if (known && echoed.has(known)) throw codeInArgs();
  if (known) return known;
  for (;;) {
    const code = context.drawCode(template.codeConfig.type, length);
    if (!echoed.has(code)) return code;
  }
}

function verificationOf(
  context: MessagesContext,
  application: Application,
  {
    verificationId,
    code,
    codeType,
    rule,
    purpose,
  }: { verificationId: string; code: string; codeType: number; rule: ResendRule; purpose: string | null },
): VerificationRow {
  return {
    verificationId,
    codeHash: hashCode(context.keyring, verificationId, code, mixesCase(codeType)),
    codeType,
    keepCodes: keptCodes(rule),
    purpose,
    maxAttempts: application.policy.max_attempts,
  };
}

/** How many older codes stay valid beside a new one; null where no new code is made. */
export function keptCodes(rule: ResendRule): number | null {
  if (rule.mode === 'rotate') return 0;
  return rule.mode === 'rotate_with_grace' ? rule.n - 1 : null;
}
