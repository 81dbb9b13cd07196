/** What alerts watch, asked of the rooms that know. One place, because some of them are still to come. */
import type { AlertsPorts, Balance } from './alerts/index.ts';
import { listFailing } from './callbacks/index.ts';
import type { Providers } from './providers/index.ts';

/** Every application is unlimited until there are balances. */
async function unlimitedBalance(): Promise<Balance | null> {
  return null;
}

type Watched = Pick<AlertsPorts, 'balance' | 'circuits' | 'failingEndpoints' | 'isMailProvider' | 'sendMail'>;

export const watchedBy = (providers: Pick<Providers, 'circuits' | 'isMailProvider' | 'mail'>): Watched => ({
  balance: unlimitedBalance,
  failingEndpoints: listFailing,
  circuits: providers.circuits,
  isMailProvider: providers.isMailProvider,
  sendMail: providers.mail,
});
