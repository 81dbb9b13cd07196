#!/usr/bin/env node
/**
 * MCP over standard input and output, for clients that start a program instead of asking an address: every message goes to /mcp of a running
 * server and its answer comes back. It knows no tool and keeps nothing; what a key may do is decided there.
 * Credentials come from the environment or a file, never from arguments, which every process on the machine can read.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';

const usage = `Usage: engagelab-otp-mcp [--readonly]

Forwards MCP from standard input to a running server.
  ENGAGELAB_BASE_URL                          address of the server; default http://127.0.0.1:8080
  ENGAGELAB_AGENT_KEY                         dev_key:dev_secret of an API key, or
  ENGAGELAB_DEV_KEY and ENGAGELAB_DEV_SECRET  the same in two, or
  ENGAGELAB_CREDENTIALS_FILE                  a JSON file {"base_url","dev_key","dev_secret"};
                                              default ~/.config/engagelab-otp/credentials.json;
                                              its pair goes to its own base_url alone
`;

/** The revision of this bridge's own requests is the client's: it is read from each message, or from the handshake of an older client. */
const versionKey = 'io.modelcontextprotocol/protocolVersion';
let negotiated;

function fail(text) {
  process.stderr.write(`${text}\n`);
  process.exit(2);
}

function readFile(path, wanted) {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' && !wanted) return {};
    return fail(`the credentials file cannot be read: ${path} (${error.code})`);
  }
  try {
    return JSON.parse(text) ?? {};
  } catch {
    // What the parser says quotes the file.
    return fail(`the credentials file is not JSON: ${path}`);
  }
}

/** Without a slash at its end. What is no address of a server is not repeated: a credential may stand in it. */
function checkAddress(text, from) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash)
    return fail(`${from} is no address: it must be http or https, without a credential, "?" and "#"`);
  return url.href.replace(/\/+$/, '');
}

/** The environment wins over the file. Neither is ever printed, and what is stored for one server is not sent to another. */
function readSettings(env) {
  const given = env.ENGAGELAB_CREDENTIALS_FILE;
  const configHome = env.XDG_CONFIG_HOME || join(homedir(), '.config');
  const file = readFile(given || join(configHome, 'engagelab-otp', 'credentials.json'), Boolean(given));
  const inTwo =
    env.ENGAGELAB_DEV_KEY && env.ENGAGELAB_DEV_SECRET && `${env.ENGAGELAB_DEV_KEY}:${env.ENGAGELAB_DEV_SECRET}`;
  const stored = checkAddress(file.base_url || 'http://127.0.0.1:8080', 'base_url of the credentials file');
  const baseUrl = env.ENGAGELAB_BASE_URL ? checkAddress(env.ENGAGELAB_BASE_URL, 'ENGAGELAB_BASE_URL') : stored;
  const inFile = file.dev_key && file.dev_secret && `${file.dev_key}:${file.dev_secret}`;
  const credential = env.ENGAGELAB_AGENT_KEY || inTwo || (baseUrl === stored && inFile);
  if (!credential) {
    const other = inFile ? ' for this server: the pair in the credentials file was stored for another one' : '';
    fail(`no credential${other}.\n\n${usage}`);
  }
  return { baseUrl, authorization: `Bearer ${credential}` };
}

const write = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

const refuse = (id, code, message) => write({ jsonrpc: '2.0', id, error: { code, message } });

/** What the protocol wants to see in headers too. */
function headersOf({ method, params }, authorization) {
  const version = params?._meta?.[versionKey];
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization,
  };
  if (version === undefined) return negotiated ? { ...headers, 'mcp-protocol-version': negotiated } : headers;
  const name = params.name ?? params.uri;
  return {
    ...headers,
    'mcp-protocol-version': version,
    'mcp-method': method,
    ...(typeof name === 'string' && { 'mcp-name': encodedName(name) }),
  };
}

/** A header takes printable ASCII; anything else travels in the sentinel form of the protocol. */
const encodedName = (name) =>
  /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(name) && !/^=\?base64\?.*\?=$/.test(name)
    ? name
    : `=?base64?${Buffer.from(name, 'utf8').toString('base64')}?=`;

/** Messages of an event stream, as they come. */
async function* eventsOf(body) {
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of body) {
    text += decoder.decode(piece, { stream: true });
    const events = text.split(/\r?\n\r?\n/);
    text = events.pop() ?? '';
    for (const event of events) {
      const data = event
        .split(/\r?\n/)
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).trimStart())
        .join('\n');
      if (data !== '') yield JSON.parse(data);
    }
  }
}

/** Requests under way, so that a cancellation reaches the server as a closed connection. */
const underWay = new Map();

async function forward(message, { url, authorization }) {
  const isRequest = message.id !== undefined && message.method !== undefined;
  if (message.method === 'notifications/cancelled') underWay.get(message.params?.requestId)?.abort();
  const gone = new AbortController();
  if (isRequest) underWay.set(message.id, gone);
  try {
    const reply = await fetch(url, {
      method: 'POST',
      headers: headersOf(message, authorization),
      body: JSON.stringify(message),
      // Followed, it would hand the message with its codes to whatever address it names.
      redirect: 'manual',
      signal: gone.signal,
    });
    await answer(message, reply);
  } catch (error) {
    if (!isRequest || gone.signal.aborted) return;
    const cause = error.cause?.code ?? error.code ?? 'no connection';
    refuse(message.id, -32603, `the server at ${new URL(url).origin} does not answer (${cause}); is it running?`);
  } finally {
    if (isRequest) underWay.delete(message.id);
  }
}

async function answer(message, reply) {
  const type = reply.headers.get('content-type') ?? '';
  if (type.startsWith('text/event-stream')) {
    for await (const event of eventsOf(reply.body)) pass(message, event);
    return;
  }
  const text = await reply.text();
  if (message.id === undefined || (text === '' && reply.ok)) return;
  const body = parsed(text);
  if (body?.jsonrpc === '2.0') pass(message, body);
  else
    refuse(
      message.id,
      -32603,
      `${reply.status} ${body?.message ?? 'the server answered something else than MCP'}${hint(reply.status)}`,
    );
}

function pass(message, body) {
  if (message.method === 'initialize' && body.result) negotiated = body.result.protocolVersion;
  write(body);
}

function hint(status) {
  if (status === 401) return '; check the key and secret of this bridge';
  return status >= 300 && status < 400 ? '; it redirects, which is not followed: name its own address' : '';
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const words = process.argv.slice(2);
if (words.includes('--help') || words.includes('-h')) {
  process.stdout.write(usage);
  process.exit(0);
}
const unknown = words.filter((word) => word !== '--readonly');
// Not repeated: it may be a secret that was put there by mistake.
if (unknown.length > 0)
  fail(`an argument is not known; credentials belong into the environment or a file.\n\n${usage}`);
const { baseUrl, authorization } = readSettings(process.env);
const url = `${baseUrl}/mcp${words.includes('--readonly') ? '/readonly' : ''}`;

// The handshake of an older client decides the revision of what follows, so it is waited for.
let handshake = Promise.resolve();
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() === '') continue;
  const message = parsed(line);
  if (typeof message !== 'object' || message === null) {
    refuse(null, -32700, 'not JSON');
    continue;
  }
  const done = handshake.then(() => forward(message, { url, authorization }));
  if (message.method === 'initialize') handshake = done;
}
