/**
 * What an application is to the rooms that serve it, and its policy (contract §12): schema, ranges and defaults in one place.
 * Ground floor: any room may read it. Stored by accounts; precedence is template over application over these defaults.
 */
import { z } from 'zod';
import { ApiError, refuse } from './errors.ts';

export const resendModes = ['compat', 'rotate', 'reuse', 'rotate_with_grace'] as const;
/** ISO 3166 alpha-2. */
export const countryCode = z.string().regex(/^[A-Z]{2}$/, 'must be an ISO 3166 alpha-2 code');
const waits = z.int().min(5).max(600);

export const resendRuleSchema = z.object({
  mode: z.enum(resendModes).default('compat'),
  /** Codes that stay valid under rotate_with_grace. */
  n: z.int().min(1).max(5).default(2),
  /** Seconds between two sends to a target while its code lives. */
  resend_after: z.int().min(0).max(3600).default(30),
  max_sends: z.int().min(1).max(1000).default(10),
  window_seconds: z.int().min(1).max(86_400).default(3600),
});
export type ResendRule = z.infer<typeof resendRuleSchema>;

const limitDimensions = [
  'dial_code',
  'prefix',
  'target',
  'target_template',
  'ip',
  'device',
  'session',
  'key',
  'application',
] as const;

export const rateLimitSchema = z
  .object({
    /** Told in the headers of a refusal, so that callers know which one it was. */
    name: z.string().regex(/^[a-z0-9_]{1,40}$/, 'must be 1 to 40 of a-z, 0-9 and _'),
    on: z.enum(['send', 'check']).default('send'),
    /** What is counted. `prefix`: a number without its last four digits. A request that does not tell it is not counted. */
    per: z.enum(limitDimensions),
    limit: z.int().min(1).max(1_000_000),
    /** A sliding window. */
    window_seconds: z.int().min(10).max(86_400),
    /** Lets so many times the 95th percentile of the last week's days pass where that is more than `limit`. */
    growth: z.number().min(1).max(100).optional(),
    /** shadow: counted and shown, refuses nobody. */
    mode: z.enum(['enforce', 'shadow']).default('enforce'),
  })
  .refine(({ growth, per }) => growth === undefined || per === 'dial_code', {
    path: ['growth'],
    message: 'is known of dial_code alone',
  })
  .refine(({ on, per }) => on === 'send' || !['target', 'target_template', 'prefix', 'dial_code'].includes(per), {
    path: ['per'],
    message: 'checks are counted per ip, device, session, key and application; target_attempts counts them per target',
  });
export type RateLimit = z.infer<typeof rateLimitSchema>;

/** A limit per target, which the target's own row counts. */
export interface TargetLimit {
  policy: string;
  limit: number;
  windowSeconds: number;
  /** Counted and told, refuses nobody. */
  shadow: boolean;
}

export const rateLimitsSchema = z
  .array(rateLimitSchema)
  .max(30)
  .refine((limits) => new Set(limits.map(({ name }) => name)).size === limits.length, 'names must differ');

export const policySchema = z.object({
  profile: z.enum(['default', 'nist-800-63b']).default('default'),
  resend_policy: resendRuleSchema.prefault({}),
  /** Wrong codes per verification. */
  max_attempts: z.int().min(1).max(10).default(5),
  /** Wrong codes per target within target_window_seconds, over all codes. */
  target_attempts: z.int().min(1).max(100).default(10),
  target_window_seconds: z.int().min(60).max(86_400).default(3600),
  /** The highest chance per day that guessing takes over one target; what would exceed it is refused. Null: none. */
  guess_ceiling: z.number().min(0).max(1).nullable().default(null),
  allow_overrides: z.array(z.enum(['ttl_seconds', 'code_length'])).default([]),
  number_check: z.enum(['lenient', 'strict']).default('lenient'),
  countries: z
    .object({
      mode: z.enum(['all', 'allow', 'deny']).default('all'),
      list: z.array(countryCode).default([]),
      /** Sends there pass, and are marked in their decision report. */
      monitor: z.array(countryCode).max(250).default([]),
    })
    .prefault({}),
  china_permission: z.boolean().default(true),
  fallback_wait_seconds: z
    .object({
      whatsapp: waits.default(20),
      sms: waits.default(30),
      voice: waits.default(60),
      email: waits.default(120),
    })
    .prefault({}),
  template_review: z.enum(['manual', 'auto']).default('manual'),
  /** Sends and checks per address, device, prefix and so on. Null: the defaults of a live application; none on the virtual network. */
  limits: rateLimitsSchema.nullable().default(null),
  /** Requests per 60 s and key. */
  request_rate: z.int().min(1).max(10_000_000).default(6000),
  retention_days: z.int().min(1).max(3650).default(30),
});
export type Policy = z.infer<typeof policySchema>;

