/**
 * A guesser at work for a simulated day, through the whole app: every key of the application, a new address for every request, sends,
 * resends and codes as many as the rules let. No target gets more guesses than the figure says.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachApp, type TestReply } from '../testing/app.ts';
import { bodyOf } from '../testing/application.ts';
import { seeded } from '../testing/seeded.ts';

const seed = 20_260_704;
const draw = seeded(seed);
const drawDigits = (length: number): string => String(draw(10 ** length)).padStart(length, '0');
const hour = 3_600_000;
const day = 24 * hour;

const template = (template_id: string, resend: object = {}) => ({
  ...{ template_id, send_channel_strategy: 'sms', resend },
  verify_code_config: { verify_code_type: 1, verify_code_len: 6, verify_code_ttl: 5 },
  sms_config: { template_type: 1, template_default_config: {} },
});

interface Guess {
  templateId: string;
  atMs: number;
}

/** The most that lie in any stretch of so long. */
const mostWithin = (guesses: readonly Guess[], ms: number): number =>
  Math.max(0, ...guesses.map(({ atMs: end }) => guesses.filter(({ atMs }) => atMs <= end && atMs > end - ms).length));

type Get = Parameters<Parameters<typeof onEachApp>[1]>[0];

/** An application with four keys, and somebody who uses them all. */
async function openGuesser(get: Get, policy: object, templates: readonly object[]) {
  const { call, operator, makeApplication, makeKey, database } = get();
  const { id, credential } = await makeApplication({ policy: { template_review: 'auto', ...policy } });
  const credentials = [credential];
  for (let i = 1; i < 4; i++) credentials.push((await makeKey(id)).credential);
  for (const body of templates) bodyOf(await call({ path: '/v1/template-configs', body, credential }));
  const figures = bodyOf(await operator({ path: `/admin/v1/applications/${id}/guess-probability` }));

  /** By the next key, from an address of its own. */
  let asked = 0;
  function ask(path: string, body: object): Promise<TestReply> {
    const ip = `198.18.${(++asked >> 8) % 256}.${asked % 256}`;
    return call({ path, body: { ...body, signals: { ip } }, credential: credentials[asked % 4] ?? credential });
  }

  async function send(to: string, templateId: string): Promise<string[]> {
    const { body } = await ask('/v1/messages', { to, template: { id: templateId }, code_length: 4 });
    return body.message_id === undefined ? [] : [body.message_id];
  }

  /** Notes every guess that was compared; how many were, and whether one was right. */
  async function guess(seen: Guess[], templateId: string, ids: readonly string[]) {
    const replies = await Promise.all(
      ids.map((message_id) => ask('/v1/verifications', { message_id, verify_code: drawDigits(4) })),
    );
    const compared = replies.filter(({ status }) => status === 200);
    seen.push(...compared.map(() => ({ templateId, atMs: database.clock.now() })));
    return { compared: compared.length, right: compared.some(({ body }) => body.verified) };
  }

  const resend = (messageId: string): Promise<TestReply> =>
    call({ path: `/v1/messages/${messageId}/resend`, body: {}, credential: credentials[draw(4)] ?? credential });
  return { figures, send, resend, guess };
}

const window = 14_400;
const allowances = { request_rate: 1_000_000, allow_overrides: ['code_length'] };

