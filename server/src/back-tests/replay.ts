/**
 * A rule set over what happened, in the order of the ledger. Each send is judged by what was known before it, as a node would have
 * known it. Facts are of what really happened: a send that would have been refused is counted by later ones all the same.
 */

import { askedOf, boundsOf, type FraudEntry, type FraudMessage, feed } from '../fraud/index.ts';
import { type Asked, decide, FactBook, prefixOf, type Rule, type RuleSet } from '../fraud-rules/index.ts';
import { type Closure, createClosures, prefixKey } from './closures.ts';
import { createFigures, type Figures, type Outcome } from './figures.ts';

export interface ReplayOptions {
  set: RuleSet;
  closesPrefixes: boolean;
  /** Earlier sends are learnt from and not judged. */
  fromMs: number;
  numberOf(recipient: string): Pick<Asked, 'callingCode' | 'numberType'>;
  isExempt(recipient: string): boolean;
}

export interface Replay {
  book: FactBook;
  take(entry: FraudEntry): void;
  figures: Figures;
}

const stepMs = 60_000;

export function createReplay({ set, closesPrefixes, fromMs, numberOf, isExempt }: ReplayOptions): Replay {
  const book = new FactBook();
  const closures = createClosures();
  const figures = createFigures();
  let stepped = 0;

  /** Looks at every whole minute whether prefixes are pumped. */
  function stepTo(nowMs: number): void {
    const last = Math.floor(nowMs / stepMs);
    // Within a day and an hour everything that was suspect is over.
    for (let step = Math.max(stepped + 1, last - 1_500); step <= last; step++)
      closures.climb(book.pumped(boundsOf(set.automatic_blocks), step * stepMs), step * stepMs);
    stepped = Math.max(stepped, last);
  }

  function judge(message: FraudMessage, nowMs: number): Outcome {
    const ask = askedOf(message, numberOf(message.recipient));
    if (ask.trusted) return { verdict: 'allow', closed: [], deciders: [], shadows: [] };
    const keys = keysOf(ask);
    const closed = closures.of(keys, nowMs);
    const whole = closed.find(({ channels }) => channels.length === 0);
    if (whole) return { verdict: 'block', closed: [], deciders: [whole.source], shadows: [] };
    const { fired, holding, ...decision } = decide(set.rules, book.factsOf(ask, nowMs), ask);
    const key = holding && keys.find((one) => one.startsWith(holding.per ?? 'prefix'));
    if (holding && key) closures.hold(holding, key, nowMs);
    return outcomeOf(
      closed,
      decision,
      fired.map(({ rule, mode, verdict }) => ({ rule, mode, verdict })),
      ask,
    );
  }

  return {
    book,
    figures,
    take(entry) {
      const { message, status, atMs } = entry;
      if (!message || isExempt(message.recipient)) return;
      if (closesPrefixes) stepTo(atMs);
      if (status === 'plan' && atMs >= fromMs) figures.judged(entry.messageId, message, judge(message, atMs));
      if (status === 'sent') figures.paid(entry.messageId, entry.channel, entry.costMicros);
      if (status === 'verified' && message.verificationId !== null) figures.verified(message.verificationId);
      feed(book, entry);
    },
  };
}

function keysOf({ to, ip, deviceId }: Asked): string[] {
  const prefix = prefixOf(to);
  return [
    ...(prefix === null ? [] : [prefixKey(prefix)]),
    ...(ip === null ? [] : [`ip ${ip}`]),
    ...(deviceId === null ? [] : [`device ${deviceId}`]),
  ];
}

interface Matched extends Pick<Rule, 'verdict' | 'mode'> {
  rule: string;
}

function outcomeOf(
  closed: readonly Closure[],
  { verdict, closed: byRule }: Pick<Outcome, 'verdict' | 'closed'>,
  fired: readonly Matched[],
  { captchaPassed }: { captchaPassed: boolean },
): Outcome {
  const isDecider = ({ mode, verdict: said }: Matched): boolean =>
    mode === 'enforce' && said !== 'allow' && !(captchaPassed && said === 'challenge');
  const deciders = new Set([...closed.map(({ source }) => source), ...fired.filter(isDecider).map(({ rule }) => rule)]);
  return {
    verdict,
    closed: [...new Set([...closed.flatMap(({ channels }) => channels), ...byRule])],
    deciders: [...deciders],
    shadows: fired.filter(({ mode }) => mode === 'shadow').map(({ rule }) => rule),
  };
}
