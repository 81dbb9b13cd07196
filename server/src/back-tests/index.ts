/**
 * Back-tests: what changed fraud rules would have done to the last days of an application, told before anybody is refused. The ledger
 * is read in its order and the same book is fed that judges live; nothing is written.
 */
import { createOperations, type Operation, type OperationsPorts } from './operations.ts';

export interface BackTests {
  operations: readonly Operation[];
}

export const createBackTests = (ports: OperationsPorts): BackTests => ({ operations: createOperations(ports) });
