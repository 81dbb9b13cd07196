/**
 * What became of a hand-over that failed, from the library's error: an answer of the server is read by the table; without one
 * it depends on whether the end of the mail had left. Sentences name the remedy and quote codes only, never the server's words.
 */
import { type Refused, refusedForGood, refusedForNow, type Unknown, unknown } from '../outcome.ts';
import { type Answer, type CodeMap, type Meaning, meaningOf, nameOf, type Phase } from './answers.ts';

export interface Circumstances {
  host: string;
  /** The end of the mail may have reached the server. */
  left: boolean;
  codeMap: CodeMap | undefined;
  onUnmapped(code: string): void;
}

/** What the library tells of a failure. */
interface Failure {
  code?: string;
  originalCode?: string;
  command?: string;
  response?: string;
  responseCode?: number;
  timeoutType?: string;
  message?: string;
}

/** Thrown where a token for the login is had: already an outcome. */
export class NoToken extends Error {
  readonly outcome: Refused;

  constructor(outcome: Refused) {
    super('no access token');
    this.outcome = outcome;
  }
}

export function outcomeOfFailure(error: unknown, about: Circumstances): Refused | Unknown {
  if (error instanceof NoToken) return error.outcome;
  const failure = error as Failure;
  const answer = answerOf(failure, about.left);
  if (answer) return ofAnswer(answer, about);
  if (about.left) return unknown(`the connection to ${about.host} was lost after the whole mail, before its answer`);
  if (failure.code === 'EMESSAGE')
    return refusedForGood('content_rejected', `the mail is larger than ${about.host} takes: shorten the template`);
  const code = codeOf(failure);
  if (code.startsWith('ERR_INVALID') || failure.code === undefined)
    return refusedForNow('upstream_error', `the mail could not be handed to ${about.host} (${code})`);
  return refusedForNow('upstream_error', `${about.host} ${explain(failure, code)} (${code})`);
}

function ofAnswer(answer: Answer, { host, codeMap, onUnmapped }: Circumstances): Refused {
  const meaning: Meaning = meaningOf(answer, codeMap);
  if (meaning.unmapped) onUnmapped(nameOf(answer));
  const { reason, temporary, remedy, retryAfterMs } = meaning;
  const detail = `${host} answered ${nameOf(answer)}: ${remedy}`;
  if (!temporary) return refusedForGood(reason, detail);
  return refusedForNow(reason, detail, retryAfterMs === undefined ? {} : { retryAfterMs });
}

/** Null where the server refused nothing: no answer, or one that is no refusal. */
function answerOf({ command = '', response = '', responseCode }: Failure, left: boolean): Answer | null {
  if (responseCode === undefined || responseCode < 400 || responseCode > 599) return null;
  const status = /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1] ?? null;
  return { phase: left ? 'message' : phaseOf(command), code: responseCode, status };
}

function phaseOf(command: string): Phase {
  if (command.startsWith('AUTH')) return 'login';
  if (command === 'STARTTLS') return 'starttls';
  if (command === 'MAIL FROM') return 'sender';
  if (command === 'RCPT TO') return 'recipient';
  return command === 'DATA' ? 'message' : 'greeting';
}

const codeOf = ({ originalCode, timeoutType, code, message = '' }: Failure): string =>
  originalCode ??
  timeoutType ??
  (/\b(ENOTFOUND|EAI_AGAIN|ENODATA|ESERVFAIL)\b/.exec(message)?.[0] || code || 'no reason given');

/** What is wrong with a connection, and what to look at. */
function explain({ code, command }: Failure, cause: string): string {
  if (code === 'EDNS') return 'has no address: check the host in the settings and the DNS';
  if (/ALTNAME/.test(cause)) return 'shows a certificate of another name: set host to the name the certificate is for';
  if (/EXPIRED|NOT_YET_VALID/.test(cause))
    return 'shows a certificate that is not valid now: have it renewed, check the clock';
  if (/CERT|SELF_SIGNED|VERIFY|ISSUER/.test(cause))
    return 'shows a certificate that is not trusted: give the certificate of its authority in ca, or correct the host';
  if (code === 'EPROTOCOL') return 'does not speak SMTP: check host and port in the settings';
  if (/SSL|TLS|UPGRADE/.test(cause) || cause === 'EPROTO')
    return 'does not speak TLS as expected: security starttls goes with port 587, tls with port 465';
  if (cause === 'ECONNREFUSED') return 'refuses connections: check host and port in the settings';
  if (cause === 'GREETING_TIMEOUT')
    return 'does not greet: security tls goes with port 465, starttls with port 587; or it is overloaded';
  if (cause === 'CONNECT_TIMEOUT' || /UNREACH/.test(cause))
    return 'cannot be reached: check host and port, and that the network lets mail out (many block ports 25, 465 and 587)';
  if (command === 'API' || code === 'ECONNECTION' || cause === 'ECONNRESET' || cause === 'EPIPE')
    return 'closed the connection before it took the mail: if this stays, have this host allowed there';
  return 'cannot be reached: check the network, then host and port in the settings';
}
