/**
 * What an operator tries out on one provider: a real message, and the upstream's templates. A provider that is not open is opened
 * for it, so that a disabled one can be tried before it is enabled. Neither circuit nor rate is asked or told.
 */
import { randomInt } from 'node:crypto';
import {
  type Adapter,
  type Channel,
  type OutgoingMessage,
  refusedForNow,
  type SendOutcome,
  type UpstreamTemplate,
} from '../channels/index.ts';
import { ApiError, invalid } from '../errors.ts';
import { appendEvents } from '../events/index.ts';
import { messageIdOf } from '../platform/ids.ts';
import type { Office } from './office.ts';
import { answerOf, withUpstream } from './past-routes.ts';
import type { Actor, Provider } from './records.ts';
import { getProvider } from './save-provider.ts';

const answerMs = 10_000;
const syncMs = 60_000;
const lifeMs = 600_000;

interface TestRequest {
  to: string;
  channel?: Channel | undefined;
  sender?: string | undefined;
}

export interface TestResult {
  outcome: SendOutcome;
  channel: Channel;
  latencyMs: number;
}

export async function testProvider(
  office: Office,
  id: string,
  request: TestRequest,
  actor: Actor,
  signal: AbortSignal,
): Promise<TestResult> {
  const provider = await getProvider(office, id);
  const channel = channelFor(office, provider, request);
  const to = addressFor(channel, request.to);
  const message = testMessage(office, { ...request, channel, to });
  await note(office, id, 'test provider', actor);
  office.tests.keep(message);
  const startedAt = performance.now();
  const limit = AbortSignal.any([signal, AbortSignal.timeout(answerMs)]);
  const outcome = await withUpstream<SendOutcome>(
    office,
    provider,
    (upstream) => answerOf(upstream, message, limit),
    (fault) => refusedForNow('config', fault),
  );
  return { outcome, channel, latencyMs: Math.round(performance.now() - startedAt) };
}

function adapterOf({ registry }: Office, provider: Provider): Adapter {
  const adapter = registry.find(provider.adapter);
  if (!adapter) throw new ApiError(3002, `provider_id: this program has no adapter called ${provider.adapter}`);
  return adapter;
}

function channelFor(office: Office, provider: Provider, { to, channel }: TestRequest): Channel {
  const { channels } = adapterOf(office, provider);
  const fitting = channels.find((name) => (name === 'email') === to.includes('@'));
  if (channel !== undefined && !channels.includes(channel))
    throw invalid([{ field: 'channel', problem: `the provider serves ${channels.join(', ')}` }]);
  return channel ?? fitting ?? channels[0] ?? 'sms';
}

function addressFor(channel: Channel, to: string): string {
  if (channel === 'email') {
    if (/^[^\s@]+@[^\s@]+$/.test(to)) return to;
    throw invalid([{ field: 'to', problem: 'must be an e-mail address' }]);
  }
  const bare = to.replace(/[ \-.()]/g, '');
  if (/^\+[1-9][0-9]{6,14}$/.test(bare)) return bare;
  throw invalid([{ field: 'to', problem: 'must be a phone number with + and country code' }]);
}

function testMessage({ clock }: Office, { channel, to, sender }: TestRequest & { channel: Channel }): OutgoingMessage {
  const nowMs = clock.now();
  const messageId = messageIdOf(nowMs, 0, randomInt(4096));
  const code = channel === 'whatsapp' ? '000000' : null;
  return {
    applicationId: '0',
    messageId,
    step: 1,
    attempt: 1,
    reference: `${messageId}-1-0`,
    channel,
    to,
    content: {
      text: code === null ? 'This is a test message.' : `${code} is your verification code. This is a test message.`,
      language: 'en',
      ...(channel === 'email' && { subject: 'Test message' }),
      ...(channel === 'sms' && { segments: 1 }),
      ...(channel === 'whatsapp' && { whatsapp: { security: false, expireMinutes: null } }),
    },
    ...(sender !== undefined && { sender }),
    code,
    expiresAtMs: nowMs + lifeMs,
  };
}

export async function syncTemplates(
  office: Office,
  id: string,
  languages: readonly string[],
  actor: Actor,
  signal: AbortSignal,
): Promise<UpstreamTemplate[]> {
  const provider = await getProvider(office, id);
  await note(office, id, 'sync templates', actor);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(syncMs)]);
  const closed = (fault: string): never => {
    throw new ApiError(3002, `provider_id: not open: ${fault}`, { status: 409 });
  };
  return withUpstream(
    office,
    provider,
    async (upstream) => {
      if (upstream.syncTemplates) return upstream.syncTemplates(languages, limit);
      throw new ApiError(3002, 'provider_id: its upstream has no templates');
    },
    closed,
  );
}

const note = ({ db }: Office, provider: string, action: string, actor: Actor): Promise<void> =>
  appendEvents(db, [
    {
      applicationId: '0',
      messageId: '0',
      cause: 'provider_managed',
      data: { action, operator: { ip_address: actor?.ip ?? null }, provider },
    },
  ]);
