/**
 * How likely a guesser is to take over one given target within a day, from the rules in force; pure. The figure is an upper bound
 * that holds for who may send, resend and check as much as the rules let, with any keys and addresses.
 *
 * 1. Guesses of the target. A wrong code counts toward the target, over all its codes, and no check is compared while
 *    `target_attempts` of them lie within the rolling `target_window_seconds` (contract §6). A day is cut into ceil(86400 / window)
 *    windows, each holds at most that many guesses: target_attempts × ceil(86400 / window). A right code would clear the
 *    count, but for the guesser it is the end. (When its owner enters one, the guesser gets one more window's worth.)
 * 2. Guesses by codes. A verification bears `max_attempts` wrong codes, whatever the resends (contract §5.6). One that can be
 *    guessed within the day was begun or renewed by a send inside the day or less than a code's life before it; so of a template
 *    there are at most max_sends × ceil((86400 + life) / w) of them. w is the template's own send window: a target keeps a day of
 *    sends, the longest window there is, so one template's send forgets nothing that another's counts. The lock of `compat`
 *    bounds nothing here, since a failed or cancelled message releases it.
 * 3. The chance of one guess. Codes are drawn evenly from the alphabet as a check tells its letters apart, so a guess is one of
 *    n codes valid together with chance n / alphabet^length; by the union bound the chances of all guesses add up. n is that of
 *    `rotate_with_grace`, less where fewer codes can be sent within a code's life; 1 under the other modes. Values of custom_args
 *    that look like a code, 20 at most, are never drawn; they are the caller's doing and left out of the figure.
 * 4. A guesser may split the guesses of the target over templates: the worst case gives them to the easiest codes first.
 *
 * Source: users.md §5 (10 checks per hour and target, 6 digits: 2.4e-4 per day; n accepted codes multiply it by n).
 * Codes that the caller makes are checked by the caller and are not in the figure.
 */
import type { Policy, ResendRule } from '../policy.ts';

/** A template whose texts carry a code, as far as guessing is concerned. */
export interface GuessTemplate {
  templateId: string;
  revision: number;
  code: { type: number; length: number; ttlSeconds: number };
  /** What the template itself says; the application's rule fills in the rest. */
  resend: Partial<ResendRule>;
}

export interface TemplateGuess {
  templateId: string;
  revision: number;
  guessesPerDay: number;
  validCodes: number;
  codeSpace: number;
  probabilityPerDay: number;
  /** A guesser gets through once in so many days, rounded down. */
  oneIn: number;
}

export interface ApplicationGuess {
  templates: TemplateGuess[];
  /** Null where no template carries a code. */
  worst: { guessesPerDay: number; probabilityPerDay: number; oneIn: number } | null;
}

/** How many codes of a type and length a guesser can be up against. */
export type CodeSpace = (type: number, length: number) => number;

const day = 86_400;
/** What a send may ask for where the policy lets it (contract §4), and what the profile holds against it (contract §12). */
const bounds = {
  default: { shortest: 4, longestSeconds: day },
  'nist-800-63b': { shortest: 6, longestSeconds: 600 },
} as const;

export function guessProbability(
  policy: Policy,
  templates: readonly GuessTemplate[],
  codeSpace: CodeSpace,
): ApplicationGuess {
  const ofTarget = policy.target_attempts * Math.ceil(day / policy.target_window_seconds);
  const guesses = templates.map((template) => {
    const rule = { ...policy.resend_policy, ...template.resend };
    const { length, ttlSeconds } = weakestCode(policy, template.code);
    const sendsWithin = (seconds: number): number => rule.max_sends * Math.ceil(seconds / rule.window_seconds);
    const guessesPerDay = Math.min(ofTarget, policy.max_attempts * sendsWithin(day + ttlSeconds));
    const validCodes = rule.mode === 'rotate_with_grace' ? Math.min(rule.n, sendsWithin(ttlSeconds)) : 1;
    const space = codeSpace(template.code.type, length);
    return {
      templateId: template.templateId,
      revision: template.revision,
      guessesPerDay,
      validCodes,
      codeSpace: space,
      ...chance(guessesPerDay * validCodes, space),
    };
  });
  return { templates: guesses, worst: worstOf(guesses, ofTarget) };
}

/** Shortest and longest-living, of what the template says and a send may say in its place. */
function weakestCode({ profile, allow_overrides: allowed }: Policy, code: GuessTemplate['code']) {
  const { shortest, longestSeconds } = bounds[profile];
  return {
    length: allowed.includes('code_length') ? shortest : Math.max(shortest, code.length),
    ttlSeconds: allowed.includes('ttl_seconds') ? longestSeconds : Math.min(longestSeconds, code.ttlSeconds),
  };
}

/** One division of whole numbers, so that a ceiling of the very figure lets it pass. */
const chance = (codesHit: number, space: number): { probabilityPerDay: number; oneIn: number } => ({
  probabilityPerDay: Math.min(1, codesHit / space),
  oneIn: Math.max(1, Math.floor(space / codesHit)),
});

function worstOf(templates: readonly TemplateGuess[], ofTarget: number): ApplicationGuess['worst'] {
  const easiestFirst = templates.toSorted((a, b) => b.validCodes / b.codeSpace - a.validCodes / a.codeSpace);
  const [easiest] = easiestFirst;
  if (!easiest) return null;
  let left = ofTarget - easiest.guessesPerDay;
  let probability = easiest.probabilityPerDay;
  for (const { guessesPerDay, validCodes, codeSpace } of easiestFirst.slice(1)) {
    const taken = Math.min(left, guessesPerDay);
    left -= taken;
    probability += (taken * validCodes) / codeSpace;
  }
  const probabilityPerDay = Math.min(1, probability);
  const oneIn = probability === easiest.probabilityPerDay ? easiest.oneIn : Math.floor(1 / probabilityPerDay);
  return { guessesPerDay: ofTarget - left, probabilityPerDay, oneIn };
}
