/** A sandbox on a test database with an opened network, and the receipts it reported. Only for tests. */
import type { Channel, OutgoingMessage, Receipt, SendOutcome, Upstream } from '../channels/index.ts';
import { createLog } from '../platform/log.ts';
import { createKeyring } from '../platform/seal.ts';
import type { Webhooks } from './deeds.ts';
import type { ChannelReactions } from './reaction.ts';
import { ordinaryReaction, type Reaction } from './reaction.ts';
import { createSandbox, type Sandbox, type SandboxOptions } from './sandbox.ts';

export const keyring = createKeyring(Buffer.alloc(32, 7));
export const silentLog = createLog('silent');

/** Webhooks are kept elsewhere: a sandbox that is asked for none needs nobody who keeps them. */
export const noWebhooks: Webhooks = {
  set: () => Promise.reject(new Error('no webhooks here')),
  remove: () => Promise.reject(new Error('no webhooks here')),
};

export interface Fixture {
  sandbox: Sandbox;
  upstream: Upstream;
  /** Reported so far, oldest first. */
  receipts: Receipt[];
  /** What the platform answers to a receipt; true until a test sets another. */
  answer: (receipt: Receipt) => Promise<boolean>;
  close(): Promise<void>;
}

export async function openSandbox(
  { db, clock }: Pick<SandboxOptions, 'db' | 'clock'>,
  options: Partial<SandboxOptions> = {},
): Promise<Fixture> {
  const sandbox = createSandbox({ db, clock, keyring, log: silentLog, webhooks: noWebhooks, ...options });
  const receipts: Receipt[] = [];
  const onReceipt = (receipt: Receipt): Promise<boolean> => {
    receipts.push(receipt);
    return fixture.answer(receipt);
  };
  const upstream = await sandbox.adapter.open({}, { log: silentLog, onReceipt });
  const fixture: Fixture = {
    sandbox,
    upstream,
    receipts,
    answer: async () => true,
    async close() {
      await upstream.close();
      await sandbox.stop();
    },
  };
  return fixture;
}

let lastId = 2_072_832_692_843_446_272n;
let lastApplication = 1_000;

/** An application nobody else in this file uses. */
export const newApplication = (): string => String(++lastApplication);
export const newMessageId = (): string => String(++lastId);

type Overrides = Partial<OutgoingMessage> & { applicationId: string };

export function outgoing({ channel = 'sms' as Channel, ...overrides }: Overrides): OutgoingMessage {
  return {
    messageId: newMessageId(),
    step: 1,
    attempt: 1,
    reference: 'r',
    to: '+6591234567',
    content: { text: '482913 is your Acme verification code.', language: 'en', segments: 1 },
    code: '482913',
    expiresAtMs: Date.now() + 300_000,
    channel,
    ...overrides,
  };
}

export function upstreamIdOf(outcome: SendOutcome): string {
  if (outcome.kind !== 'accepted') throw new Error(`not accepted but ${outcome.kind}`);
  return outcome.upstreamId;
}

export const never = (): AbortSignal => new AbortController().signal;

export const onSms = (reaction: Partial<Reaction>): ChannelReactions => ({ sms: { ...ordinaryReaction, ...reaction } });
