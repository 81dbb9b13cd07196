/** What an operator says about the answer to a hand-over: where the id stands and what answers mean. */
import { z } from 'zod';
import { reasons } from '../outcome.ts';
import { hasValue } from './pattern.ts';
import { placeFields, placesGiven } from './place.ts';

export const idPlace = z
  .strictObject({
    ...placeFields,
    reference: z.literal(true).optional().meta({
      title: 'Our reference',
      description: 'The gateway gives no id and knows the message by the {{reference}} it was given.',
    }),
  })
  .refine((place) => placesGiven(place) + (place.reference ? 1 : 0) === 1, {
    message: 'give one of pointer, pattern, header and reference (null takes one away)',
  })
  .refine(({ pattern }) => pattern === undefined || hasValue(pattern), {
    path: ['pattern'],
    message: 'needs (*) where the id stands',
  });
export type IdPlace = z.infer<typeof idPlace>;

/** Answers are compared as text, so that 105 and "105" are the same. */
const scalar = z.union([z.string().max(200), z.number(), z.boolean()], {
  error: 'must be a text, number or true or false',
});

const meaningSchema = z.strictObject({
  reason: z
    .enum(reasons)
    .meta({ title: 'Reason', description: 'What is wrong; decides the error code and what is tried next.' }),
  temporary: z.boolean().default(false).meta({
    title: 'Temporary',
    description: 'The same request may work later.',
  }),
});

const outcome = z.union([z.enum(['accepted', 'unknown']), meaningSchema], {
  error: 'must be "accepted", "unknown" or {reason, temporary}',
});

export const answerRule = z
  .strictObject({
    status: z
      .string()
      .regex(/^[2-5](?:\d\d|xx)$/, 'must be an HTTP status such as 402, or a class such as 4xx')
      .optional()
      .meta({ title: 'HTTP status', description: '402, or 4xx for the whole class; absent: any.' }),
    ...placeFields,
    equals: z
      .union([scalar, z.array(scalar).min(1).max(100)])
      .optional()
      .meta({
        title: 'Value',
        description: 'One or several; absent: any value there.',
      }),
    outcome: outcome.meta({
      title: 'Outcome',
      description: '"accepted", "unknown", or a reason and whether it is temporary.',
    }),
    note: z.string().min(1).max(200).optional().meta({
      title: 'Note',
      description: 'Shown to the operator when the rule applies: what is wrong and what to do.',
    }),
  })
  .refine((rule) => placesGiven(rule) <= 1, { message: 'give at most one of pointer, pattern and header' })
  .refine((rule) => rule.equals === undefined || placesGiven(rule) === 1, {
    path: ['equals'],
    message: 'needs a pointer, a pattern or a header',
  })
  .refine(({ equals, pattern }) => equals === undefined || pattern === undefined || hasValue(pattern), {
    path: ['pattern'],
    message: 'needs (*) where the value stands',
  })
  .refine((rule) => rule.status !== undefined || placesGiven(rule) === 1, {
    message: 'a rule needs a status, a pointer, a pattern or a header',
  });
export type AnswerRule = z.infer<typeof answerRule>;
