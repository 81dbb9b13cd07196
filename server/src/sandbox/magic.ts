/**
 * The magic recipients (contract §13): what a request to one answers, and how the virtual phone network treats its hand-overs.
 * Pure. Start delays and receipt delays together give the contract's absolute times: a step is handed over its start delay
 * after its turn came, a receipt follows its delay after that hand-over.
 */
import type { Channel } from '../channels/index.ts';
import type { ErrorCode, Reason } from '../errors.ts';
import type { Application } from '../policy.ts';
import { ordinaryReaction, type Reaction } from './reaction.ts';

/** What a room that accepts messages must do for a recipient. */
export interface Script {
  /** The request itself is refused. */
  refuse?: { code: ErrorCode; message: string; reason?: Reason };
  /** Takes the place of the template's chain. */
  chain?: Channel[];
  /** Takes the place of a random code. */
  code?: string;
  /** Per step, milliseconds from its turn to its hand-over; steps beyond the list start at once. */
  startDelaysMs: number[];
  /** No callback status at all, ever. */
  silent?: boolean;
}

interface MagicRecipient {
  script: Script;
  reaction: Partial<Reaction>;
  /** Where a channel differs from `reaction`. */
  channels?: Partial<Record<Channel, Partial<Reaction>>>;
}

const number = (ending: string): string => `+10000000${ending}`;
const phoneChain: Channel[] = ['whatsapp', 'sms', 'voice'];
const refused = (code: ErrorCode, message: string, handOverCode: ErrorCode): MagicRecipient => ({
  script: { refuse: { code, message }, startDelaysMs: [] },
  reaction: { handOver: 'refuse', errorCode: handOverCode, receipt: 'none' },
});
const undelivered = (errorCode: ErrorCode, afterMs: number): Partial<Reaction> => ({
  receipt: 'undelivered',
  receiptErrorCode: errorCode,
  receiptAfterMs: afterMs,
});
const delivered = (afterMs: number): Partial<Reaction> => ({ receipt: 'delivered', receiptAfterMs: afterMs });

/** sent 1, delivered 2. */
const plain: MagicRecipient = { script: { startDelaysMs: [1_000] }, reaction: delivered(1_000) };

const magic: ReadonlyMap<string, MagicRecipient> = new Map<string, MagicRecipient>([
  [number('000'), plain],
  [number('005'), { ...plain, script: { ...plain.script, code: '123456' } }],
  [number('010'), { script: { startDelaysMs: [0] }, reaction: delivered(0) }],
  ['sandbox@example.com', { script: { startDelaysMs: [1_000] }, reaction: delivered(2_000) }],
  [number('001'), refused(5011, 'Invalid phone number', 5020)],
  [number('011'), refused(5013, 'Blacklisted', 5013)],
  [number('012'), refused(5019, 'Unsubscribed', 5019)],
  [number('099'), refused(3004, 'Rate limited', 5015)],
  [number('002'), { script: { startDelaysMs: [1_000] }, reaction: undelivered(5012, 2_000) }],
  [number('003'), { script: { startDelaysMs: [1_000], silent: true }, reaction: { receipt: 'none' } }],
  [number('018'), { script: { startDelaysMs: [1_000] }, reaction: undelivered(5018, 2_000) }],
  [
    number('004'),
    {
      script: { chain: phoneChain, startDelaysMs: [1_000, 2_000, 2_000] },
      reaction: delivered(5_000),
      channels: { whatsapp: undelivered(5012, 7_000) },
    },
  ],
  [
    number('014'),
    {
      script: { chain: phoneChain, startDelaysMs: [1_000, 2_000, 2_000] },
      reaction: undelivered(5012, 5_000),
      channels: { whatsapp: undelivered(5012, 7_000), sms: undelivered(5018, 5_000) },
    },
  ],
  [number('024'), { script: { chain: phoneChain, startDelaysMs: [1_000] }, reaction: delivered(2_000) }],
]);

/** Whether the normalised address is one of the contract's magic recipients: thirteen phone numbers and an e-mail address. */
export function isMagic(to: string): boolean {
  return magic.has(to);
}

/** How a message to the normalised address is handled for this application; null: as any other. Contract §13. */
export function scriptFor(application: Pick<Application, 'network' | 'sandbox'>, to: string): Script | null {
  const isSandbox = application.sandbox !== 'none';
  if (!isSandbox && application.network !== 'virtual') return null;
  const found = magic.get(to);
  if (found) return structuredClone(found.script);
  return isSandbox ? structuredClone(plain.script) : null;
}

/** How the virtual phone network treats a hand-over where no script of the application says otherwise. */
export function reactionTo(to: string, channel: Channel): Reaction {
  const found = magic.get(to);
  return found ? { ...ordinaryReaction, ...found.reaction, ...found.channels?.[channel] } : ordinaryReaction;
}
