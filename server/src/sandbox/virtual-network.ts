/**
 * The virtual phone network: an adapter whose handsets keep what they receive. What it does with a hand-over is decided by the
 * application's script, the magic recipient or the ordinary reaction. It never dedupes: every hand-over is a message of its own
 * with an upstream id of its own, so that tests see double sends. Planned receipts are stored with the message.
 */
import { z } from 'zod';
import {
  type Adapter,
  channelNames,
  type OutgoingMessage,
  type Ports,
  type Receipt,
  reasonOf,
  refusedForNow,
  type SendOutcome,
  type Upstream,
  undelivered,
  unknown,
} from '../channels/index.ts';
import { type ErrorCode, errorTable } from '../errors.ts';
import type { Db } from '../platform/db.ts';
import type { Keyring } from '../platform/seal.ts';
import { reactionTo } from './magic.ts';
import { sealContent } from './sealed-content.ts';
import { type HandedOver, type HandOver, handOver } from './store.ts';
import type { Watchers } from './watchers.ts';

type VirtualPorts = Pick<Ports, 'log' | 'onReceipt'>;

/** Needs less than other adapters: it reaches nobody outside. */
export interface VirtualAdapter extends Adapter {
  open(settings: unknown, ports: VirtualPorts): Upstream;
}

export interface VirtualNetwork {
  adapter: VirtualAdapter;
  /** Whether somebody would hear a receipt on this node. */
  isOpen(): boolean;
  /** True once an opened provider has taken it. */
  report(receipt: Receipt): Promise<boolean>;
}

export interface VirtualNetworkOptions {
  db: Db;
  keyring: Keyring;
  watchers: Watchers;
  /** A receipt was planned, due in so many milliseconds. */
  onPlanned(inMs: number): void;
}

type Store = (item: HandOver) => Promise<HandedOver>;

export function createVirtualNetwork({ db, keyring, watchers, onPlanned }: VirtualNetworkOptions): VirtualNetwork {
  const opened = new Set<VirtualPorts>();
  const store: Store = db.batch<HandOver, HandedOver>({
    async run(queryable, items) {
      const keys = new Set(items.map((item) => watchers.keyOf(item.applicationId, item.recipient)));
      const handedOver = await handOver(queryable, items, [...keys].join(' '));
      watchers.wake(keys);
      return handedOver;
    },
  });
  return {
    adapter: {
      id: 'virtual',
      title: 'Virtual phone network',
      channels: channelNames,
      settings: z.strictObject({}),
      limits: { maxConcurrency: 1_000, idempotent: true },
      open(_settings, ports) {
        opened.add(ports);
        return openUpstream({ keyring, ports, store, onPlanned, onClose: () => opened.delete(ports) });
      },
    },
    isOpen: () => opened.size > 0,
    async report(receipt) {
      for (const ports of opened) if (await ports.onReceipt(receipt)) return true;
      return false;
    },
  };
}

interface UpstreamOptions {
  keyring: Keyring;
  ports: VirtualPorts;
  store: Store;
  onPlanned(inMs: number): void;
  onClose(): void;
}

function openUpstream({ keyring, ports, store, onPlanned, onClose }: UpstreamOptions): Upstream {
  const closing = Promise.withResolvers<SendOutcome>();
  const underway = new Set<Promise<unknown>>();
  let closed = false;

  async function hand(message: OutgoingMessage): Promise<SendOutcome> {
    try {
      const handed = await store(toHandOver(keyring, message));
      if (handed.receipt !== 'none' && !isRefusal(handed)) onPlanned(handed.receiptAfterMs);
      if (handed.receiptBeforeAnswer) await reportEarly(ports, handed);
      // The caller's signal or the end of the network ends this wait.
      return handed.handOver === 'no_answer' ? await closing.promise : outcomeOf(handed);
    } catch (error) {
      ports.log.warn({ err: error, messageId: message.messageId }, 'virtual network could not store a message');
      return unknown('the virtual network has no database');
    }
  }

  return {
    async send(message, signal) {
      if (closed) return refusedForNow('upstream_error', 'the virtual network is closed');
      if (signal.aborted) return unknown('aborted before the hand-over');
      const handing = hand(message);
      underway.add(handing);
      void handing.finally(() => underway.delete(handing));
      return withinSignal(handing, signal);
    },
    async close() {
      closed = true;
      onClose();
      closing.resolve(unknown('no answer before the network was closed'));
      await Promise.all(underway);
    },
  };
}

function toHandOver(keyring: Keyring, message: OutgoingMessage): HandOver {
  const { applicationId, messageId, channel, to, content } = message;
  const shown = {
    text: content.text,
    code: message.code,
    ...(content.subject !== undefined && { subject: content.subject }),
  };
  return {
    applicationId,
    messageId,
    recipient: to,
    channel,
    language: content.language,
    step: message.step,
    attempt: message.attempt,
    segments: content.segments ?? null,
    sealed: sealContent(keyring, applicationId, messageId, shown),
    reaction: reactionTo(to, channel),
  };
}

const isRefusal = ({ handOver: answer }: HandedOver): boolean => answer === 'refuse' || answer === 'refuse_temporarily';

function outcomeOf(handed: HandedOver): SendOutcome {
  if (!isRefusal(handed)) return { kind: 'accepted', upstreamId: upstreamIdOf(handed.number) };
  const { errorCode } = handed;
  const temporary = handed.handOver === 'refuse_temporarily';
  return { kind: 'refused', temporary, reason: reasonOf(errorCode), errorCode, detail: errorTable[errorCode].title };
}

const upstreamIdOf = (number: string): string => `vn_${number}`;

/** The receipt of a hand-over; `errorCode` null for delivered. */
export function receiptOf(number: string, errorCode: ErrorCode | null): Receipt {
  const outcome: Receipt['outcome'] =
    errorCode === null
      ? { kind: 'delivered' }
      : undelivered(reasonOf(errorCode), errorTable[errorCode].title, errorCode);
  return { upstreamId: upstreamIdOf(number), outcome };
}

/** One report more than planned; whether it is taken does not matter, the planned ones follow. */
async function reportEarly(ports: VirtualPorts, handed: HandedOver): Promise<void> {
  if (handed.receipt === 'none' || isRefusal(handed)) return;
  const receipt = receiptOf(handed.number, handed.receipt === 'delivered' ? null : handed.receiptErrorCode);
  await ports.onReceipt(receipt).catch((error: unknown) => ports.log.warn({ err: error }, 'early receipt not taken'));
}

function withinSignal(handing: Promise<SendOutcome>, signal: AbortSignal): Promise<SendOutcome> {
  return new Promise((resolve) => {
    const onAbort = (): void => resolve(unknown('no answer in time'));
    signal.addEventListener('abort', onAbort, { once: true });
    void handing.then((outcome) => {
      signal.removeEventListener('abort', onAbort);
      resolve(outcome);
    });
  });
}
