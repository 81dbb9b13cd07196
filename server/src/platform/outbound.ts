/**
 * HTTP to addresses that customers and operators name (callbacks, probes, upstreams) without becoming a way into the operator's
 * network: the name is resolved once, every address it has is checked, and the connection goes to a checked address. No redirects,
 * a time limit over all, a capped answer. What the world answers is a value, never an exception.
 */
import { isIP } from 'node:net';
import { Agent, type Dispatcher, request } from 'undici';
import { type AddressKind, type AddressRange, classifyAddress, isInsideName, parseRange } from './address-guard.ts';
import { checkedLookup, ForbiddenAddress, oncePerName, type Resolve, resolveAll } from './checked-lookup.ts';

const maxAnswerBytes = 64 * 1024;
const maxUrlLength = 2048;
const connectMs = 10_000;

export interface OutboundOptions {
  /** Addresses or CIDR ranges that may be reached although they are not public; there also by http and on any port. */
  allow?: readonly string[];
  /** Ports reachable at public addresses. */
  ports?: readonly number[];
  /** All addresses of a name; tests give their own. */
  resolve?: Resolve;
}

export interface OutboundRequest {
  /** POST unless given. */
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: string;
  /** `host` is left out: it is the name in the address, as is the name the certificate must have. */
  headers: Record<string, string>;
  body?: string;
  /** For everything from the name look-up to the last byte of the answer. */
  timeoutMs: number;
  signal?: AbortSignal;
}

export type OutboundAnswer =
  | { kind: 'answered'; status: number; headers: Record<string, string | string[] | undefined>; body: string }
  /** `forbidden`: this address is never tried. The other two may pass. */
  | {
      kind: 'failed';
      reason: 'forbidden' | 'timeout' | 'connection';
      /** A code (ENOTFOUND, CERT_HAS_EXPIRED …) or a few words; never what was sent. */
      detail: string;
      /** False when certainly nothing of the request left: no address, no connection, no valid certificate. */
      sent: boolean;
    };

export interface Outbound {
  /** What is wrong with an address by its mere text, to complete "url: …"; null when it may be tried. */
  fault(url: string): string | null;
  request(request: OutboundRequest): Promise<OutboundAnswer>;
  close(): Promise<void>;
}

export function createOutbound({ allow = [], ports = [443, 8443], resolve = resolveAll }: OutboundOptions): Outbound {
  const ranges = allow.map(parseRange);
  const lookUp = oncePerName(resolve);
  // Two pools, since the look-up hook learns neither protocol nor port: what is not https to an outside name on a usual port may
  // only go to listed addresses.
  const strict = createAgent(lookUp, ranges, ['public', 'listed']);
  const listedOnly = createAgent(lookUp, ranges, ['listed']);
  const fault = (url: string): string | null => faultOf(url, ranges, ports);
  return {
    fault,
    async request(outgoing) {
      const detail = fault(outgoing.url);
      if (detail !== null) return { kind: 'failed', reason: 'forbidden', detail, sent: false };
      const agent = isUsual(new URL(outgoing.url), ports) ? strict : listedOnly;
      return ask(agent, outgoing);
    },
    async close() {
      await Promise.all([strict.destroy(), listedOnly.destroy()]);
    },
  };
}

const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');
const isUsual = (url: URL, ports: readonly number[]): boolean =>
  url.protocol === 'https:' &&
  ports.includes(Number(url.port || 443)) &&
  (isIP(hostOf(url)) !== 0 || !isInsideName(hostOf(url)));

