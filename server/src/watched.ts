/** What alerts watch, asked of the rooms that know. */
import type { AlertsPorts } from './alerts/index.ts';
import { listFailing } from './callbacks/index.ts';
import type { Providers } from './providers/index.ts';
import type { Spend } from './spend/index.ts';

type Watched = Pick<AlertsPorts, 'balance' | 'circuits' | 'failingEndpoints' | 'isMailProvider' | 'sendMail'>;

export const watchedBy = (
  providers: Pick<Providers, 'circuits' | 'isMailProvider' | 'mail'>,
  spend: Pick<Spend, 'balance'>,
): Watched => ({
  balance: spend.balance,
  failingEndpoints: listFailing,
  circuits: providers.circuits,
  isMailProvider: providers.isMailProvider,
  sendMail: providers.mail,
});
