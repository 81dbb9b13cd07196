/**
 * What people write back to our senders. An uplink is taken once, told to the application that wrote last to the person, and
 * obeyed where it is STOP, START or one of their like alone: whatever was committed before a send is accepted holds for it
 * (contract §10.5, §5.5 step 8). Also the operator's hand on the list of opt-outs, which belongs to the limits.
 */
import type { Uplink } from '../channels/index.ts';
import { policySchema } from '../policy.ts';
import { retentionMs } from '../wire.ts';
import { createOperations } from './operations.ts';
import { forgetUplinks } from './store.ts';
import { takeUplink, type UplinksContext } from './take-uplink.ts';

export interface UplinksOptions extends UplinksContext {
  clock: { now(): number };
}

export interface Uplinks {
  /** Resolves when it is durably taken; a repeated upstreamId of the provider changes nothing. */
  take(provider: string, uplink: Uplink): Promise<void>;
  operations: ReturnType<typeof createOperations>;
  /** Removes up to `limit` uplinks of the time before the id, also those of no application past the default retention. */
  forget(applicationId: string, belowId: string, limit: number): Promise<number>;
}

const unclaimedRetentionMs = retentionMs({ sandbox: 'none', policy: policySchema.parse({}) });

export function createUplinks(options: UplinksOptions): Uplinks {
  const { db, clock } = options;
  return {
    take: (provider, uplink) => takeUplink(options, provider, uplink),
    operations: createOperations(options),
    forget: (applicationId, belowId, limit) =>
      forgetUplinks(db, applicationId, belowId, limit, new Date(clock.now() - unclaimedRetentionMs)),
  };
}