export interface Application {
  id: string;
  organizationId: string;
  name: string;
  /** virtual: messages go to the handsets of the virtual phone network. live: to configured providers. */
  network: 'virtual' | 'live';
  /** public: behind the public sandbox credentials; key: a sandbox API key's own; none: everything else. */
  sandbox: 'none' | 'key' | 'public';
  policy: Policy;
}

export const permissionNames = ['send', 'verify', 'templates', 'read', 'callbacks:read', 'callbacks:write'] as const;
export type Permission = (typeof permissionNames)[number];

/** Who is calling, as authenticated before an operation runs. */
export interface Caller {
  keyId: string;
  devKey: string;
  permissions: ReadonlySet<Permission>;
  application: Application;
  /** Of a key of kind agent; null for all others. */
  agent: AgentStanding | null;
  /** Its own, beside those of the application. */
  limits: readonly RateLimit[];
}

/** What a key of kind agent may do: set by the operator, so that the program behind it controls nothing that costs money. */
export interface AgentTerms {
  /** test: only while the application is on the virtual network. */
  mode: 'test' | 'live';
  /** ISO 3166 alpha-2; e-mail is in none. */
  countries: readonly string[];
  /** E.164 or e-mail, in the form of a message's recipient. */
  recipients: readonly string[];
  perRecipientPerDay: number;
  sendsPerDay: number;
  /** Millionths of the installation's currency; 0: nothing may be spent. */
  spendPerDayMicros: number;
  /** Whether it may send live over MCP without a person confirming each send. */
  unattended: boolean;
}

/** none: nobody has been asked. The other ones are about the terms as they are: wider ones begin anew. */
export const approvals = ['none', 'pending', 'approved', 'refused'] as const;
export type Approval = (typeof approvals)[number];

/** Its terms, and whether an operator lets it send to real people on them. */
export interface AgentStanding extends AgentTerms {
  approval: Approval;
}

/** The send of an agent's key that was refused until an operator has seen it, as it is shown. */
export interface ApprovalAsk {
  keyId: string;
  /** operationId */
  operation: string;
  /** Masked. */
  recipient: string;
  recipients: number;
  templateId: string;
  /** Those that are left, in order, with what a hand-over by each is estimated to cost. */
  channels: readonly { channel: string; micros: number }[];
  /** ISO 4217 */
  currency: string;
  /** As the program names itself. */
  client: string | null;
  requestId: string | null;
}

/** Whether a send of the key has to wait for an operator. */
export const awaitsApproval = (agent: AgentStanding, { network }: Pick<Application, 'network'>): boolean =>
  network === 'live' && agent.approval !== 'approved';

/**
 * Whether such a key may send to this address at all; for each address that a send may go to. 2004 for a test key before real
 * people, 3003 for a destination that is not on its list. On the virtual network, where nothing leaves, no list means everywhere.
 */
export function requireAgentMaySend(
  { mode, countries, recipients }: AgentTerms,
  { network, to, country }: { network: Application['network']; to: string; country: string | null },
): void {
  if (network === 'live' && mode === 'test')
    throw new ApiError(2004, 'this agent key is in test mode and may not send to real recipients');
  if (network === 'virtual' && countries.length === 0 && recipients.length === 0) return;
  if (recipients.includes(to) || (country !== null && countries.includes(country))) return;
  throw refuse('destination_not_allowed');
}

/** Whether sends to the country are to be marked; they pass. */
export const isMonitored = ({ countries }: Policy, country: string | null): boolean =>
  country !== null && countries.monitor.includes(country);
