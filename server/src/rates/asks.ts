/** Which limits one send or check meets, and what each of them counts; pure. */
import type { AgentTerms, Application, RateLimit, TargetLimit } from '../policy.ts';

/** One limit asking one counter for one more. */
export interface RateAsk {
  policy: string;
  /** `<send|check>:<dimension>:<value>`; limits with other windows share it. */
  counter: string;
  limit: number;
  windowSeconds: number;
  /** What is counted within so many seconds is kept as one entry, which ends with them; 0 keeps every moment. */
  grainSeconds: number;
  /** The longest window of the limits on this counter. */
  keepSeconds: number;
  shadow: boolean;
}

/** What is known about who asks. Null: not told, and no limit on it applies. */
export interface RateSubject {
  keyId: string | null;
  /** The key's own limits: what it asks for itself is counted, beside the limits of the application. */
  keyLimits: readonly RateLimit[];
  /** Of a key of kind agent. */
  agent: AgentTerms | null;
  /** Normalised, each once: the one named and where else steps go, whatever is sent. */
  recipients: readonly string[];
  ip: string | null;
  deviceId: string | null;
  sessionId: string | null;
  /** The normalised recipient; null where what is sent to one is nobody's business (texts without a code). */
  target: string | null;
  templateId: string | null;
  /** A number without its last four digits. */
  prefix: string | null;
  callingCode: string | null;
}

/**
 * In force where an application on the live network sets no `limits`. Sends: upstreams.md §13, our defaults. Checks: a person
 * enters a handful of codes an hour; sixty from one address are a guesser or a proxy of thousands, thirty from one device a guesser.
 */
export const liveLimits: readonly RateLimit[] = [
  { name: 'send_target_10m', on: 'send', per: 'target', limit: 3, window_seconds: 600, mode: 'enforce' },
  { name: 'send_target_1h', on: 'send', per: 'target', limit: 5, window_seconds: 3_600, mode: 'enforce' },
  { name: 'send_target_1d', on: 'send', per: 'target', limit: 10, window_seconds: 86_400, mode: 'enforce' },
  { name: 'send_ip_1h', on: 'send', per: 'ip', limit: 10, window_seconds: 3_600, mode: 'enforce' },
  { name: 'send_device_1h', on: 'send', per: 'device', limit: 5, window_seconds: 3_600, mode: 'enforce' },
  { name: 'send_prefix_1h', on: 'send', per: 'prefix', limit: 20, window_seconds: 3_600, mode: 'enforce' },
  {
    name: 'send_dial_code_1d',
    on: 'send',
    per: 'dial_code',
    limit: 50,
    window_seconds: 86_400,
    growth: 3,
    mode: 'enforce',
  },
  { name: 'check_ip_1h', on: 'check', per: 'ip', limit: 60, window_seconds: 3_600, mode: 'enforce' },
  { name: 'check_device_1h', on: 'check', per: 'device', limit: 30, window_seconds: 3_600, mode: 'enforce' },
];

/** The application's own, or the defaults of its network. */
export const limitsOf = ({ network, policy }: Pick<Application, 'network' | 'policy'>): readonly RateLimit[] =>
  policy.limits ?? (network === 'live' ? liveLimits : []);

/** What a dialling code's day is measured by. */
export interface PastDays {
  /** 95th percentile of the sends of the last seven days. */
  p95: number;
  /** Whether the application has been sending for a week; before, nothing is known to measure by and nobody is refused. */
  known: boolean;
}

/** At most one entry per minute of an hour: what allows more than a hundred is counted by spans, ends late and so errs toward refusing. */
const spans = 60;
const exactUpTo = 100;

export function rateAsks(
  limits: readonly RateLimit[],
  on: RateLimit['on'],
  subject: RateSubject,
  past: (callingCode: string) => PastDays,
): RateAsk[] {
  const ofAll = limits.map((limit) => ({ limit, by: '' }));
  const ofKey = subject.keyLimits.map((limit) => ({ limit, by: ` by ${subject.keyId}` }));
  const asks = [...ofAll, ...ofKey].flatMap(({ limit, by }): RateAsk[] => {
    // Of the application's, the target's own row counts those.
    const counted = limit.on === on && (limit.per !== 'target' || by !== '');
    const value = counted ? valueFor(limit.per, subject) : null;
    if (value === null) return [];
    const days = limit.growth === undefined ? null : past(subject.callingCode ?? '');
    const allowed = Math.max(limit.limit, Math.ceil((limit.growth ?? 0) * (days?.p95 ?? 0)));
    const shadow = limit.mode === 'shadow' || days?.known === false;
    const grainSeconds = shadow || allowed > exactUpTo ? Math.max(1, Math.floor(limit.window_seconds / spans)) : 0;
    return [
      {
        policy: limit.name,
        counter: `${on}:${limit.per}:${value}${by}`,
        limit: allowed,
        windowSeconds: limit.window_seconds,
        grainSeconds,
        keepSeconds: limit.window_seconds,
        shadow,
      },
    ];
  });
  const longest = (counter: string): number =>
    Math.max(...asks.filter((ask) => ask.counter === counter).map(({ windowSeconds }) => windowSeconds));
  return asks.map((ask) => ({ ...ask, keepSeconds: longest(ask.counter) }));
}

function valueFor(per: RateLimit['per'], subject: RateSubject): string | null {
  switch (per) {
    case 'target':
      return subject.target;
    case 'target_template':
      return subject.target === null || subject.templateId === null ? null : `${subject.templateId} ${subject.target}`;
    case 'ip':
      return subject.ip;
    case 'device':
      return subject.deviceId;
    case 'session':
      return subject.sessionId;
    case 'prefix':
      return subject.prefix;
    case 'dial_code':
      return subject.callingCode;
    case 'key':
      return subject.keyId;
    case 'application':
      return '';
  }
}

export const targetLimits = (limits: readonly RateLimit[], { target }: Pick<RateSubject, 'target'>): TargetLimit[] =>
  limits.flatMap(({ name, on, per, limit, window_seconds: windowSeconds, mode }) =>
    on === 'send' && per === 'target' && target !== null
      ? [{ policy: name, limit, windowSeconds, shadow: mode === 'shadow' }]
      : [],
  );

const day = 86_400;

/** What the terms of an agent's key let it send to real people. */
export function agentAsks(
  { network }: Pick<Application, 'network'>,
  { keyId, agent, recipients }: RateSubject,
): RateAsk[] {
  if (agent === null || keyId === null || network !== 'live') return [];
  const ask = (policy: string, counter: string, limit: number): RateAsk => ({
    ...{ policy, counter, limit, windowSeconds: day, keepSeconds: day, shadow: false },
    grainSeconds: limit > exactUpTo ? day / spans : 0,
  });
  return [
    ask('agent_sends_1d', `send:agent:${keyId}`, agent.sendsPerDay),
    ...recipients.map((to) =>
      ask('agent_recipient_1d', `send:agent_recipient:${keyId} ${to}`, agent.perRecipientPerDay),
    ),
  ];
}
