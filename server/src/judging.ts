/** The rooms that judge sends by fraud rules, with what they are handed of others. */
import { acceptedAttempts } from './delivery/index.ts';
import { createFraud, type Fraud, type FraudPorts } from './fraud/index.ts';
import { sentCountries } from './insights/index.ts';
import { messageFacts } from './messages/index.ts';
import { isMagic } from './sandbox/index.ts';

type Given = Pick<FraudPorts, 'db' | 'log' | 'worker' | 'application'>;

export function createJudging(given: Given): { fraud: Fraud } {
  const relations = { facts: messageFacts(), acceptances: acceptedAttempts(), countries: sentCountries() };
  const fraud = createFraud({ ...given, relations, isExempt: isMagic });
  return { fraud };
}
