/**
 * Knowledge that any node can add to and none has to keep: marks of `Ports.once`, which tell only whether somebody was here before.
 * Receipts of a message in parts meet on different nodes, and repeats of one must get the answer its first arrival got.
 */
import type { Ports } from '../contract.ts';

type Once = Ports['once'];

/** Vonage repeats a webhook for 24 hours. */
const rememberMs = 48 * 3_600_000;

export const mark = (once: Once, key: string): Promise<boolean> => once(key, rememberMs);

export interface Turn {
  yes: boolean;
  /** The next arrival is to get this yes again, since nothing came of it here. */
  handOn(): Promise<void>;
}

/**
 * Decides at the first arrival with this key; a later one gets a yes only if the arrival before it handed it on. Looking at a mark
 * sets it, so each arrival has a number of its own (the first free one) and a yes goes from number to number. A crash in between
 * forgets a yes, never invents one.
 */
export async function takeTurn(once: Once, key: string, decide: () => Promise<boolean>): Promise<Turn> {
  const arrival = await firstFree(once, (number) => `${key}/arrival/${number}`, Number.POSITIVE_INFINITY);
  const yes = arrival === 1 ? await decide() : !(await mark(once, `${key}/yes/${arrival}`));
  return {
    yes,
    async handOn() {
      if (yes) await mark(once, `${key}/yes/${arrival + 1}`);
    },
  };
}

/** Decides once, at the first arrival; every later arrival with this key gets the same. */
export async function decideOnce(once: Once, key: string, decide: () => Promise<boolean>): Promise<boolean> {
  const { yes, handOn } = await takeTurn(once, key, decide);
  await handOn();
  return yes;
}

/** Whether with this part all `total` parts of the message have been counted; the same again when that part is reported again. */
export function isLastPart(once: Once, message: string, part: string, total: number): Promise<boolean> {
  return decideOnce(once, `${message}/part/${part}`, async () => {
    const counted = await firstFree(once, (number) => `${message}/count/${number}`, total);
    return counted === total;
  });
}

async function firstFree(once: Once, keyOf: (number: number) => string, limit: number): Promise<number> {
  for (let number = 1; number <= limit; number++) if (await mark(once, keyOf(number))) return number;
  return 0;
}
