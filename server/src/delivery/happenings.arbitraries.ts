/** Any delivery and anything that may happen to one, for the property of next.property.test.ts. */
import fc from 'fast-check';
import type { Channel, SendOutcome } from '../channels/index.ts';
import type { Draft } from './prepare.ts';
import type { EndReason } from './state.ts';

const lifeMs = 600_000;
const phone = '+6598120044';
const email = 'ana@example.com';

/** What becomes of a turn: the call by the line planned or by another, no time for it, no provider. */
export type Starts = 'yes' | 'other' | 'no_time' | 'no_route';

export type Step =
  | { kind: 'pass'; ms: number }
  | { kind: 'work'; jump: boolean; starts: Starts }
  | { kind: 'answer'; which: number; outcome: SendOutcome }
  | { kind: 'receipt'; which: number; code: 5012 | 5020 | null }
  | { kind: 'next' }
  | { kind: 'resend'; channel: Channel | undefined }
  | { kind: 'overtaken' }
  | { kind: 'end'; reason: Exclude<EndReason, 'expired'> };

const channel = fc.constantFrom<Channel>('whatsapp', 'sms', 'voice', 'email');
export const draft: fc.Arbitrary<Draft> = fc
  .record({
    hasVerification: fc.boolean(),
    steps: fc.uniqueArray(
      fc.record({
        channel,
        skip: fc.constantFrom(null, null, null, 'no_route' as const),
        waitMs: fc.constantFrom(5_000, 20_000, 600_000),
        startDelayMs: fc.constantFrom(0, 0, 2_000),
        lines: fc.constantFrom(undefined, ['a'], ['a', 'b'], ['b', 'a', 'c']),
      }),
      { minLength: 1, maxLength: 4, selector: (step) => step.channel },
    ),
  })
  .filter(({ steps }) => steps.some((step) => step.skip === null))
  .map(({ hasVerification, steps }) => ({
    applicationId: '1',
    messageId: '2072832692843466759',
    to: phone,
    hasVerification,
    silent: false,
    code: '482913',
    deadlineMs: lifeMs,
    releaseKey: { target: phone, templateId: 'login' },
    steps: steps.map((step) => ({
      ...step,
      to: step.channel === 'email' ? email : phone,
      content: { text: 'text', language: 'en' },
    })),
  }));

const outcome: fc.Arbitrary<SendOutcome> = fc.oneof(
  fc.constant<SendOutcome>({ kind: 'accepted', upstreamId: 'u', costMicros: 41_200 }),
  fc.constant<SendOutcome>({ kind: 'accepted', upstreamId: 'u', costMicros: 7, refundable: true }),
  fc.record({
    kind: fc.constant('refused' as const),
    temporary: fc.boolean(),
    errorCode: fc.constantFrom(5001 as const, 5012 as const, 5016 as const, 5020 as const),
    reason: fc.constantFrom(
      'upstream_error' as const,
      'unreachable' as const,
      'number_invalid' as const,
      'credentials' as const,
    ),
    detail: fc.constant('r'),
    retryAfterMs: fc.constantFrom(0, 10_000, 100_000),
  }),
  fc.constant<SendOutcome>({ kind: 'unknown', detail: 'r' }),
);
const which = fc.nat(5);
const work = fc.record({
  kind: fc.constant('work' as const),
  jump: fc.boolean(),
  starts: fc.constantFrom<Starts>('yes', 'yes', 'yes', 'other', 'no_time', 'no_route'),
});
export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1_000, 5_000, 20_000, 60_000) }),
  },
  { weight: 6, arbitrary: work },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('answer' as const), which, outcome }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('receipt' as const),
      which,
      code: fc.constantFrom(null, 5012 as const, 5020 as const),
    }),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'next' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'overtaken' }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('resend' as const), channel: fc.option(channel, { nil: undefined }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      reason: fc.constantFrom('verified' as const, 'exhausted' as const, 'cancelled' as const, 'superseded' as const),
    }),
  },
);