function faultOf(text: string, ranges: readonly AddressRange[], ports: readonly number[]): string | null {
  // The parser would quietly drop or encode blanks and control characters, and take a backslash for a slash.
  const url = text.length > maxUrlLength || /[\s\p{Cc}\\]/u.test(text) ? null : URL.parse(text);
  if (!url || !['http:', 'https:'].includes(url.protocol)) return 'not a valid https address';
  if (url.username !== '' || url.password !== '') return 'must not contain credentials';
  const usual = isUsual(url, ports);
  if (!usual && ranges.length === 0) {
    if (url.protocol === 'http:') return 'must be an https address';
    return ports.includes(Number(url.port || 443)) ? 'address not allowed' : `port must be one of ${ports.join(', ')}`;
  }
  // A literal address never reaches the look-up hook.
  const host = hostOf(url);
  if (isIP(host) === 0) return null;
  const kind = classifyAddress(host, ranges);
  return kind === 'forbidden' || (kind === 'public' && !usual) ? 'address not allowed' : null;
}

function createAgent(resolve: Resolve, ranges: readonly AddressRange[], kinds: readonly AddressKind[]): Agent {
  return new Agent({
    connect: {
      lookup: checkedLookup(resolve, (address) => kinds.includes(classifyAddress(address, ranges))),
      timeout: connectMs,
    },
    connections: 256,
    // One request per connection at a time: what one answer does to its connection touches no other.
    allowH2: false,
    keepAliveTimeout: 4_000,
    pipelining: 1,
  });
}

async function ask(agent: Agent, outgoing: OutboundRequest): Promise<OutboundAnswer> {
  const { timeoutMs, signal } = outgoing;
  const departure = { sent: false };
  const end = new AbortController();
  const giveUp = (): void => end.abort();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    end.abort();
  }, timeoutMs);
  signal?.addEventListener('abort', giveUp);
  if (signal?.aborted) giveUp();
  try {
    // The client notices an abort only once it has a connection; a silent name server or host must not take longer than the rest.
    return await Promise.race([ended(end.signal), exchange(agent.compose(noting(departure)), outgoing, end.signal)]);
  } catch (error) {
    const { sent } = departure;
    if (error instanceof ForbiddenAddress) return { kind: 'failed', reason: 'forbidden', detail: error.message, sent };
    if (late) return { kind: 'failed', reason: 'timeout', detail: `no answer within ${timeoutMs} ms`, sent };
    return { kind: 'failed', reason: 'connection', detail: describe(error), sent };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', giveUp);
  }
}

function ended(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

async function exchange(
  dispatcher: Dispatcher,
  { method = 'POST', url, headers, body }: OutboundRequest,
  signal: AbortSignal,
): Promise<OutboundAnswer> {
  const answer = await request(url, {
    method,
    dispatcher,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'host')),
    body: body ?? null,
    signal,
  });
  return { kind: 'answered', status: answer.statusCode, headers: answer.headers, body: await readCapped(answer.body) };
}

/** Notes when a connection is ready and the request goes out on it. */
function noting(departure: { sent: boolean }): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) =>
    dispatch(options, {
      onRequestStart(controller, context) {
        departure.sent = true;
        handler.onRequestStart?.(controller, context);
      },
      onRequestUpgrade: (...given) => handler.onRequestUpgrade?.(...given),
      onResponseStart: (...given) => handler.onResponseStart?.(...given),
      onResponseData: (...given) => handler.onResponseData?.(...given),
      onResponseEnd: (...given) => handler.onResponseEnd?.(...given),
      onResponseError: (...given) => handler.onResponseError?.(...given),
    });
}

const words: Record<string, string> = {
  UND_ERR_SOCKET: 'the connection was closed before the answer was whole',
  UND_ERR_CONNECT_TIMEOUT: `no connection within ${connectMs} ms`,
  UND_ERR_HEADERS_OVERFLOW: 'the headers of the answer are too large',
  HTTPParserError: 'no valid HTTP answer',
  AbortError: 'aborted',
};

/** Code, name or our own words: messages of network errors can repeat headers and addresses. */
function describe(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  const told = String(typeof code === 'string' ? code : (name ?? 'error'));
  return words[told] ?? told;
}

async function readCapped(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    // Leaving the loop destroys the stream.
    if (size >= maxAnswerBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, maxAnswerBytes).toString('utf8');
}
