/** What rules would have done, against a recount that knows nothing of them but their sentences. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptedAttempts } from '../delivery/index.ts';
import { readRuleSet } from '../fraud-rules/index.ts';
import { sentCountries } from '../insights/index.ts';
import { messageFacts, numberingOf } from '../messages/index.ts';
import { sql } from '../platform/sql.ts';
import { onEachApp } from '../testing/app.ts';
import { bodyOf } from '../testing/application.ts';
import { seeded } from '../testing/seeded.ts';
import { send, under } from '../testing/traffic.ts';
import { backTest } from './back-test.ts';

const minute = 60_000;
const day = 1440 * minute;
const rule = (id: string, fact: string, op: string, value: unknown, verdict: string, more: object = {}) => ({
  ...{ id, title: id, mode: 'enforce', when: { fact, op, value }, verdict },
  ...more,
});

interface Message {
  id: string;
  at_ms: number;
  recipient: string;
  country: string;
  ip: string | null;
  device: string | null;
  trusted: boolean;
  verified: boolean;
  sms: number;
  whatsapp: number;
}

onEachApp('a back-test', (get) => {
  const path = (id: string): string => `/admin/v1/applications/${id}/fraud-rules/back-test`;
  const run = async (id: string, body: object) => bodyOf(await get().operator({ path: path(id), body }));
  const newApplication = async (): Promise<string> => (await get().makeApplication()).id;
  const travel = (ms: number) => get().database.clock.travel(ms);
  const never = { automatic_blocks: { enabled: 'never' } };

  const readMessages = (id: string): Promise<Message[]> =>
    get().database.db.query<Message>(sql`
      select m.id, (extract(epoch from e.at) * 1000)::double precision as at_ms, m.recipient, m.country,
        m.signals ->> 'ip' as ip, m.signals ->> 'device_id' as device, coalesce((m.signals ->> 'is_trusted_user')::boolean, false) as trusted,
        exists (select 1 from events v where v.application_id = m.application_id and v.message_id = m.id and v.status = 'verified') as verified,
        (select coalesce(sum(round((c.data #>> '{billing,cost}')::numeric * 1000000)), 0)::integer from events c
          where c.application_id = m.application_id and c.message_id = m.id and c.channel = 'sms') as sms,
        (select coalesce(sum(round((c.data #>> '{billing,cost}')::numeric * 1000000)), 0)::integer from events c
          where c.application_id = m.application_id and c.message_id = m.id and c.channel = 'whatsapp') as whatsapp
      from messages m join events e on e.application_id = m.application_id and e.message_id = m.id and e.status = 'plan'
      where m.application_id = ${id} order by e.position`);

  async function liveHours(id: string, seed: number): Promise<void> {
    const at = seeded(seed);
    for (let turn = 0; turn < 40; turn++) {
      const sends = Array.from({ length: at(5) }, () => ({
        to: `+6591${at(3)}${String(at(10_000)).padStart(5, '0')}`.slice(0, 11),
        country: at(6) === 0 ? 'AQ' : 'SG',
        signals: {
          ...(at(2) === 0 && { ip: `203.0.113.${at(6)}` }),
          ...(at(4) === 0 && { device_id: 'd' }),
          ...(at(9) === 0 && { is_trusted_user: true }),
        },
        verified: at(3) === 0,
        costs: at(4) === 0 ? [['whatsapp', 31_000] as const, ['sms', 41_200] as const] : [['sms', 41_200] as const],
      }));
      await send(get().database.db, id, sends);
      await travel(at(8) * minute + at(minute));
    }
  }

  test('has the figures of a recount of everything, in all, by country and by rule', async () => {
    await get().database.clock.freeze();
    const id = await newApplication();
    await liveHours(id, 11);
    const rules = [
      rule('odd', 'country', 'eq', 'AQ', 'challenge'),
      rule('crowded', 'targets_per_ip_1h', 'gte', 2, 'block'),
      rule('pumped', 'sends_to_prefix_30m', 'gte', 2, 'block', { channels: ['sms'] }),
      rule('device', 'has_device', 'eq', true, 'block', { mode: 'shadow' }),
    ];
    const answer = await get().expectNothingHappened(() => run(id, { rules, ...never, days: 1 }));

    const messages = await readMessages(id);
    const judged = messages.map((one, i) => {
      const before = messages.slice(0, i);
      const decider = (): string | null => {
        if (one.trusted) return null;
        if (one.country === 'AQ') return 'odd';
        const byIp = before.filter(({ ip, at_ms }) => ip === one.ip && at_ms > one.at_ms - 60 * minute);
        if (one.ip !== null && new Set(byIp.map(({ recipient }) => recipient)).size >= 2) return 'crowded';
        const since = (Math.floor(one.at_ms / minute) - 29) * minute;
        const prefix = one.recipient.slice(0, -4);
        const near = before.filter(({ recipient, at_ms }) => recipient.slice(0, -4) === prefix && at_ms >= since);
        return near.length >= 2 ? 'pumped' : null;
      };
      const by = decider();
      const saved = by === null ? 0 : by === 'pumped' ? one.sms : one.sms + one.whatsapp;
      return { ...one, by, saved, shadow: !one.trusted && one.device !== null };
    });
    const sum = (values: number[]): number => values.reduce((all, value) => all + value, 0);
    const counted = (of: typeof judged) => {
      const count = (is: (one: (typeof judged)[number]) => boolean): number => of.filter(is).length;
      return {
        sends: of.length,
        verified: count(({ verified }) => verified),
        blocked: count(({ by }) => by === 'crowded'),
        challenged: count(({ by }) => by === 'odd'),
        narrowed: count(({ by }) => by === 'pumped'),
        false_positives: count(({ by, verified }) => verified && (by === 'crowded' || by === 'odd')),
        narrowed_verified: count(({ by, verified }) => verified && by === 'pumped'),
        cost: sum(of.map(({ sms, whatsapp }) => sms + whatsapp)) / 1e6,
        saved: sum(of.map(({ saved }) => saved)) / 1e6,
      };
    };
    const totals = counted(judged);
    assert.deepEqual(answer.totals, totals);
    assert.ok(totals.blocked > 2 && totals.challenged > 2 && totals.narrowed > 2 && totals.false_positives > 0);
    assert.deepEqual(
      answer.by_country,
      ['SG', 'AQ'].map((country) => ({ ...counted(judged.filter((one) => one.country === country)), country })),
    );
    const ofRule = (name: string, mode: string, of: typeof judged) => ({
      rule: name,
      mode,
      sends: of.length,
      verified: of.filter(({ verified }) => verified).length,
      saved: mode === 'shadow' ? 0 : sum(of.map(({ saved }) => saved)) / 1e6,
    });
    const expected = ['odd', 'crowded', 'pumped'].map((name) =>
      ofRule(
        name,
        'enforce',
        judged.filter(({ by }) => by === name),
      ),
    );
    expected.push(
      ofRule(
        'device',
        'shadow',
        judged.filter(({ shadow }) => shadow),
      ),
    );
    const byName = (a: { rule: string }, b: { rule: string }): number => (a.rule < b.rule ? -1 : 1);
    assert.deepEqual([...answer.by_rule].sort(byName), expected.sort(byName));
    assert.equal(answer.complete, true);
  });

  test('closes prefixes as a node would have, and only where the rule set says so', async () => {
    const id = await newApplication();
    const costs = [['whatsapp', 10_000] as const, ['sms', 50_000] as const];
    const some = (count: number) => send(get().database.db, id, under('659555', count, { costs }));
    await some(20);
    await travel(7 * minute);
    await some(5);
    await travel(61 * minute);
    await some(5);
    const always = await run(id, { rules: [], automatic_blocks: { enabled: 'always' }, days: 1 });
    const { sends, narrowed, blocked, saved } = always.totals;
    assert.deepEqual([sends, narrowed, blocked, saved], [30, 5, 0, 0.25]);
    assert.deepEqual(always.by_rule, [
      { rule: 'automatic_block', mode: 'enforce', sends: 5, verified: 0, saved: 0.25 },
    ]);
    assert.deepEqual((await run(id, { rules: [], days: 1 })).totals.narrowed, 0);
  });

  test('a block_for holds for its time and its subject', async () => {
    const id = await newApplication();
    const one = (to: string, device_id: string, country = 'SG') =>
      send(get().database.db, id, [{ to, country, signals: { device_id } }]);
    await one('+6591230001', 'd1', 'AQ');
    await one('+6591230002', 'd1');
    await one('+6591230003', 'd2');
    await travel(11 * minute);
    await one('+6591230004', 'd1');
    const held = rule('held', 'country', 'eq', 'AQ', 'block_for', { seconds: 600, per: 'device' });
    const { totals } = await run(id, { rules: [held], ...never, days: 1 });
    assert.deepEqual([totals.sends, totals.blocked], [4, 2]);
  });

  test('learns from the day before without judging it', async () => {
    const id = await newApplication();
    await send(get().database.db, id, [{ to: '+6591230001' }]);
    await travel(1.5 * day);
    await send(get().database.db, id, [{ to: '+6591230002' }, { to: '+4915112345678', country: 'DE' }]);
    const first = rule('first', 'is_first_country', 'eq', true, 'block');
    const { totals, by_country } = await run(id, { rules: [first], ...never, days: 1 });
    assert.deepEqual([totals.sends, totals.blocked], [2, 1]);
    assert.equal(by_country.find(({ country }: { country: string }) => country === 'DE').blocked, 1);
  });

  test('runs the rules that hold unless others are given, whatever week of shadow', async () => {
    const id = await newApplication();
    await send(get().database.db, id, [{ to: '+19005550123', country: 'US' }, { to: '+6591230002' }]);
    const { totals, by_rule } = await run(id, {});
    assert.deepEqual([totals.sends, totals.blocked], [2, 1]);
    assert.ok(by_rule.some(({ rule: name }: { rule: string }) => name === 'premium_numbers'));
  });

  test('ends at its bounds and says how far it came', async () => {
    const { db, clock } = get().database;
    await clock.freeze();
    const id = await newApplication();
    await send(db, id, under('659555', 1_100));
    await travel(10 * minute);
    await send(db, id, under('659555', 100));
    const relations = { facts: messageFacts(), acceptances: acceptedAttempts(), countries: sentCountries() };
    const ports = { db, relations, numberOf: numberingOf, isExempt: () => false, bounds: { entries: 1, ms: 60_000 } };
    const request = { applicationId: id, set: readRuleSet({ rules: [] }), closesPrefixes: false, days: 1 };
    const result = await backTest(ports, { ...request, signal: new AbortController().signal });
    assert.deepEqual([result.complete, result.untilMs], [false, clock.now() - 10 * minute]);
    const { sends } = result.figures.totals();
    assert.ok(sends > 900 && sends <= 1_000, String(sends));
  });

  test('refuses rules with faults, naming their place', async () => {
    const id = await newApplication();
    const rules = [rule('bad', 'planet', 'eq', 'Mars', 'block')];
    const { status, body } = await get().operator({ path: path(id), body: { rules } });
    assert.deepEqual([status, body.code, body.details.fields[0].field], [400, 3002, 'rules[0].when.fact']);
  });
});
