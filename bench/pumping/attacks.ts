/**
 * Who pumps: each attack calls sequential numbers under prefixes it earns on, from addresses it rotates, and enters no code. Bursty
 * ones come back every few hours, slow ones spread out to stay below what is counted per hour.
 */
export interface Attack {
  name: string;
  country: string;
  /** Numbers without their last four digits. */
  prefixes: readonly string[];
  /** Between two numbers that follow each other. */
  stride: number;
  /** So many sends, evenly within so many minutes, and anew every so many minutes. */
  sends: number;
  withinMinutes: number;
  everyMinutes: number;
  /** Minutes after the beginning. */
  from: number;
  /** Addresses it rotates. */
  addresses: number;
}

const hour = 60;

const attacks: readonly Attack[] = [
  // Hundreds at once to a country where nobody else is.
  burst({ name: 'burst', country: 'LV', prefixes: ['3712912', '3712913', '3712914'], sends: 120, withinMinutes: 6 }),
  burst({ name: 'flood', country: 'CU', prefixes: ['535123'], sends: 300, withinMinutes: 3, everyMinutes: 6 * hour }),
  burst({ name: 'burst among people', country: 'ID', prefixes: ['628129000', '628129001'], sends: 60, stride: 3 }),
  burst({ name: 'premium numbers', country: 'GB', prefixes: ['44909012', '44909013'], sends: 60 }),
  // Below 20 an hour.
  slow({ name: 'slow', country: 'TN', prefixes: ['2162012'], sends: 15 }),
  slow({ name: 'slow over prefixes', country: 'AZ', prefixes: ['99440123', '99440124', '99440125'], sends: 10 }),
  slow({ name: 'slow among people', country: 'ID', prefixes: ['628129100'], sends: 12 }),
  slow({ name: 'slow in strides', country: 'BR', prefixes: ['5511988'.concat('50')], sends: 12, stride: 7 }),
  // Below what is counted within half an hour.
  slow({ name: 'patient', country: 'LB', prefixes: ['961312'], sends: 4 }),
  slow({ name: 'patient among people', country: 'ID', prefixes: ['628129200'], sends: 4, stride: 5 }),
];

type Given = Pick<Attack, 'name' | 'country' | 'prefixes' | 'sends'> & Partial<Attack>;

function burst(given: Given): Attack {
  return { stride: 1, withinMinutes: 20, everyMinutes: 4 * hour, from: 30, addresses: 200, ...given };
}

function slow(given: Given): Attack {
  return { stride: 1, withinMinutes: hour, everyMinutes: hour, from: 10, addresses: 60, ...given };
}

/** Under one prefix. */
export interface PlannedAttack {
  name: string;
  country: string;
  prefix: string;
  sends: readonly { minute: number; to: string; ip: string; deviceId: string }[];
}

export function planAttacks(minutes: number, draw: (below: number) => number): PlannedAttack[] {
  return attacks.flatMap((attack, a) =>
    attack.prefixes.map((prefix) => {
      const sends = minutesOf(attack, minutes).map((minute, i) => ({
        minute,
        to: `+${prefix}${String((2_000 + i * attack.stride) % 10_000).padStart(4, '0')}`,
        ip: `198.18.${a}.${draw(attack.addresses) + 1}`,
        deviceId: `d${a}-${draw(1_000_000)}`,
      }));
      return { name: attack.name, country: attack.country, prefix, sends };
    }),
  );
}

function minutesOf({ sends, withinMinutes, everyMinutes, from }: Attack, until: number): number[] {
  const found: number[] = [];
  for (let wave = from; wave < until; wave += everyMinutes)
    for (let i = 0; i < sends; i++) found.push(wave + Math.floor((i * withinMinutes) / sends));
  return found.filter((minute) => minute < until);
}
