/** The operator's operations on providers and routes, under /admin/v1. An unknown id is 404/4001, a clash 409/3002. */
import { faultsOf, faultTexts } from '../http/faults.ts';
import type { Operation } from '../http/operation.ts';
import type { Office } from './office.ts';
import type { Explain } from './open-upstream.ts';
import { createProviderOperations } from './provider-operations.ts';
import { createRouteOperations } from './route-operations.ts';
import { createUpkeepOperations } from './upkeep-operations.ts';

export type { Operation } from '../http/operation.ts';

export const createOperations = (office: Office): Operation[] => [
  ...createProviderOperations(office),
  ...createUpkeepOperations(office),
  ...createRouteOperations(office),
];

/** What a schema finds wrong, in the words of the front door. */
export const explain: Explain = (schema, value, root = 'body') => {
  const parsed = schema.safeParse(value, faultTexts);
  return parsed.success ? [] : faultsOf(parsed.error.issues, root);
};
