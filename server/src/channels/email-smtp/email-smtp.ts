/**
 * E-mail through any SMTP relay. The library keeps connections open, encodes and signs; this file decides what a failure means.
 * A relay's yes is acceptance and never delivery: only a report that came back to bounce-listener.ts tells more.
 */
import { createTransport } from 'nodemailer';
import DKIM from 'nodemailer/lib/dkim';
import type { MailMessage } from 'nodemailer/lib/mailer';
import type { SMTPPoolOptions } from 'nodemailer/lib/smtp-pool';
import type { Adapter, OutgoingMessage, Ports, Upstream } from '../contract.ts';
import { type Refused, refusedForGood, refusedForNow, type SendOutcome, unknown } from '../outcome.ts';
import { createTokenSource, type TokenSource } from './access-token.ts';
import { openBounceListener } from './bounce-listener.ts';
import { createUtf8Probe } from './capabilities.ts';
import { outcomeOfFailure } from './failure.ts';
import { markHandOver } from './handle.ts';
import { composeMail, type Mail } from './mail.ts';
import { type Settings, settings } from './settings.ts';

/** DNS, connection, greeting and TLS together: below the engine's 10 s, so that the cause is told. */
const setUpMs = 8_000;
/** The engine has moved on by then; this ends what it does not. */
const answerMs = 60_000;

export const emailSmtp: Adapter<Settings> = {
  id: 'email-smtp',
  title: 'E-mail (SMTP)',
  channels: ['email'],
  settings,
  limits: { maxConcurrency: 50, idempotent: false },
  open: openRelay,
};

async function openRelay(given: Settings, ports: Ports): Promise<Upstream> {
  const token = createTokenSource(given, ports.outbound);
  const options = poolOptions(given, token);
  const transport = createTransport({ ...options, pool: true });
  // What fails belongs to a hand-over, which is told; the pool says some of it here again.
  transport.on('error', () => undefined);
  /** Hand-overs whose mail was read to its end, by their signal: its final dot may be out. */
  const left = new WeakSet<AbortSignal>();
  transport.use('stream', (mail, done) => {
    const { signal } = mail.data;
    sign(given, mail);
    mail.message.processFunc((input) => input.once('end', () => signal && left.add(signal)));
    done();
  });
  const offersUtf8 = createUtf8Probe(options);
  const closing = new AbortController();
  const listener = await openBounceListener(given, ports);
  const about = {
    host: given.host,
    codeMap: given.code_map,
    onUnmapped: (upstreamCode: string) => ports.log.warn({ upstreamCode }, 'unmapped code'),
  };

  async function send(message: OutgoingMessage, signal: AbortSignal): Promise<SendOutcome> {
    const marks = markHandOver(ports.sign, message.reference);
    const mail = composeMail(given, message, marks);
    if (isRefused(mail)) return mail;
    const over = AbortSignal.any([signal, closing.signal]);
    try {
      if (mail.needsUtf8 && !(await offersUtf8(over))) return noUtf8(given.host);
      await transport.sendMail({ ...mail.options, signal: over });
      return { kind: 'accepted', upstreamId: marks.upstreamId };
    } catch (error) {
      if (closing.signal.aborted) return unknown('the provider was closed');
      if (!over.aborted) return failed(error, left.has(over));
      if (left.has(over)) return unknown(`no answer of ${given.host} to the whole mail in time`);
      return refusedForNow(
        'upstream_error',
        `${given.host} did not take the mail in time: check the load of the relay`,
      );
    }
  }

  function failed(error: unknown, hasLeft: boolean): SendOutcome {
    const outcome = outcomeOfFailure(error, { ...about, left: hasLeft });
    if (outcome.kind === 'refused' && outcome.reason === 'credentials') token?.forget();
    return outcome;
  }

  return {
    send,
    async close() {
      // In this order the pool sets no more timers.
      transport.close();
      closing.abort();
      await listener.close();
    },
  };
}

const isRefused = (mail: Mail | Refused): mail is Refused => 'kind' in mail;

/** Not `config`: one such address must not close the provider to everybody. Another relay may do it. */
const noUtf8 = (host: string): Refused =>
  refusedForGood(
    'carrier_filtered',
    `${host} does not offer SMTPUTF8, which this address needs: use a relay that does`,
    { errorCode: 5020 },
  );

/** Here and not by the library's own option: what is counted as left must have passed the signature. */
function sign(settings: Settings, mail: MailMessage): void {
  const { dkim_domain: domainName, dkim_selector: keySelector, dkim_private_key: privateKey } = settings;
  if (domainName === undefined || keySelector === undefined || privateKey === undefined) return;
  const dkim = new DKIM({ domainName, keySelector, privateKey });
  mail.message.processFunc((input) => dkim.sign(input));
}

function poolOptions(settings: Settings, token: TokenSource | null): SMTPPoolOptions {
  const { host, port, security, ca, ehlo_name: name, username: user, password: pass } = settings;
  return {
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    tls: { minVersion: 'TLSv1.2', ...(ca !== undefined && { ca }) },
    ...(name !== undefined && { name }),
    ...(user !== undefined && { auth: token ? tokenLogin(user, token) : { user, pass }, forceAuth: true }),
    maxConnections: settings.max_connections,
    connectionTimeout: setUpMs,
    greetingTimeout: setUpMs,
    dnsTimeout: setUpMs,
    socketTimeout: answerMs,
    socketCloseTimeout: 0,
    logger: false,
  };
}

function tokenLogin(user: string, token: TokenSource): NonNullable<SMTPPoolOptions['auth']> {
  return {
    type: 'OAuth2',
    user,
    provisionCallback: (_user, renew, done) => {
      token.get(renew).then(
        (accessToken) => done(null, accessToken),
        (error: Error) => done(error),
      );
    },
  };
}
