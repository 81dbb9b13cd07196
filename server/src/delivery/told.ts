/**
 * What receipts said of the single calls of a hand-over, where it was given to more than one provider, and what that gives back of the
 * cost. A receipt speaks of the calls of its own provider alone; pure.
 */
import type { SendOutcome } from '../channels/index.ts';
import type { HandOver, Word } from './state.ts';

type Accepted = Extract<SendOutcome, { kind: 'accepted' }>;

/** The calls a receipt is about: of one attempt, and of one message to one provider. */
export interface About {
  attempt: number;
  tries: readonly number[];
  /** The provider had refused them. */
  refused?: boolean;
  /** They had no answer: what it is, should the message have arrived. */
  acceptance?: { step: number; outcome: Accepted };
}

/** Those of them that were accepted; where none was, the first. */
export function meant({ accepted }: HandOver, tries: readonly number[]): readonly number[] {
  const known = tries.filter((one) => accepted.includes(one));
  return known.length > 0 ? known : tries.slice(0, 1);
}

export type Words = Readonly<Record<number, Word>>;

/** By try. What stands for all that was accepted is not stored for each. */
export function wordsOf({ state, accepted, told }: HandOver): Words {
  if (told) return told;
  return state === 'delivered' || state === 'undelivered' ? say(accepted, state) : {};
}

const say = (tries: readonly number[], word: Word): Words => Object.fromEntries(tries.map((one) => [one, word]));

/** After the state of the hand-over was set; `words` are those from before. */
export function keepWords(handOver: HandOver, words: Words, tries: readonly number[], word: Word): void {
  const { state, accepted } = handOver;
  const told = { ...words, ...say(tries, word) };
  const isPlain = Object.keys(told).length === accepted.length && accepted.every((one) => told[one] === state);
  if (isPlain) delete handOver.told;
  else handOver.told = told;
}

type Micros = Readonly<Record<number, number>>;

function split(micros: Micros = {}, tries: readonly number[]): { taken: Micros; rest: Micros; sum: number } {
  const isTaken = ([one]: [string, number]): boolean => tries.includes(Number(one));
  const all = Object.entries(micros);
  const taken = all.filter(isTaken);
  return {
    taken: Object.fromEntries(taken),
    rest: Object.fromEntries(all.filter((one) => !isTaken(one))),
    sum: taken.reduce((sum, [, one]) => sum + one, 0),
  };
}

/** What the prices of these calls say is owed for delivery alone, in micros. */
export function giveBack(handOver: HandOver, tries: readonly number[]): number {
  const { taken, rest, sum } = split(handOver.refundable, tries);
  if (sum === 0) return 0;
  handOver.refundable = rest;
  handOver.refunded = { ...handOver.refunded, ...taken };
  return sum;
}

/** What was given back for these calls, one of which did arrive, in micros. */
export function takeAgain(handOver: HandOver, tries: readonly number[]): number {
  const { rest, sum } = split(handOver.refunded, tries);
  if (sum > 0) handOver.refunded = rest;
  return sum;
}
