/** Closes sms and voice for prefixes that are pumped: many codes whose life is over, hardly one verified. */
import type { AutomaticBlocks, PumpedBounds, PumpedPrefix } from '../fraud-rules/index.ts';
import { insertBlocks, type NewBlock } from './block-store.ts';
import { automatic } from './judge.ts';
import type { Memory } from './memory.ts';
import type { FraudPorts } from './ports.ts';
import type { Watch } from './watch.ts';

const phoneChannels = ['sms', 'voice'];
/** The ladder's first step. */
const firstSeconds = 3_600;

export const boundsOf = ({ minimum_sends, below_share, window_minutes }: AutomaticBlocks): PumpedBounds => ({
  leastCodes: minimum_sends,
  belowShare: below_share,
  windowMs: window_minutes * 60_000,
});

/** Resolves with how many prefixes were closed. */
export async function closePumped(
  { db, application }: Pick<FraudPorts, 'db' | 'application'>,
  memory: Memory,
  watch: Pick<Watch, 'all'>,
  nowMs: number,
): Promise<number> {
  const found: NewBlock[] = [];
  for (const [applicationId, { book, knownUntilMs }] of watch.all()) {
    if (knownUntilMs === null) continue;
    const { automatic_blocks: settings } = memory.ruleSet(applicationId).set;
    if (settings.enabled === 'never') continue;
    const isOpen = ({ prefix }: PumpedPrefix): boolean =>
      !memory
        .blocksOf(applicationId, 'prefix', prefix)
        .some(({ source, untilMs }) => source === automatic && untilMs > nowMs);
    const pumped = book.pumped(boundsOf(settings), Math.min(nowMs, knownUntilMs)).filter(isOpen);
    if (pumped.length === 0) continue;
    if (settings.enabled === 'live' && (await application(applicationId))?.network !== 'live') continue;
    found.push(...pumped.map((one) => blockOf(applicationId, one, settings)));
  }
  if (found.length === 0) return 0;
  const made = await insertBlocks(db, found);
  if (made > 0) await memory.beat();
  return made;
}

const blockOf = (
  applicationId: string,
  { prefix, codes, verified }: PumpedPrefix,
  settings: AutomaticBlocks,
): NewBlock => ({
  applicationId,
  kind: 'prefix',
  subject: prefix,
  source: automatic,
  channels: phoneChannels,
  reasons: {
    because: `prefix ${prefix}: ${verified} of ${codes} codes verified, below ${Math.round(settings.below_share * 100)} %`,
    codes,
    verified,
    window_minutes: settings.window_minutes,
  },
  seconds: firstSeconds,
});
