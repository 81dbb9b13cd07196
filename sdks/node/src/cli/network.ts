// Whether what a key sends reaches real people.

import type { OTPClient } from '../client.ts';
import { EngagelabError } from '../errors.ts';

/** Only an application on the virtual network may read handsets; everything else is taken for live. Sends nothing. */
export async function networkOf(client: OTPClient): Promise<'virtual' | 'live'> {
  try {
    await client.sandbox.messages({ to: '+10000000005', limit: 1 });
    return 'virtual';
  } catch (error) {
    if (error instanceof EngagelabError && error.code === 2004) return 'live';
    throw error;
  }
}
