/** The operator's operations on limits, under /admin/v1. */
import { z } from 'zod';
import { ApiError } from '../errors.ts';
import { defineOperation, type Operation } from '../http/operation.ts';
import type { TemplateGuess } from './guess.ts';
import type { GuessGuard, Guessing } from './guess-guard.ts';

export interface LimitsOptions {
  guesses: Pick<GuessGuard, 'read'>;
}

export const createOperations = (options: LimitsOptions): Operation[] => [guessProbabilityOf(options)];

const chance = {
  guesses_per_day: z.number().describe('At one target, in any 24 hours.'),
  probability_per_day: z.number().describe('That they take over the target.'),
  one_in: z.number().describe('The same, as one in so many; rounded down.'),
};
const templateGuess = z.object({
  template_id: z.string(),
  revision: z.number(),
  ...chance,
  valid_codes: z.number().describe('Codes of one verification that are right at the same time.'),
  code_space: z.number().describe('How many codes there are, at the shortest length a send may ask for.'),
});
const guessSchema = z.object({
  application_id: z.string(),
  guess_ceiling: z.number().nullable(),
  templates: z.array(templateGuess),
  worst: z.object(chance).nullable().describe('Over all templates together; null where none carries a code.'),
});

const toTemplate = (guess: TemplateGuess): z.infer<typeof templateGuess> => ({
  template_id: guess.templateId,
  revision: guess.revision,
  guesses_per_day: guess.guessesPerDay,
  valid_codes: guess.validCodes,
  code_space: guess.codeSpace,
  probability_per_day: guess.probabilityPerDay,
  one_in: guess.oneIn,
});

const toWire = (application_id: string, { templates, worst, ceiling }: Guessing): z.infer<typeof guessSchema> => ({
  application_id,
  guess_ceiling: ceiling,
  templates: templates.map(toTemplate),
  worst: worst && {
    guesses_per_day: worst.guessesPerDay,
    probability_per_day: worst.probabilityPerDay,
    one_in: worst.oneIn,
  },
});

const worst = { guesses_per_day: 240, probability_per_day: 0.00024, one_in: 4166 };
const example = {
  application_id: '2072832692843446273',
  guess_ceiling: 0.001,
  templates: [{ template_id: 'login', revision: 1, ...worst, valid_codes: 1, code_space: 1_000_000 }],
  worst,
};

const guessProbabilityOf = ({ guesses }: LimitsOptions): Operation =>
  defineOperation(
    {
      tag: 'Operator: applications',
      auth: 'operator',
      id: 'getGuessProbability',
      method: 'GET',
      path: '/admin/v1/applications/{application_id}/guess-probability',
      summary: 'Tell how likely guessing takes over one target within a day',
      description:
        'The worst case under the policy and the templates in force, for a guesser who sends and checks as much as the limits let. A policy with `guess_ceiling` refuses changes that would exceed it.',
      input: { params: z.object({ application_id: z.string().min(1).max(64) }) },
      output: guessSchema,
      errors: [4001],
      examples: [{ name: 'six digits, the limits of the platform', output: example }],
    },
    async ({ params }) => {
      const found = await guesses.read(params.application_id);
      if (!found) throw new ApiError(4001, 'application not found', { status: 404 });
      return toWire(params.application_id, found);
    },
  );
