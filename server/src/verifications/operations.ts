/** POST /v1/verifications (contract §6). */
import { z } from 'zod';
import { ApiError } from '../errors.ts';
import { defineOperation, type IdempotencyTicket, type Operation } from '../http/operation.ts';
import type { Db, Queryable } from '../platform/db.ts';
import { isId } from '../platform/ids.ts';
import type { Application, Caller } from '../policy.ts';
import { isPlain, isRetained, plainText, signalsSchema } from '../wire.ts';
import type { Verifications } from './check.ts';

export const verifyBody = z.object({
  message_id: z.string().min(1).max(64).describe('The id that a send answered.'),
  verify_code: z
    .string()
    .min(1)
    .max(64)
    // A pasted code may bring a line end along; it is trimmed away.
    .refine((text) => isPlain(text.trim()), 'must not contain control characters')
    .describe(
      'The code as the user typed it; white space around it and letter case do not matter unless the code mixes cases.',
    ),
  purpose: plainText(1, 64).optional().describe('Must equal the purpose given at the send.'),
  signals: signalsSchema.optional(),
});

const output = z.object({
  message_id: z.string(),
  verify_code: z.string().describe('As submitted.'),
  verified: z.boolean(),
  attempts_remaining: z.int().optional().describe('After a wrong code: how many more may be tried.'),
  to: z.string().optional().describe('After the right code: the address that is proven.'),
  purpose: z.string().optional(),
});

/** The limits a check meets, as CheckPorts.limits reads them. */
export type Limiting = (caller: Caller, signals: z.infer<typeof signalsSchema> | undefined) => readonly unknown[];

export interface VerificationOperationPorts {
  db: Db;
  verifications: Verifications;
  now(): number;
  limitsOf: Limiting;
  /** After a right code was answered; must not throw. */
  onVerified?(application: Application, messageId: string): void;
  /** Stores the answer of a deed in the deed's own transaction and marks the ticket. */
  storeAnswer(tx: Queryable, ticket: IdempotencyTicket, answer: object): Promise<void>;
}

export function makeVerificationOperations({
  db,
  verifications,
  now,
  limitsOf,
  onVerified,
  storeAnswer,
}: VerificationOperationPorts): Operation[] {
  return [
    defineOperation(
      {
        id: 'verifyOtp',
        method: 'POST',
        path: '/v1/verifications',
        tag: 'Verifying',
        auth: 'key',
        permission: 'verify',
        summary: 'Check a code',
        description:
          'A wrong code answers 200 with verified false and costs one attempt. The right code verifies once; a second check answers 3003.',
        input: { body: verifyBody },
        output,
        errors: [3003, 3004, 4001],
        notStored: ['verify_code'],
        examples: [
          {
            name: 'right code',
            body: { message_id: '2072832692843466759', verify_code: '482913' },
            output: { message_id: '2072832692843466759', verify_code: '482913', verified: true, to: '+6598120044' },
          },
          {
            name: 'wrong code',
            body: { message_id: '2072832692843466759', verify_code: '111111' },
            output: {
              message_id: '2072832692843466759',
              verify_code: '111111',
              verified: false,
              attempts_remaining: 4,
            },
          },
        ],
        agent: {
          title: 'Verify a one-time code',
          description:
            'Checks the code a user typed. Costs one attempt; do not guess. verified true means the user holds the address.',
        },
      },
      async ({ caller, body: request, idempotency }) => {
        const { message_id, verify_code, purpose, signals } = request;
        if (!isId(message_id) || !isRetained(message_id, caller.application, now()))
          throw new ApiError(4001, 'message not found');
        const asked = {
          applicationId: caller.application.id,
          messageId: message_id,
          code: verify_code,
          purpose: purpose ?? null,
          rates: limitsOf(caller, signals),
        };
        const answer = (result: Awaited<ReturnType<Verifications['check']>>): z.infer<typeof output> => ({
          message_id,
          verify_code,
          verified: result.verified,
          ...(result.verified
            ? { to: result.target, ...(result.purpose !== null && { purpose: result.purpose }) }
            : { attempts_remaining: result.attemptsRemaining }),
        });
        const told = (checked: z.infer<typeof output>): z.infer<typeof output> => {
          if (checked.verified) onVerified?.(caller.application, message_id);
          return checked;
        };
        if (!idempotency) return told(answer(await verifications.check(asked)));
        const checked = await db.transaction(async (tx) => {
          const checked = answer(await verifications.check(asked, tx));
          const { verify_code: _code, ...stored } = checked;
          await storeAnswer(tx, idempotency, stored);
          return checked;
        });
        return told(checked);
      },
    ),
  ];
}
