/** What would have been closed: the ladder of automatic blocks and what block_for rules hold, in memory and at times that are past. */
import type { AutomaticBlocks, PumpedPrefix, Rule } from '../fraud-rules/index.ts';

export interface Closure {
  /** automatic_block, or a rule. */
  source: string;
  channels: readonly string[];
  untilMs: number;
}

interface Step extends Closure {
  level: number;
}

const hour = 3_600_000;
const day = 24 * hour;
const ladderMs = [hour, day, Number.POSITIVE_INFINITY];
const phoneChannels = ['sms', 'voice'];
const automaticBlock = 'automatic_block';

export interface Closures {
  of(keys: readonly string[], nowMs: number): Closure[];
  /** By a block_for rule, if it is not closed by it already. */
  hold(rule: Rule, key: string, nowMs: number): void;
  /** By the ladder: an hour, again within seven days after its end a day, then for good. */
  climb(pumped: readonly PumpedPrefix[], nowMs: number): void;
}

export const prefixKey = (prefix: string): string => `prefix ${prefix}`;

export function createClosures(): Closures {
  const ladder = new Map<string, Step>();
  const holds = new Map<string, Map<string, Closure>>();
  return {
    of: (keys, nowMs) =>
      keys
        .flatMap((key) => [...(ladder.has(key) ? [ladder.get(key) as Step] : []), ...(holds.get(key)?.values() ?? [])])
        .filter(({ untilMs }) => untilMs > nowMs),
    hold({ id, channels = [], seconds = 0 }, key, nowMs) {
      const ofKey = holds.get(key) ?? new Map<string, Closure>();
      if ((ofKey.get(id)?.untilMs ?? 0) > nowMs) return;
      holds.set(key, ofKey.set(id, { source: id, channels, untilMs: nowMs + seconds * 1_000 }));
    },
    climb(pumped, nowMs) {
      for (const { prefix } of pumped) {
        const before = ladder.get(prefixKey(prefix));
        if (before && before.untilMs > nowMs) continue;
        const level = before && before.untilMs >= nowMs - 7 * day ? Math.min(before.level + 1, 3) : 1;
        const untilMs = nowMs + (ladderMs[level - 1] ?? 0);
        ladder.set(prefixKey(prefix), { source: automaticBlock, channels: phoneChannels, level, untilMs });
      }
    },
  };
}

/** Whether an application's prefixes are closed by themselves. */
export const closesPrefixes = ({ enabled }: AutomaticBlocks, network: 'virtual' | 'live'): boolean =>
  enabled === 'always' || (enabled === 'live' && network === 'live');
