/** All HTTP operations of this room. */
import type { Operation } from '../http/operation.ts';
import { createBalanceOperations } from './balance-operations.ts';
import { createBudgetOperations } from './budget-operations.ts';
import type { SpendPorts } from './ports.ts';

export type { Operation } from '../http/operation.ts';

export const createOperations = (ports: SpendPorts): Operation[] => [
  ...createBalanceOperations(ports),
  ...createBudgetOperations(ports),
];
