/** For tests: a name server on this machine that speaks just enough DNS over UDP. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import ipaddr from 'ipaddr.js';

/** Addresses of any family; an empty list for a name without any, an error's number (2 SERVFAIL, 3 NXDOMAIN), null to stay silent. */
type NameAnswer = readonly string[] | number | null;

const typeA = 1;
const typeAaaa = 28;
const headBytes = 12;

/** Gone when the test has ended. `asked` are the questions for IPv4 addresses, in order. */
export async function openNameServer(
  t: Pick<TestContext, 'after'>,
  answerOf: (name: string, family: number) => NameAnswer,
): Promise<{ address: string; asked: string[] }> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (query, { port, address }) => {
    const { name, type, end } = questionOf(query);
    if (type === typeA) asked.push(name);
    const answer = answerOf(name, type === typeAaaa ? 6 : 4);
    if (answer !== null) socket.send(replyTo(query.subarray(0, end), type, answer), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => void socket.close());
  return { address: `127.0.0.1:${socket.address().port}`, asked };
}

function questionOf(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = headBytes;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** Head and question as they came, without what the query has besides; then the addresses. */
function replyTo(question: Buffer, type: number, answer: readonly string[] | number): Buffer {
  const addresses = (typeof answer === 'number' ? [] : answer)
    .map((address) => ipaddr.parse(address))
    .filter((address) => type === (address.kind() === 'ipv4' ? typeA : typeAaaa))
    .map((address) => address.toByteArray());
  const head = Buffer.from(question);
  head.writeUInt16BE(0x8180 | (typeof answer === 'number' ? answer : 0), 2);
  head.writeUInt16BE(addresses.length, 6);
  head.writeUInt32BE(0, 8);
  const records = addresses.map((bytes) =>
    // A pointer to the question's name, the type, class IN, 60 seconds, so many bytes.
    Buffer.from([0xc0, headBytes, 0, type, 0, 1, 0, 0, 0, 60, 0, bytes.length, ...bytes]),
  );
  return Buffer.concat([head, ...records]);
}
