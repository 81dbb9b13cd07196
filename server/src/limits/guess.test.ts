import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Policy, policySchema } from '../policy.ts';
import { seeded } from '../testing/seeded.ts';
import { codeSpace } from '../verifications/index.ts';
import { type GuessTemplate, guessProbability, type TemplateGuess } from './guess.ts';

type Code = GuessTemplate['code'];

function template(code: Partial<Code> = {}, resend: GuessTemplate['resend'] = {}, templateId = 'login'): GuessTemplate {
  return { templateId, revision: 1, code: { type: 1, length: 6, ttlSeconds: 300, ...code }, resend };
}

const weigh = (policy: object, templates: readonly GuessTemplate[]) =>
  guessProbability(policySchema.parse(policy), templates, codeSpace);

function only(policy: object, one: GuessTemplate): TemplateGuess {
  const [guess] = weigh(policy, [one]).templates;
  assert.ok(guess);
  return guess;
}

test('the defaults of the platform leave 240 guesses a day at a million codes', () => {
  const { templates, worst } = weigh({}, [template()]);
  const chance = { guessesPerDay: 240, probabilityPerDay: 0.00024, oneIn: 4166 };
  assert.deepEqual(templates, [{ templateId: 'login', revision: 1, validCodes: 1, codeSpace: 1_000_000, ...chance }]);
  assert.deepEqual(worst, chance);
  assert.deepEqual(weigh({}, []), { templates: [], worst: null });
});

test('a window that does not divide the day counts once more', () => {
  const guesses = (target_window_seconds: number): number =>
    only({ target_attempts: 7, target_window_seconds }, template()).guessesPerDay;
  assert.deepEqual([86_400, 43_200, 50_000, 7000].map(guesses), [7, 14, 14, 91]);
});

test('where few codes are sent, their attempts bound the guesses', () => {
  const few = { max_attempts: 2, resend_policy: { max_sends: 3, window_seconds: 86_400 } };
  // A day, and the life of a code that began before it: two windows.
  assert.equal(only(few, template()).guessesPerDay, 2 * 3 * 2);
  const often = { max_attempts: 2, resend_policy: { max_sends: 1, window_seconds: 43_200 } };
  assert.equal(only(often, template()).guessesPerDay, 2 * 3);
  const long = { ...often, allow_overrides: ['ttl_seconds'] };
  assert.equal(only(long, template()).guessesPerDay, 2 * 4);
  assert.equal(only(few, template({}, { max_sends: 1 })).guessesPerDay, 2 * 1 * 2);
});

test('the sends of a template are bounded by its own window, whatever the others have', () => {
  const few = { max_attempts: 1, resend_policy: { max_sends: 1, window_seconds: 86_400 } };
  const short = template({}, { window_seconds: 21_600 }, 'short');
  const { templates, worst } = weigh(few, [template(), short]);
  assert.deepEqual(
    templates.map(({ guessesPerDay }) => guessesPerDay),
    [2, 5],
  );
  assert.equal(worst?.guessesPerDay, 7);
  assert.equal(weigh({ ...few, resend_policy: { window_seconds: 60 } }, [short]).templates[0]?.guessesPerDay, 10 * 5);
});

test('codes that are right together multiply the chance, and only under rotate_with_grace', () => {
  const grace = { resend_policy: { mode: 'rotate_with_grace', n: 4 } };
  assert.deepEqual([only(grace, template()).validCodes, only(grace, template()).probabilityPerDay], [4, 0.00096]);
  assert.equal(only({}, template({}, { mode: 'rotate_with_grace', n: 5 })).validCodes, 5);
  for (const mode of ['compat', 'rotate', 'reuse'])
    assert.equal(only({ resend_policy: { mode, n: 4 } }, template()).validCodes, 1);
  const two = { resend_policy: { ...grace.resend_policy, max_sends: 2 } };
  assert.equal(only(two, template()).validCodes, 2, 'no more than can be sent while one lives');
});

test('the alphabet is the one that a check tells apart, without the letters left out', () => {
  const sizes = [1, 2, 3, 4, 5, 6, 7].map((type) => only({}, template({ type, length: 4 })).codeSpace);
  assert.deepEqual(
    sizes,
    [10, 24, 32, 24, 32, 48, 56].map((letters) => letters ** 4),
  );
});

