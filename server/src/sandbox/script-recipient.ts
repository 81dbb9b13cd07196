/** Scripts for ordinary recipients: how the virtual phone network treats them, per application and channel, for 24 hours. */
import { invalid } from '../errors.ts';
import type { Db } from '../platform/db.ts';
import { isMagic } from './magic.ts';
import type { ChannelReactions } from './reaction.ts';
import { saveScript } from './store.ts';

/** Replaces the recipient's script. 400/3002 for a magic recipient, whose outcomes are fixed by the contract. */
export async function scriptRecipient(
  db: Db,
  applicationId: string,
  to: string,
  channels: ChannelReactions,
): Promise<void> {
  if (isMagic(to)) throw invalid([{ field: 'to', problem: 'the outcomes of a magic recipient are fixed' }]);
  await saveScript(db, applicationId, to, channels);
}
