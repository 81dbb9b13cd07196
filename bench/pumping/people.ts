/**
 * Honest traffic: people of several countries, most behind an address of their own, some behind one that a household, an office or a
 * carrier shares. 60 to 80 % enter their code; some mistype it or their number, some ask again, some never come back.
 */
type Draw = (below: number) => number;

interface Country {
  country: string;
  /** Of a hundred people. */
  weight: number;
  /** Of a hundred that get a code, how many enter it. */
  verified: number;
  number(draw: Draw): string;
}

const digits = (draw: Draw, count: number): string => String(draw(10 ** count)).padStart(count, '0');
const oneOf = <Value>(draw: Draw, values: readonly [Value, ...Value[]]): Value =>
  values[draw(values.length)] ?? values[0];

/** Mobile ranges; none of the prefixes that attacks use. */
const countries: readonly Country[] = [
  {
    country: 'ID',
    weight: 30,
    verified: 66,
    number: (d) => `+62${oneOf(d, ['811', '813', '821', '857'])}${digits(d, 8)}`,
  },
  { country: 'IN', weight: 20, verified: 64, number: (d) => `+91${oneOf(d, ['98', '99', '70', '81'])}${digits(d, 8)}` },
  {
    country: 'BR',
    weight: 15,
    verified: 70,
    number: (d) => `+55${oneOf(d, ['21', '31', '41'])}9${6 + d(4)}${digits(d, 7)}`,
  },
  { country: 'SG', weight: 13, verified: 80, number: (d) => `+65${oneOf(d, ['8', '9'])}${1 + d(8)}${digits(d, 6)}` },
  {
    country: 'GB',
    weight: 10,
    verified: 78,
    number: (d) => `+447${oneOf(d, ['400', '500', '700', '900'])}${digits(d, 6)}`,
  },
  { country: 'DE', weight: 10, verified: 76, number: (d) => `+49151${1 + d(7)}${digits(d, 7)}` },
  // Few people, few prefixes.
  { country: 'MV', weight: 2, verified: 72, number: (d) => `+9607${oneOf(d, ['7', '8', '9'])}${digits(d, 5)}` },
];

export interface Person {
  country: string;
  to: string;
  /** Entered first by mistake, where one is. */
  mistyped: string | null;
  minute: number;
  ip: string;
  deviceId: string | null;
  /** Has the code sent again a minute later. */
  resends: boolean;
  /** Of wrong codes entered first. */
  wrongCodes: number;
  verifies: boolean;
  /** Between the code and its entry. */
  thinksMinutes: number;
}

/** Busy by day, a quarter of it by night. */
const hourly = [1, 1, 1, 1, 1, 1, 2, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 3, 2, 1];
/** How many that ask for a code on one day share an address, and of how many people in a hundred it is so. */
const addresses = [
  { people: 1, weight: 45 },
  { people: 3, weight: 25 },
  { people: 25, weight: 20 },
  { people: 60, weight: 10 },
] as const;

export function planPeople(count: number, minutes: number, draw: Draw): Person[] {
  const ip = createAddresses((count * 24 * 60) / minutes, draw);
  return Array.from({ length: count }, (_, i) => {
    const { country, verified, number } = weighted(countries, draw);
    const to = number(draw);
    return {
      country,
      to,
      mistyped: draw(100) < 2 ? `${to.slice(0, -4)}${digits(draw, 4)}` : null,
      minute: minuteOf(minutes, draw),
      ip: ip(),
      deviceId: draw(100) < 60 ? `person-${i}` : null,
      resends: draw(100) < 8,
      wrongCodes: draw(100) < 10 ? 1 + draw(2) : 0,
      verifies: draw(100) < verified,
      thinksMinutes: draw(3),
    };
  });
}

function weighted<Item extends { weight: number }>(items: readonly Item[], draw: Draw): Item {
  let left = draw(items.reduce((sum, { weight }) => sum + weight, 0));
  for (const item of items) {
    if (left < item.weight) return item;
    left -= item.weight;
  }
  throw new Error('weights add up');
}

/** The next person's address: each kind has as many addresses as the people of a day need. */
function createAddresses(aDay: number, draw: Draw): () => string {
  return () => {
    const { people, weight } = weighted(addresses, draw);
    const kind = addresses.findIndex((one) => one.people === people);
    const n = draw(Math.max(1, Math.ceil((aDay * weight) / 100 / people)));
    return `10.${kind * 50 + Math.floor(n / 65_536)}.${(n >> 8) & 255}.${n & 255}`;
  };
}

function minuteOf(minutes: number, draw: Draw): number {
  for (;;) {
    const minute = draw(minutes);
    if (draw(4) < (hourly[Math.floor(minute / 60 + 8) % 24] ?? 0)) return minute;
  }
}
