/**
 * How the virtual phone network treats one hand-over on one channel: its answer, what reaches the handset, which receipts
 * follow. Pure. The wire form is the body of PUT /v1/sandbox/recipients/{to}.
 */
import { z } from 'zod';
import type { Channel } from '../channels/index.ts';
import type { ErrorCode } from '../errors.ts';

export const handOvers = ['accept', 'refuse', 'refuse_temporarily', 'no_answer'] as const;
export const receiptKinds = ['delivered', 'undelivered', 'none'] as const;

export interface Reaction {
  handOver: (typeof handOvers)[number];
  /** Of a refusal. */
  errorCode: ErrorCode;
  /** Taken, but never on the handset. */
  lost: boolean;
  arriveAfterMs: number;
  receipt: (typeof receiptKinds)[number];
  /** Of an undelivered receipt. */
  receiptErrorCode: ErrorCode;
  receiptAfterMs: number;
  /** More than one: duplicates. */
  receiptTimes: number;
  /** Once more, before the network has answered the hand-over at all. */
  receiptBeforeAnswer: boolean;
}

/** Taken and on the handset at once, delivered receipt after a second. */
export const ordinaryReaction: Reaction = {
  handOver: 'accept',
  errorCode: 5012,
  lost: false,
  arriveAfterMs: 0,
  receipt: 'delivered',
  receiptErrorCode: 5012,
  receiptAfterMs: 1_000,
  receiptTimes: 1,
  receiptBeforeAnswer: false,
};

const upstreamCodes = [5001, 5012, 5013, 5014, 5015, 5016, 5017, 5018, 5019, 5020] as const satisfies ErrorCode[];
const errorCode = z.literal(upstreamCodes);
const delayMs = z.int().min(0).max(86_400_000);

const reactionSchema = z
  .object({
    hand_over: z.enum(handOvers).default('accept').meta({ description: 'How the network answers the hand-over.' }),
    error_code: errorCode.optional().meta({ description: 'Of a refusal; 5012, or 5016 when temporary.' }),
    lost: z.boolean().default(false).meta({ description: 'Taken, but never on the handset.' }),
    arrive_after_ms: delayMs.default(0),
    receipt: z.enum(receiptKinds).optional().meta({
      description: 'delivered where the message is accepted and arrives, else none.',
    }),
    receipt_error_code: errorCode.default(5012).meta({ description: 'Of an undelivered receipt.' }),
    receipt_after_ms: delayMs.default(1_000).meta({ description: 'Counted from the hand-over.' }),
    receipt_times: z.int().min(1).max(5).default(1).meta({ description: 'More than one: duplicates.' }),
    receipt_before_answer: z.boolean().default(false).meta({
      description: 'Reports once more, before the hand-over is answered.',
    }),
  })
  .refine((wire) => !isRefusal(wire.hand_over) || wire.receipt === undefined || wire.receipt === 'none', {
    path: ['receipt'],
    message: 'a refused message has no receipt',
  });
type WireReaction = z.output<typeof reactionSchema>;

const isRefusal = (handOver: Reaction['handOver']): boolean =>
  handOver === 'refuse' || handOver === 'refuse_temporarily';

const reactions = reactionSchema.optional();
export const channelReactionsSchema = z
  .object({ whatsapp: reactions, sms: reactions, email: reactions, voice: reactions } satisfies Record<
    Channel,
    unknown
  >)
  .refine((channels) => Object.values(channels).some((wire) => wire !== undefined), {
    message: 'name at least one channel',
  });

/** What a client gets back: every value, also those it left out. */
export const wireReactionSchema = z.object({
  hand_over: z.enum(handOvers),
  error_code: z.int(),
  lost: z.boolean(),
  arrive_after_ms: z.int(),
  receipt: z.enum(receiptKinds),
  receipt_error_code: z.int(),
  receipt_after_ms: z.int(),
  receipt_times: z.int(),
  receipt_before_answer: z.boolean(),
});

/** Fills in what depends on other fields: the code of a refusal, and whether a receipt follows at all. */
export function readReaction(wire: WireReaction): Reaction {
  return {
    handOver: wire.hand_over,
    errorCode: wire.error_code ?? (wire.hand_over === 'refuse_temporarily' ? 5016 : 5012),
    lost: wire.lost,
    arriveAfterMs: wire.arrive_after_ms,
    receipt: wire.receipt ?? (wire.hand_over === 'accept' && !wire.lost ? 'delivered' : 'none'),
    receiptErrorCode: wire.receipt_error_code,
    receiptAfterMs: wire.receipt_after_ms,
    receiptTimes: wire.receipt_times,
    receiptBeforeAnswer: wire.receipt_before_answer,
  };
}

export function writeReaction(reaction: Reaction): z.output<typeof wireReactionSchema> {
  return {
    hand_over: reaction.handOver,
    error_code: reaction.errorCode,
    lost: reaction.lost,
    arrive_after_ms: reaction.arriveAfterMs,
    receipt: reaction.receipt,
    receipt_error_code: reaction.receiptErrorCode,
    receipt_after_ms: reaction.receiptAfterMs,
    receipt_times: reaction.receiptTimes,
    receipt_before_answer: reaction.receiptBeforeAnswer,
  };
}

export type ChannelReactions = Partial<Record<Channel, Reaction>>;
