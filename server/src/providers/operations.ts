/** The operator's operations on providers and routes, under /admin/v1. */
import type { Operation } from '../http/operation.ts';

export type { Operation } from '../http/operation.ts';

export function createOperations(): Operation[] {
  return [];
}
