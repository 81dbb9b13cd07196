/**
 * The yardstick: a bare Fastify server with the same schemas and the same authentication, and no storage. Answers what the product
 * would. Prints `ready ADDRESS`.
 */
import { createHmac, randomInt, timingSafeEqual } from 'node:crypto';
import { fastify } from 'fastify';
import { otpBody } from '../server/src/messages/index.ts';
import { verifyBody } from '../server/src/verifications/index.ts';

const [key = '', secret = ''] = (process.env['BENCH_CREDENTIAL'] ?? '').split(':');
const hashKey = Buffer.alloc(32, 1);
const hash = (text: string): Buffer => createHmac('sha256', hashKey).update(text).digest();
const stored = hash(`${key}:${secret}`);

const app = fastify({ logger: false });
app.addHook('onRequest', (request, reply, done) => {
  const header = request.headers.authorization ?? '';
  const clear = Buffer.from(header.slice(6), 'base64').toString();
  if (timingSafeEqual(hash(clear), stored)) done();
  else void reply.code(401).send({ code: 2001, message: 'authentication failed' });
});
let sequence = 2_072_832_692_843_466_759n;
app.post('/v1/messages', (request, reply) => {
  const parsed = otpBody.safeParse(request.body);
  if (!parsed.success) return reply.code(400).send({ code: 3002, message: 'invalid' });
  randomInt(1_000_000);
  return {
    message_id: String(sequence++),
    send_channel: 'sms',
    expires_at: new Date(Date.now() + 300_000).toISOString(),
  };
});
app.post('/v1/verifications', (request, reply) => {
  const parsed = verifyBody.safeParse(request.body);
  if (!parsed.success) return reply.code(400).send({ code: 3002, message: 'invalid' });
  const { message_id, verify_code } = parsed.data;
  hash(`${message_id}:${verify_code}`);
  return { message_id, verify_code, verified: true, to: '+6580000000' };
});
process.stdout.write(`ready ${await app.listen({ host: '127.0.0.1', port: 0 })}\n`);
process.on('SIGTERM', () => process.exit(0));
