/** What people and programs are told of an alert. Pure. */
import type { Reading } from './readings.ts';
import { amount } from './readings.ts';
import type { Kind } from './rule.ts';

export type Change = 'raised' | 'ended';

export interface Told {
  kind: Kind;
  applicationId: string | null;
  state: Change;
  value: number;
  threshold: number;
  reading: Reading;
}

/** One sentence. */
export function textOf({ kind, state, value, threshold, reading, ...about }: Told): string {
  const { detail, more = {} } = reading;
  const currency = String(more['currency'] ?? '');
  const raised = state === 'raised';
  const behind = detail === undefined ? '' : ` (${detail})`;
  const of = about.applicationId === null ? '' : ` of application ${about.applicationId}`;
  switch (kind) {
    case 'balance':
      return `The balance${of} is ${amount(value)} ${currency}, ${raised ? 'below' : 'back from below'} ${amount(threshold)} ${currency}.`;
    case 'verification_rate':
      return `${value} % of the codes${of} that ended in the last hour were verified${behind}, ${raised ? 'below' : 'back from below'} ${threshold} %.`;
    case 'delivery_rate':
      return `${value} % of what was sent${of} in the last hour was delivered${behind}, ${raised ? 'below' : 'back from below'} ${threshold} %.`;
    case 'provider_circuit':
      return raised
        ? `The circuit of provider ${reading.subject} is open${behind}: nothing is handed over to it.`
        : `The circuit of provider ${reading.subject} is closed again.`;
    case 'callback_failure':
      return raised
        ? `Callbacks${of} to endpoint ${reading.subject} have been failing for ${Math.floor(value)} minutes${behind}.`
        : `Callbacks${of} to endpoint ${reading.subject} arrive again.`;
    case 'spend_velocity':
      return `${amount(value)} ${currency} were spent${of} in the last hour${behind}, ${raised ? 'above' : 'back from above'} ${amount(threshold)} ${currency}.`;
  }
}

const titles: Record<Kind, string> = {
  balance: 'low balance',
  verification_rate: 'low verification rate',
  delivery_rate: 'low delivery rate',
  provider_circuit: 'circuit of a provider',
  callback_failure: 'callbacks fail',
  spend_velocity: 'high spend',
};

/** The subject of an e-mail, the first line of a chat message. */
export const titleOf = (kind: Kind, state: Change | 'test'): string =>
  `${{ raised: 'Alert', ended: 'Ended', test: 'Test' }[state]}: ${titles[kind]}`;

/** The event of contract §10.5 and its data; `business_id` is added where it is called back. */
export function noticeOf(told: Told, alertId: string): { status: string; data: Record<string, unknown> } {
  const { kind, state, value, threshold, reading } = told;
  if (kind === 'balance' && state === 'raised') {
    const currency = reading.more?.['currency'];
    return {
      status: 'insufficient_balance',
      data: { remain_balance: value, balance_threshold: threshold, currency },
    };
  }
  if (kind === 'verification_rate' && state === 'raised')
    return { status: 'insufficient_verification_rate', data: { rate: value, threshold } };
  return {
    status: 'alert',
    data: { alert_id: alertId, kind, state, value, threshold, text: textOf(told), ...reading.more },
  };
}