const guesserTests = (get: Get): void => {
  test('across sends, resends, templates, addresses and keys makes the guesses computed and no more', async (t) => {
    const { clock } = get().database;
    await clock.freeze();
    const policy = {
      ...allowances,
      ...{ max_attempts: 5, target_attempts: 12, target_window_seconds: window },
      resend_policy: { mode: 'rotate_with_grace', n: 3, resend_after: 0, max_sends: 20, window_seconds: 3600 },
    };
    const guesser = await openGuesser(get, policy, [template('login'), template('signup')]);
    const { guesses_per_day: computed, probability_per_day: probability } = guesser.figures.worst;
    assert.deepEqual([computed, probability], [72, 0.0216]);
    const targets = new Map<string, Guess[]>(['+6591400001', '+6591400002', '+6591400003'].map((to) => [to, []]));
    const taken = new Set<string>();

    /** Two templates and a resend, then checks of both codes at once by all keys, until none is compared any more. */
    async function attack(to: string, seen: Guess[]): Promise<void> {
      const ids = (await Promise.all(['login', 'signup'].map((id) => guesser.send(to, id)))).flat();
      for (const message of ids) await guesser.resend(message);
      for (let goOn = ids.length > 0; goOn; ) {
        const { compared, right } = await guesser.guess(seen, '', [...ids, ...ids]);
        if (right) taken.add(to);
        goOn = compared > 0 && !right;
      }
    }

    for (let half = 0; half < 48; half++) {
      for (const [to, seen] of targets) if (!taken.has(to)) await attack(to, seen);
      await clock.travel(hour / 2);
    }
    t.diagnostic(`seed ${seed}; 4 keys, an address per request; computed: ${computed} a day, ${probability}`);
    t.diagnostic('target | guesses | most in a window | computed | taken over');
    for (const [to, seen] of targets) {
      const most = mostWithin(seen, window * 1000);
      t.diagnostic(`${to} | ${seen.length} | ${most} | ${computed} | ${taken.has(to)}`);
      // Checks that were under way beside the right one are answered after it.
      if (taken.has(to)) continue;
      assert.equal(most, policy.target_attempts);
      assert.equal(seen.length, computed, 'the bound is reached and not passed');
    }
  });

  test('cannot send more codes of a template by sending those of one with a shorter window', async (t) => {
    const { clock } = get().database;
    await clock.freeze();
    const policy = {
      ...allowances,
      ...{ max_attempts: 2, target_attempts: 100, target_window_seconds: 60 },
      resend_policy: { mode: 'rotate', resend_after: 0 },
    };
    const templates = [
      template('rare', { max_sends: 2, window_seconds: 86_400 }),
      template('often', { max_sends: 3, window_seconds: 3_600 }),
    ];
    const guesser = await openGuesser(get, policy, templates);
    const computed = new Map<string, number>(
      guesser.figures.templates.map((one: { template_id: string; guesses_per_day: number }) => [
        one.template_id,
        one.guesses_per_day,
      ]),
    );
    assert.deepEqual(Object.fromEntries(computed), { rare: 8, often: 2 * 3 * 25 });
    const targets = new Map<string, Guess[]>();
    const taken = new Set<string>();

    async function attack(to: string, templateId: string, once: boolean): Promise<void> {
      const seen = targets.get(to) ?? [];
      targets.set(to, seen);
      for (let goOn = true; goOn; ) {
        const ids = await guesser.send(to, templateId);
        for (let compared = ids.length; compared > 0; ) {
          const guessed = await guesser.guess(seen, templateId, ids);
          if (guessed.right) taken.add(to);
          compared = guessed.right ? 0 : guessed.compared;
        }
        goOn = ids.length > 0 && !once && !taken.has(to);
      }
    }

    /** Each target has a guesser with another habit, who asks anew whenever the shorter window has forgotten. */
    const habits: Record<string, () => string[]> = {
      '+6591500001': () => ['rare'],
      '+6591500002': () => ['rare', 'often'],
      '+6591500003': () => ['often', 'rare'],
      '+6591500004': () => [['rare', 'often'][draw(2)] ?? ''],
      '+6591500005': () => ['often', 'rare'],
    };
    /** Sends one of the short window, so that as little as can be stands before one of the long. */
    const sparing = '+6591500005';
    for (let step = 0; step <= 25; step++) {
      for (const [to, habit] of Object.entries(habits))
        for (const templateId of habit()) if (!taken.has(to)) await attack(to, templateId, to === sparing);
      await clock.travel(hour + 1_000);
    }
    t.diagnostic(`seed ${seed}; most guesses within a day\ntarget | rare | of | often | of | taken over`);
    for (const [to, seen] of targets) {
      const most = (id: string): number =>
        mostWithin(
          seen.filter(({ templateId }) => templateId === id),
          day,
        );
      const [rare = 0, often = 0] = [computed.get('rare'), computed.get('often')];
      t.diagnostic(`${to} | ${most('rare')} | ${rare} | ${most('often')} | ${often} | ${taken.has(to)}`);
      assert.ok(most('rare') <= rare && most('often') <= often, to);
    }
    assert.ok([...targets.values()].some((seen) => mostWithin(seen, day) >= 4));
  });
};

onEachApp('a guesser over a day', guesserTests, { drawCode: (_, length) => drawDigits(length) });
