/**
 * A real SMTP relay on 127.0.0.1 that reads mail strictly and misbehaves on demand, by the local part of the recipient; and the
 * mail servers behind it, which bring delivery status notifications back over SMTP. The certificate is for tests only.
 */
import { readFileSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { createTransport } from 'nodemailer';
import PostalMime from 'postal-mime';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';
import { createLog } from '../../platform/log.ts';
import { openTestPorts, type TestPorts } from '../../testing/upstream-ports.ts';
import type { OutgoingMessage, Ports, Upstream } from '../contract.ts';
import type { SendOutcome } from '../outcome.ts';
import { emailSmtp } from './email-smtp.ts';

const pem = (name: string): string => readFileSync(join(import.meta.dirname, `test-only-${name}.pem`), 'utf8');
/** Of relay.test and 127.0.0.1; signed by itself. */
export const certificate = pem('certificate');

export interface Taken {
  /** As said in MAIL FROM and RCPT TO. */
  from: string;
  to: string;
  envid: string | null;
  ret: string | null;
  notify: readonly string[];
  utf8: boolean;
  user: string | null;
  raw: Buffer;
}

/** What happens to mail for a local part (from it, at `sender`): a reply, or a connection that goes wrong. */
type Behaviour =
  | { at: 'sender' | 'recipient' | 'message'; reply: string }
  | 'drop at recipient'
  | 'drop within the mail'
  | 'drop after the dot'
  | 'hang at recipient'
  | 'hang after the dot'
  | 'report twice';

export interface RelayOptions {
  tls?: 'starttls' | 'tls' | 'none';
  /** Who may sign in; a token where the password begins with "token:". */
  login?: { user: string; password: string; methods?: string[] };
  behaviours?: Record<string, Behaviour>;
  /** Instead of the greeting. */
  greeting?: string;
  server?: SMTPServerOptions;
}

export interface Relay {
  port: number;
  taken: Taken[];
  /** What was said to it unencrypted, byte for byte. */
  heard(): string;
  /** Connections made so far. */
  connections(): number;
  /** Closes what is open, as relays do with idle connections. */
  dropConnections(): void;
  /** Resolves when a hanging hand-over has come, once for each. */
  whenHanging(): Promise<void>;
  close(): Promise<void>;
}

const fault = (reply: string): Error =>
  Object.assign(new Error(reply.slice(4)), { responseCode: Number(reply.slice(0, 3)) });

export async function openRelay(options: RelayOptions = {}): Promise<Relay> {
  const { tls = 'none', login, behaviours = {}, greeting } = options;
  const taken: Taken[] = [];
  const sockets = new Map<number, Socket>();
  const heard: Buffer[] = [];
  let connections = 0;
  let hanging = Promise.withResolvers<void>();
  const behaviourFor = (address: string): Behaviour | undefined =>
    behaviours[address.slice(0, address.lastIndexOf('@'))];
  const drop = ({ remotePort }: SMTPServerSession): void => void sockets.get(remotePort)?.destroy();

  const server = new SMTPServer({
    secure: tls === 'tls',
    key: pem('key'),
    cert: certificate,
    disabledCommands: [...(tls === 'starttls' ? [] : ['STARTTLS']), ...(login ? [] : ['AUTH'])],
    authMethods: login?.methods ?? ['PLAIN', 'LOGIN', 'XOAUTH2'],
    hideDSN: false,
    disableReverseLookup: true,
    closeTimeout: 1,
    logger: false,
    ...options.server,
    onConnect: (_session, done) => done(greeting === undefined ? null : fault(greeting)),
    onAuth({ username, password, accessToken }, _session, done) {
      const given = accessToken === undefined ? password : `token:${accessToken}`;
      if (username === login?.user && given === login?.password) done(null, { user: username });
      else if (accessToken === undefined) done(fault('535 5.7.8 authentication credentials invalid'));
      else done(null, { data: { status: '401', schemes: 'bearer' } });
    },
    onMailFrom({ address }, _session, done) {
      const behaviour = behaviourFor(address);
      done(typeof behaviour === 'object' && behaviour.at === 'sender' ? fault(behaviour.reply) : null);
    },
    onRcptTo({ address }, session, done) {
      const behaviour = behaviourFor(address);
      if (behaviour === 'drop at recipient') drop(session);
      else if (behaviour === 'hang at recipient') hanging.resolve();
      else done(typeof behaviour === 'object' && behaviour.at === 'recipient' ? fault(behaviour.reply) : null);
    },
    onData(stream, session, done) {
      const behaviour = behaviourFor(session.envelope.rcptTo[0]?.address ?? '');
      if (behaviour === 'drop within the mail') stream.once('data', () => drop(session));
      takeMail(stream, session).then(
        (mail) => {
          if (behaviour === 'drop after the dot') drop(session);
          else if (behaviour === 'hang after the dot') hanging.resolve();
          else if (typeof behaviour === 'object') done(fault(behaviour.reply));
          else done(null, `2.0.0 queued as ${taken.push(mail)}`);
        },
        (error: Error) => done(error),
      );
    },
  });
  server.on('error', () => undefined);
  server.server.on('connection', (socket: Socket) => {
    connections++;
    socket.on('data', (bytes) => heard.push(bytes));
    const { remotePort = 0 } = socket;
    sockets.set(remotePort, socket);
    socket.once('close', () => sockets.delete(remotePort));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    taken,
    heard: () => Buffer.concat(heard).toString(),
    connections: () => connections,
    dropConnections() {
      for (const socket of sockets.values()) socket.destroy();
    },
    async whenHanging() {
      await hanging.promise;
      hanging = Promise.withResolvers<void>();
    },
    async close() {
      for (const socket of sockets.values()) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Reads as the strictest servers do: no bare line ends, no long lines, and the headers every mail needs, once. */
async function takeMail(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<Taken> {
  const raw = await buffer(stream);
  const text = raw.toString('latin1');
  if (/(^|[^\r])\n|\r(?!\n)/.test(text)) throw fault('554 5.6.0 bare line ends');
  if (text.split('\r\n').some((line) => line.length > 998)) throw fault('554 5.6.0 a line is too long');
  const { headers } = await PostalMime.parse(raw);
  for (const name of ['from', 'to', 'subject', 'date', 'message-id', 'mime-version']) {
    if (headers.filter(({ key }) => key === name).length !== 1) throw fault(`554 5.6.0 ${name} is missing or repeated`);
  }
  const { mailFrom, rcptTo, dsn, smtpUtf8 } = session.envelope;
  const [to] = rcptTo;
  if (!mailFrom || !to) throw fault('503 5.5.1 no envelope');
  return {
    from: mailFrom.address,
    to: to.address,
    envid: dsn?.envid ?? null,
    ret: dsn?.ret ?? null,
    notify: to.dsn?.notify ?? [],
    utf8: smtpUtf8 === true,
    user: typeof session.user === 'string' ? session.user : null,
    raw,
  };
}

export interface Sender {
  upstream: Upstream;
  ports: TestPorts;
  /** Hands over to an address; the reference is the same for the same number. */
  send(to: string, more?: Partial<OutgoingMessage>, signal?: AbortSignal): Promise<SendOutcome>;
  /** What was logged, as text. */
  logged(): string;
  close(): Promise<void>;
}

const code = '482913';

/** The adapter opened with settings for the relay. */
export async function openSender(
  relay: Pick<Relay, 'port'>,
  settings: Record<string, unknown> = {},
  onReceipt?: Ports['onReceipt'],
): Promise<Sender> {
  const lines: string[] = [];
  const log = createLog('trace', { write: (line: string) => void lines.push(line) });
  const parsed = emailSmtp.settings.parse({
    host: '127.0.0.1',
    port: relay.port,
    security: 'none',
    from: 'codes@example.com',
    bounce_domain: 'bounce.example.com',
    bounce_listen_host: '127.0.0.1',
    ...settings,
  });
  const ports = await openTestPorts(log, onReceipt);
  const upstream = await emailSmtp.open(parsed, ports);
  let messages = 0;
  return {
    upstream,
    ports,
    logged: () => lines.join(''),
    async send(to, more, signal = AbortSignal.timeout(20_000)) {
      const messageId = String(2_072_832_692_843_446_272n + BigInt(++messages));
      const message: OutgoingMessage = {
        applicationId: '42',
        messageId,
        step: 1,
        attempt: 1,
        reference: `${messageId}-1-0`,
        channel: 'email',
        to,
        content: { text: `${code} is your code.`, language: 'en', subject: `${code} is your code` },
        code,
        expiresAtMs: Date.now() + 300_000,
        ...more,
      };
      return upstream.send(message, signal);
    },
    async close() {
      await upstream.close();
      await ports.close();
    },
  };
}

/** What a report says; by default that the mail was delivered. */
export interface Said {
  action?: string;
  status?: string;
  diagnostic?: string;
  /** Left out as by a host that knows no envelope ids. */
  envid?: string | null;
  /** Headers of the mail it is about. */
  returned?: string | null;
}

/** A report as a mail server writes it (RFC 3464). */
export function reportAbout(mail: Pick<Taken, 'from' | 'to' | 'envid' | 'raw'>, said: Said = {}): string {
  const { action = 'delivered', status = '2.0.0', diagnostic, envid = mail.envid } = said;
  const { returned = mail.raw.toString('latin1').split('\r\n\r\n', 1)[0] ?? '' } = said;
  return [
    'From: MAILER-DAEMON@mx.example.net',
    `To: ${mail.from}`,
    'Subject: Delivery Status Notification',
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="=_report"',
    '',
    '--=_report',
    'Content-Type: text/plain',
    '',
    'This is the mail system.',
    '',
    '--=_report',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.example.net',
    ...(envid === null ? [] : [`Original-Envelope-Id: ${envid}`]),
    '',
    `Final-Recipient: rfc822; ${mail.to}`,
    `Action: ${action}`,
    `Status: ${status}`,
    ...(diagnostic === undefined ? [] : [`Diagnostic-Code: ${diagnostic}`]),
    '',
    ...(returned === null ? [] : ['--=_report', 'Content-Type: text/rfc822-headers', '', returned, '']),
    '--=_report--',
    '',
  ].join('\r\n');
}

/** Brings a mail to a bounce listener; the code it answers with. Rejects where nobody listens. */
export async function bring(port: number, to: string | string[], raw: string): Promise<number> {
  const transport = createTransport({ host: '127.0.0.1', port, ignoreTLS: true, socketCloseTimeout: 0 });
  try {
    const { response } = await transport.sendMail({ envelope: { from: '', to }, raw });
    return Number(String(response).slice(0, 3));
  } catch (error) {
    const { responseCode } = error as { responseCode?: number };
    if (responseCode === undefined) throw error;
    return responseCode;
  } finally {
    transport.close();
  }
}

/** Below the range systems lend out by themselves: nobody takes it while a listener closes and opens again. */
export async function freePort(): Promise<number> {
  const port = 10_000 + Math.floor(Math.random() * 20_000);
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (!free) return freePort();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
