/**
 * What a mail server's answer means, as data: reply codes (RFC 5321), enhanced status codes (RFC 3463, 5248) and what the large
 * hosts make of them. The first rule that fits counts; the operator's code_map comes before all. Reports use the same table.
 */
import type { Reason } from '../outcome.ts';

/** At what the server answered; `report` is a delivery status notification that came later. */
export type Phase = 'greeting' | 'starttls' | 'login' | 'sender' | 'recipient' | 'message' | 'report';

export interface Answer {
  phase: Phase;
  /** 550; null in a report that names none. */
  code: number | null;
  /** 5.1.1, where the server gives one. */
  status: string | null;
}

export interface Meaning {
  reason: Reason;
  temporary: boolean;
  /** Completes "host answered 550 5.1.1: …". */
  remedy: string;
  retryAfterMs?: number;
  /** No rule knew it. */
  unmapped?: true;
}

interface Rule {
  /** Of code, or of status, or of both; all that are given must fit. */
  code?: RegExp;
  status?: RegExp;
  phase?: readonly Phase[];
  reason: Reason;
  remedy: string;
}

const greylistedMs = 60_000;

const says = {
  login:
    'the relay refuses this user: check username and password, whether SMTP login is switched on for the account, and whether it wants an app password or a token',
  noLogin: 'the relay knows no such login here: check port and security, or leave out the username',
  noTls: 'the relay offers no STARTTLS here: set security to tls with port 465, or correct the port',
  refusesUs: 'the relay refuses connections from this host: have its address allowed there, or correct host and port',
  sender: 'the relay does not send for this sender: check from and bounce_domain, and that the account may use them',
  nobody: 'there is no such mailbox',
  moved: 'the mailbox cannot be reached at present',
  full: 'the mailbox is full',
  size: 'the mail is too large or of a kind the server does not take: shorten the template',
  content: 'the server refuses the content: change the template',
  policy:
    'the server refuses the mail by policy: check SPF, DKIM and DMARC of the sender domain and the standing of the relay',
  dkim: 'no valid DKIM signature was found: check dkim_selector, dkim_private_key and the public key in the DNS',
  spf: 'the SPF record of the sender domain does not allow the relay: add it',
  reverse: 'the address of the relay has no matching name in the DNS: have its PTR record set',
  alignment: 'the mail passes neither SPF nor DKIM for the sender domain: set up both, and DMARC',
  utf8: 'a server on the way does not take addresses outside ASCII (SMTPUTF8)',
  syntax: 'the server does not understand the command: check that host is a mail submission server',
  expired: 'the server gave up trying',
  later: 'the server takes no mail at present',
  grey: 'the server wants to see the mail again later (greylisting or a limit)',
} as const;

/** Where the relay itself speaks. What comes back in a report may be a stranger's word, and never shuts the provider. */
const live: readonly Phase[] = ['greeting', 'starttls', 'login', 'sender', 'recipient', 'message'];

