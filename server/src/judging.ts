/** The rooms that judge sends by fraud rules, with what they are handed of others. */
import { type BackTests, createBackTests } from './back-tests/index.ts';
import { acceptedAttempts } from './delivery/index.ts';
import { createFraud, type Fraud, type FraudPorts } from './fraud/index.ts';
import { sentCountries } from './insights/index.ts';
import { messageFacts, numberingOf } from './messages/index.ts';
import { isMagic } from './sandbox/index.ts';

interface Given extends Pick<FraudPorts, 'db' | 'log' | 'worker' | 'application'> {
  currency: string;
}

export function createJudging(given: Given): { fraud: Fraud; backTests: BackTests } {
  const relations = { facts: messageFacts(), acceptances: acceptedAttempts(), countries: sentCountries() };
  const common = { ...given, relations, isExempt: isMagic };
  const fraud = createFraud(common);
  return { fraud, backTests: createBackTests({ ...common, numberOf: numberingOf, shipped: fraud.shipped }) };
}
