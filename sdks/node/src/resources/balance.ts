// How much the application can still spend.

import type { Transport } from '../transport.ts';

export interface Balance {
  balance: number;
  /** Held for messages under way. */
  reserved: number;
  threshold: number;
  currency: string;
  mode: 'prepaid' | 'unlimited';
}

/** `GET /v1/balance`. */
export function readBalance(transport: Transport): Promise<Balance> {
  return transport.request({ method: 'GET', path: '/v1/balance' });
}
