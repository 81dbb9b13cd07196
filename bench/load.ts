/**
 * The load: pairs of send + verify over keep-alive connections, as a process of its own. Written on bare sockets, because a full client
 * would take the processor time that is to be measured. Prints one JSON line {pairs, failures, seconds}.
 *
 *   node load.ts ADDRESS KEY:SECRET CONNECTIONS SECONDS FIRST_NUMBER CODE [PAIRS [SIGNALS]]
 *
 * SIGNALS `yes`: each pair tells an address and a device of its own.
 */
import { connect } from 'node:net';

const [
  address = '',
  credential = '',
  connections = '64',
  seconds = '5',
  firstNumber = '80000000',
  code = '482913',
  pairsWanted = '0',
  tellsSignals = 'no',
] = process.argv.slice(2);
const { hostname, port } = new URL(address);
const authorization = Buffer.from(credential).toString('base64');
const endAt = performance.now() + Number(seconds) * 1000;
const limit = Number(pairsWanted) || Number.POSITIVE_INFINITY;
let nextNumber = Number(firstNumber);
let started = 0;
let pairs = 0;
let failures = 0;

function request(path: string, body: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Basic ${authorization}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

const goesOn = (): boolean => performance.now() < endAt && started < limit;

/** One connection doing pair after pair until the time is over. */
function runConnection(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    socket.setNoDelay(true);
    let received = '';
    let sending = true;
    const send = (): void => {
      sending = true;
      started++;
      const n = nextNumber++;
      const signals =
        tellsSignals === 'yes'
          ? `,"signals":{"ip":"10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}","device_id":"device-${n}"}`
          : '';
      socket.write(request('/v1/messages', `{"to":"+65${n}","template":{"id":"login"}${signals}}`));
    };
    const answered = (status: string, body: string): void => {
      if (status !== '200') {
        failures++;
        if (failures < 5) process.stderr.write(`${status} ${body}\n`);
      } else if (sending) {
        const id = /"message_id":"(\d+)"/.exec(body)?.[1] ?? '';
        sending = false;
        socket.write(request('/v1/verifications', `{"message_id":"${id}","verify_code":"${code}"}`));
        return;
      } else if (body.includes('"verified":true')) pairs++;
      else failures++;
      if (goesOn()) send();
      else socket.end();
    };
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const head = received.indexOf('\r\n\r\n');
      if (head === -1) return;
      const length = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? 0);
      if (received.length < head + 4 + length) return;
      const body = received.slice(head + 4, head + 4 + length);
      const status = received.slice(9, 12);
      received = received.slice(head + 4 + length);
      answered(status, body);
    });
    socket.on('connect', send);
    socket.on('close', () => resolve());
    socket.on('error', reject);
  });
}

const startedAt = performance.now();
await Promise.all(Array.from({ length: Number(connections) }, runConnection));
process.stdout.write(`${JSON.stringify({ pairs, failures, seconds: (performance.now() - startedAt) / 1000 })}\n`);