const permanent: readonly Rule[] = [
  { phase: ['greeting'], reason: 'config', remedy: says.refusesUs },
  { phase: ['starttls'], reason: 'config', remedy: says.noTls },
  { phase: ['login'], code: /^50/, reason: 'config', remedy: says.noLogin },
  { phase: ['login'], reason: 'credentials', remedy: says.login },
  { phase: live, code: /^53[0458]$/, reason: 'credentials', remedy: says.login },
  { phase: live, status: /^5\.7\.(8|9|11|57)$/, reason: 'credentials', remedy: says.login },
  { status: /^5\.(1\.[78]|7\.(27|60))$/, reason: 'sender_invalid', remedy: says.sender },
  { phase: ['sender'], code: /^552$/, reason: 'content_rejected', remedy: says.size },
  { phase: ['sender'], code: /^5(00|02|04|55)$/, reason: 'config', remedy: says.syntax },
  { phase: ['sender'], status: /^5\.(3\.4|6)/, reason: 'content_rejected', remedy: says.content },
  { phase: ['sender'], reason: 'sender_invalid', remedy: says.sender },
  { status: /^5\.(1|2\.1$|4\.4$)/, reason: 'number_invalid', remedy: says.nobody },
  { status: /^5\.2\.2$/, reason: 'unreachable', remedy: says.full },
  { status: /^5\.(2\.3|3\.4)$/, reason: 'content_rejected', remedy: says.size },
  { status: /^5\.4\.7$/, reason: 'expired', remedy: says.expired },
  { status: /^5\.[234]\.[1-9]/, reason: 'unreachable', remedy: says.moved },
  { status: /^5\.6\.7$/, reason: 'not_on_channel', remedy: says.utf8 },
  { status: /^5\.6\./, reason: 'content_rejected', remedy: says.content },
  { status: /^5\.7\.2[0-2]$/, reason: 'carrier_filtered', remedy: says.dkim },
  { status: /^5\.7\.2[34]$/, reason: 'carrier_filtered', remedy: says.spf },
  { status: /^5\.7\.25$/, reason: 'carrier_filtered', remedy: says.reverse },
  { status: /^5\.7\.26$/, reason: 'carrier_filtered', remedy: says.alignment },
  { status: /^5\.7\./, reason: 'carrier_filtered', remedy: says.policy },
  { phase: ['recipient', 'report'], code: /^55[0136]$|^50[0-4]$/, reason: 'number_invalid', remedy: says.nobody },
  { phase: ['recipient'], code: /^552$/, reason: 'unreachable', remedy: says.full },
  { code: /^552$/, reason: 'content_rejected', remedy: says.size },
  { code: /^5(50|54|71)$/, reason: 'carrier_filtered', remedy: says.policy },
  { phase: ['recipient', 'report'], code: /^555$/, reason: 'carrier_filtered', remedy: says.syntax },
  { phase: ['message'], code: /^50[0-4]$|^555$/, reason: 'config', remedy: says.syntax },
  { phase: ['report'], reason: 'unreachable', remedy: says.moved },
];

const passing: readonly Rule[] = [
  { phase: ['login', 'starttls'], reason: 'upstream_error', remedy: says.later },
  { code: /^45[45]$/, reason: 'upstream_error', remedy: says.later },
  { status: /^4\.[24]\./, reason: 'unreachable', remedy: says.moved },
  { code: /^45[01]$/, reason: 'throttled', remedy: says.grey },
  { code: /^4(21|5\d)$/, reason: 'throttled', remedy: says.later },
];

/** A report says "failed" of what could pass as well: then the server has given up. */
const givenUp: readonly Rule[] = [
  { status: /^4\.4\.7$/, reason: 'expired', remedy: says.expired },
  { status: /^4\.7\./, reason: 'carrier_filtered', remedy: says.policy },
  { status: /^4\.2\.2$/, reason: 'unreachable', remedy: says.full },
  { reason: 'unreachable', remedy: says.moved },
];

export type CodeMap = Readonly<Record<string, { reason: Reason; temporary: boolean }>>;

/** Never throws: what nobody has heard of may pass. */
export function meaningOf(answer: Answer, codeMap: CodeMap = {}): Meaning {
  const own = codeMap[answer.status ?? ''] ?? codeMap[String(answer.code)];
  if (own) return { ...own, remedy: 'see code_map' };
  const isPermanent = classOf(answer) === 5;
  const rules = isPermanent ? permanent : answer.phase === 'report' ? givenUp : passing;
  const rule = rules.find((one) => fits(one, answer));
  if (!rule) return { reason: 'upstream_error', temporary: true, remedy: says.later, unmapped: true };
  const waits = !isPermanent && /^45[01]$/.test(String(answer.code)) && /^(recipient|message)$/.test(answer.phase);
  return {
    reason: rule.reason,
    temporary: !isPermanent && answer.phase !== 'report',
    remedy: rule.remedy,
    ...(waits && { retryAfterMs: greylistedMs }),
  };
}

/** The reply code decides; servers have been seen to contradict it in the status. 503 tells of the session, not of the mail. */
function classOf({ code, status }: Answer): number {
  if (code === 503) return 4;
  return code === null ? Number(status?.[0]) : Math.trunc(code / 100);
}

const fits = (rule: Rule, { phase, code, status }: Answer): boolean =>
  (rule.phase?.includes(phase) ?? true) &&
  (rule.code?.test(String(code)) ?? true) &&
  (rule.status?.test(status ?? '') ?? true);

/** "550 5.1.1", for sentences; never the server's own words, which quote addresses. */
export const nameOf = ({ code, status }: Answer): string => [code, status].filter((part) => part !== null).join(' ');
