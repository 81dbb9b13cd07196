/** What is said of one send, at once and from memory alone: blocks first, then the rules of its application. */
import { type Asked, decide, type Fired, prefixOf, type Rule } from '../fraud-rules/index.ts';
import type { NewBlock } from './block-store.ts';
import type { KnownBlock, Memory } from './memory.ts';
import type { Tallies } from './tallies.ts';
import type { Watch } from './watch.ts';

export interface FraudAsk extends Asked {
  applicationId: string;
  /** signals.is_trusted_user: nothing is asked. */
  trusted: boolean;
  /** signals.captcha_passed: challenges are passed. */
  captchaPassed: boolean;
}

export interface FraudVerdict {
  verdict: 'allow' | 'challenge' | 'block';
  /** What matched, rules in shadow among it. A block is called as the rule that made it, or `automatic_block`. */
  fired: Fired[];
  /** Channels that are closed although the send is allowed. */
  closed: readonly string[];
}

export interface JudgePorts {
  memory: Memory;
  watch: Pick<Watch, 'of'>;
  tallies: Pick<Tallies, 'asked'>;
  /** Has a block written; nobody waits for it. */
  keep(block: NewBlock): void;
}

const nothing: FraudVerdict = { verdict: 'allow', fired: [], closed: [] };
export const automatic = 'automatic';

export const createJudge =
  ({ memory, watch, tallies, keep }: JudgePorts) =>
  (ask: FraudAsk): FraudVerdict => {
    const nowMs = memory.nowMs();
    // Before the first look at the database nothing is known; what cannot be known stops nobody.
    if (ask.trusted || nowMs === null) return nothing;
    const { applicationId } = ask;
    const blocks = openBlocks(memory, ask, nowMs);
    const fired = blocks.map(firedOf);
    if (blocks.some(({ channels }) => channels.length === 0)) return { verdict: 'block', fired, closed: [] };
    const { set, shadowUntilMs } = memory.ruleSet(applicationId);
    const allShadow = nowMs < shadowUntilMs;
    const { book, knownUntilMs } = watch.of(applicationId);
    const facts = book.factsOf(ask, nowMs, knownUntilMs);
    const decision = decide(set.rules, facts, {
      allShadow,
      captchaPassed: ask.captchaPassed,
      onAsked: (rule, matched) =>
        tallies.asked(applicationId, rule.id, nowMs, matched, allShadow || rule.mode === 'shadow'),
    });
    const { holding, verdict } = decision;
    const block = holding && blockOf(ask, holding, decision.fired.at(-1)?.because ?? '');
    if (block && !blocks.some(({ source }) => source === block.source)) {
      memory.hold(block, nowMs);
      keep(block);
    }
    const closed = [...new Set([...blocks.flatMap(({ channels }) => channels), ...decision.closed])];
    return { verdict, fired: [...fired, ...decision.fired], closed };
  };

function openBlocks(memory: Memory, ask: FraudAsk, nowMs: number): KnownBlock[] {
  return subjectsOf(ask)
    .flatMap(([kind, subject]) => memory.blocksOf(ask.applicationId, kind, subject))
    .filter(({ untilMs }) => untilMs > nowMs);
}

function subjectsOf({ to, ip, deviceId }: FraudAsk): [NewBlock['kind'], string][] {
  const subjects = [['prefix', prefixOf(to)] as const, ['ip', ip] as const, ['device', deviceId] as const];
  return subjects.flatMap(([kind, subject]) => (subject === null ? [] : [[kind, subject]]));
}

const firedOf = ({ source, because }: KnownBlock): Fired => ({
  rule: source === automatic ? 'automatic_block' : source,
  mode: 'enforce',
  verdict: 'block',
  because,
});

/** Null where the send has none of what the rule holds for. */
function blockOf(ask: FraudAsk, rule: Rule, because: string): NewBlock | null {
  const kind = rule.per ?? 'prefix';
  const subject = subjectsOf(ask).find(([one]) => one === kind)?.[1];
  if (subject === undefined) return null;
  const { applicationId } = ask;
  const { id: source, channels = [], seconds = 0 } = rule;
  return { applicationId, kind, subject, source, channels, reasons: { because }, seconds };
}