test('an override of the length counts as the shortest, under the profile as six', () => {
  const allow_overrides = ['code_length'];
  assert.equal(only({ allow_overrides }, template({ length: 8 })).codeSpace, 10 ** 4);
  assert.equal(only({ allow_overrides, profile: 'nist-800-63b' }, template({ length: 8 })).codeSpace, 10 ** 6);
  assert.equal(only({}, template({ length: 8 })).codeSpace, 10 ** 8);
});

test('the worst case spends the guesses of the target on the easiest codes first', () => {
  const few = { max_attempts: 1, target_attempts: 100, target_window_seconds: 86_400 };
  const easy = template({ length: 4 }, { max_sends: 1 }, 'easy');
  const { templates, worst } = weigh({ ...few, resend_policy: { window_seconds: 43_200 } }, [template(), easy]);
  assert.deepEqual(
    templates.map(({ guessesPerDay }) => guessesPerDay),
    [30, 3],
  );
  assert.deepEqual(worst, { guessesPerDay: 33, probabilityPerDay: 3 / 10_000 + 30 / 1_000_000, oneIn: 3030 });
  const all = { target_attempts: 100, target_window_seconds: 60, max_attempts: 10 };
  const certain = weigh({ ...all, resend_policy: { max_sends: 1000 } }, [template({ length: 4 })]).worst;
  assert.deepEqual([certain?.probabilityPerDay, certain?.oneIn], [1, 1]);
});

/** One target over a day: fills up the valid codes, then guesses, never the same twice at one verification. */
function isTakenOver(policy: Policy, validCodes: number, space: number, draw: (below: number) => number): boolean {
  const windows = Math.ceil(86_400 / policy.target_window_seconds);
  for (let window = 0; window < windows; window++) {
    for (let left = policy.target_attempts; left > 0; left -= policy.max_attempts) {
      const codes = new Set(Array.from({ length: validCodes }, () => draw(space)));
      const first = draw(space);
      for (let tried = 0; tried < Math.min(left, policy.max_attempts); tried++)
        if (codes.has((first + tried) % space)) return true;
    }
  }
  return false;
}

test('over many targets the guesser gets through as often as computed, and not more', (t) => {
  const seed = 20_260_703;
  const targets = 20_000;
  const draw = seeded(seed);
  t.diagnostic(`seed ${seed}, ${targets} targets, 4 digits\nmode n attempts per-window | computed | bound | seen`);
  const cases = [
    { n: 1, max_attempts: 5, target_attempts: 10, target_window_seconds: 3600 },
    { n: 3, max_attempts: 5, target_attempts: 10, target_window_seconds: 3600 },
    { n: 5, max_attempts: 10, target_attempts: 10, target_window_seconds: 3600 },
    { n: 2, max_attempts: 3, target_attempts: 20, target_window_seconds: 10_000 },
    { n: 1, max_attempts: 10, target_attempts: 100, target_window_seconds: 86_400 },
  ];
  for (const { n, ...limits } of cases) {
    const policy = policySchema.parse({
      ...limits,
      resend_policy: { mode: 'rotate_with_grace', n, max_sends: 1000 },
    });
    const [guess] = guessProbability(policy, [template({ length: 4 })], codeSpace).templates;
    assert.ok(guess);
    const { probabilityPerDay: p, validCodes, codeSpace: space } = guess;
    let hits = 0;
    for (let i = 0; i < targets; i++) if (isTakenOver(policy, validCodes, space, draw)) hits++;
    const spread = 4 * Math.sqrt(targets * p * (1 - p));
    const row = [n, limits.max_attempts, limits.target_attempts, limits.target_window_seconds];
    t.diagnostic(`${row.join(' ')} | ${p} | ${Math.floor(targets * p + spread)} | ${hits}`);
    assert.ok(hits <= targets * p + spread, `${hits} hits, computed ${targets * p}`);
    // Chances that add up count a target twice that is hit twice; more than that the figure is not above the truth.
    assert.ok(hits >= targets * (1 - Math.exp(-p)) - spread, `${hits} hits, computed ${targets * p}`);
  }
});
