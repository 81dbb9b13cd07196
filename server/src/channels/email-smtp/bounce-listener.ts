/**
 * Takes the reports that come back to b+TOKEN@ the bounce domain over SMTP, and nothing else. A mail is answered with 250 only
 * after its receipt is taken, so that the sender repeats it otherwise; no mail is ever answered by mail. What names no hand-over
 * under our keyed hash has no effect, whoever sends it.
 */
import { type BlockList, isIPv4, type Socket } from 'node:net';
import { SMTPServer, type SMTPServerDataStream } from 'smtp-server';
import type { Ports } from '../contract.ts';
import { handleOf, receiptOf, tokenOf } from './bounce.ts';
import { readReport } from './report.ts';
import { peersOf, type Settings } from './settings.ts';

interface BounceListener {
  close(): Promise<void>;
}

/** We ask for headers only; a host that returns the whole mail still fits. */
const maxBytes = 512 * 1024;
const maxClients = 50;
const idleMs = 60_000;
const listenAgainMs = 2_000;

interface Reply {
  responseCode: number;
  message: string;
}

const taken: Reply = { responseCode: 250, message: '2.0.0 taken' };
const later: Reply = { responseCode: 451, message: '4.3.0 not taken yet, repeat later' };
const foreign: Reply = { responseCode: 550, message: '5.7.1 this is about no mail of ours' };
const nobody: Reply = { responseCode: 550, message: '5.1.1 no such mailbox' };
const oneOnly: Reply = { responseCode: 452, message: '4.5.3 one recipient at a time' };
const tooLarge: Reply = { responseCode: 552, message: '5.3.4 too large' };
const stranger: Reply = { responseCode: 554, message: '5.7.1 not from your address' };

const refusal = ({ responseCode, message }: Reply): Error => Object.assign(new Error(message), { responseCode });

/** Resolves when it listens, or when the first try has failed: it goes on trying. Without a port nothing listens. */
export async function openBounceListener(settings: Settings, ports: Ports): Promise<BounceListener> {
  const { bounce_listen_port: port, bounce_listen_host: host, bounce_domain: domain } = settings;
  if (port === undefined || domain === undefined) return { close: async () => undefined };
  const closing = new AbortController();
  const server = createServer(settings, domain, async (stream, recipient) => {
    const raw = await readAll(stream);
    if (raw === null) return tooLarge;
    return closing.signal.aborted ? later : answerTo(raw, tokenOf(recipient, domain) ?? '', settings, ports);
  });
  const sockets = new Set<Socket>();
  server.server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await keepListening(server, { host, port }, ports, closing.signal);
  return {
    async close() {
      closing.abort();
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

type Take = (stream: SMTPServerDataStream, recipient: string) => Promise<Reply>;

function createServer({ bounce_allowed: allowed }: Settings, domain: string, take: Take): SMTPServer {
  const peers = allowed && peersOf(allowed);
  return new SMTPServer({
    name: domain,
    // Nobody signs in here, and a certificate of nobody's would only look like encryption.
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    size: maxBytes,
    maxClients,
    socketTimeout: idleMs,
    closeTimeout: 1,
    onConnect({ remoteAddress }, done) {
      done(!peers || isAmong(peers, remoteAddress) ? null : refusal(stranger));
    },
    onRcptTo({ address }, session, done) {
      if (tokenOf(address, domain) === null) done(refusal(nobody));
      else done(session.envelope.rcptTo.length > 0 ? refusal(oneOnly) : null);
    },
    onData(stream, { envelope }, done) {
      take(stream, envelope.rcptTo[0]?.address ?? '').then(
        (reply) => done(reply.responseCode === 250 ? null : refusal(reply), reply.message),
        // The connection was lost while it spoke.
        () => done(refusal(later)),
      );
    },
  });
}

const isAmong = (peers: BlockList, address: string): boolean => {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  return peers.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6');
};

async function answerTo(raw: Buffer, token: string, settings: Settings, ports: Ports): Promise<Reply> {
  const report = await readReport(raw);
  // Vacation notes and the like: refusing them would make their server write to somebody.
  if (!report) return taken;
  const handle = handleOf(ports.sign, token, report);
  if (!handle) return foreign;
  const receipt = receiptOf(report, handle, settings.code_map);
  if (!receipt) return taken;
  try {
    return (await ports.onReceipt(receipt)) ? taken : later;
  } catch (error) {
    ports.log.error({ err: error }, 'a report could not be taken, its sender will repeat it');
    return later;
  }
}

/** Null when it is too large: the rest is read and thrown away. */
async function readAll(stream: SMTPServerDataStream): Promise<Buffer | null> {
  let chunks: Buffer[] = [];
  for await (const chunk of stream) {
    if (stream.sizeExceeded) chunks = [];
    else chunks.push(chunk as Buffer);
  }
  return stream.sizeExceeded ? null : Buffer.concat(chunks);
}

/** Another process may hold the port for a while, when settings change or nodes are replaced. */
async function keepListening(
  server: SMTPServer,
  at: { host: string; port: number },
  { log }: Ports,
  closed: AbortSignal,
): Promise<void> {
  let told = '';
  let timer: NodeJS.Timeout | undefined;
  const listen = (): void => {
    if (!closed.aborted) server.listen(at.port, at.host);
  };
  closed.addEventListener('abort', () => clearTimeout(timer), { once: true });
  await new Promise<void>((resolve) => {
    server.server.on('listening', resolve);
    server.on('error', (error: NodeJS.ErrnoException) => {
      // Of a client's connection: its own affair.
      if (error.syscall !== 'listen' && error.syscall !== 'bind') return;
      if (told !== error.code) log.error({ port: at.port, cause: error.code }, remedyOf(error.code));
      told = error.code ?? '';
      timer = setTimeout(listen, listenAgainMs);
      resolve();
    });
    closed.addEventListener('abort', () => resolve(), { once: true });
    listen();
  });
}

function remedyOf(code: string | undefined): string {
  if (code === 'EADDRINUSE')
    return 'no bounces are taken: another program listens on bounce_listen_port, stop it or choose another port';
  if (code === 'EACCES')
    return 'no bounces are taken: this user may not listen on bounce_listen_port, choose one above 1023 and have mail forwarded to it';
  return 'no bounces are taken: bounce_listen_host is no address of this machine, correct it';
}
