/**
 * One run: hours of honest traffic with attacks among it, minute by minute through the whole app. Everything is drawn before it
 * begins, so that runs of one seed see the same requests, protected or not.
 */
import { bodyOf } from '../../server/src/testing/application.ts';
import { seeded } from '../../server/src/testing/seeded.ts';
import { type PlannedAttack, planAttacks } from './attacks.ts';
import { type Person, planPeople } from './people.ts';
import { newTally, note, type Tally } from './tally.ts';
import { openWorld, type World } from './world.ts';

export interface Plan {
  seed: number;
  minutes: number;
  people: readonly Person[];
  past: readonly Person[];
  attacks: readonly PlannedAttack[];
}

export interface Run {
  /** By attacked prefix. */
  attacks: Map<string, Tally & { rules: Map<string, number> }>;
  /** Sends and resends of honest people. */
  honest: Tally;
  /** What they sent again after a challenge, with its proof. */
  proven: Tally;
  /** Checks of honest people. */
  checks: Tally;
  verified: number;
  cost: { attack: number; honest: number };
}

export function plan(seed: number, people: number, hours: number): Plan {
  const minutes = hours * 60;
  return {
    seed,
    minutes,
    people: planPeople(people, minutes, seeded(seed)),
    // A day as busy as this one.
    past: planPeople(Math.round((people * 24) / hours), 24 * 60, seeded(seed + 1)),
    attacks: planAttacks(minutes, seeded(seed + 2)),
  };
}

/** So many requests are under way at once. */
const atOnce = 16;

export async function simulate({ minutes, people, past, attacks }: Plan, isProtected: boolean): Promise<Run> {
  const world = await openWorld(isProtected, past);
  try {
    const run: Run = {
      attacks: new Map(attacks.map(({ prefix }) => [prefix, { ...newTally(), rules: new Map() }])),
      honest: newTally(),
      proven: newTally(),
      checks: newTally(),
      verified: 0,
      cost: { attack: 0, honest: 0 },
    };
    const agenda = new Agenda();
    for (const person of people) agenda.add(person.minute, () => begin(world, run, agenda, person));
    for (const attack of attacks) planSends(world, run, agenda, attack);
    // Codes that were sent last are entered after the end.
    for (let minute = 0; minute < minutes + 10; minute++) {
      await agenda.do(minute);
      await world.nextMinute(minute);
    }
    run.cost = await world.costOf([...run.attacks.keys()]);
    for (const { recipient, rule } of await world.rulesOf()) {
      const rules = run.attacks.get(recipient.slice(1, -4))?.rules ?? run.honest.reasons;
      rules.set(rule, (rules.get(rule) ?? 0) + 1);
    }
    return run;
  } finally {
    await world.close();
  }
}

class Agenda {
  readonly #due = new Map<number, (() => Promise<void>)[]>();

  add(minute: number, deed: () => Promise<void>): void {
    const due = this.#due.get(minute) ?? [];
    due.push(deed);
    this.#due.set(minute, due);
  }

  async do(minute: number): Promise<void> {
    const due = this.#due.get(minute) ?? [];
    for (let i = 0; i < due.length; i += atOnce) await Promise.all(due.slice(i, i + atOnce).map((deed) => deed()));
  }
}

/** One after the other under a prefix, all of a minute in turn with what else is due. */
function planSends({ application }: World, run: Run, agenda: Agenda, { prefix, sends }: PlannedAttack): void {
  const tally = run.attacks.get(prefix) ?? newTally();
  for (const { minute, to, ip, deviceId } of sends)
    agenda.add(minute, async () => {
      note(tally, await application.send(to, { signals: { ip, device_id: deviceId } }));
    });
}

async function begin(world: World, run: Run, agenda: Agenda, person: Person): Promise<void> {
  const { ip, deviceId, minute, mistyped } = person;
  const signals = { ip, ...(deviceId !== null && { device_id: deviceId }) };
  const send = async (to: string): Promise<string | null> => {
    let reply = await world.application.send(to, { signals });
    note(run.honest, reply);
    if (reply.body.reason === 'challenge_required') {
      // Counted as refused; but people pass the proof they are asked for.
      reply = await world.application.send(to, { signals: { ...signals, captcha_passed: true } });
      note(run.proven, reply);
    }
    return reply.status === 200 ? reply.body.message_id : null;
  };
  if (mistyped !== null) await send(mistyped);
  const id = await send(person.to);
  if (id === null) return;
  let at = minute + 1;
  if (person.resends)
    agenda.add(at++, async () => {
      note(run.honest, await world.application.act(id, 'resend', {}));
    });
  if (person.verifies)
    agenda.add(at + person.thinksMinutes, async () => {
      for (let i = 0; i < person.wrongCodes; i++)
        note(run.checks, await world.application.verify(id, '000000', { signals }));
      const reply = await world.application.verify(id, world.codes.get(id) ?? '', { signals });
      note(run.checks, reply);
      if (reply.status === 200 && bodyOf(reply).verified) run.verified++;
    });
}
