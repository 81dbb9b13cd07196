/**
 * Pricing: what providers take for a unit of a channel, by where it goes and from which moment on; and what was used. Promises:
 * a change of prices holds for the next hand-over on this node, and on every other as soon as its notification arrives; a price
 * that was announced begins at its moment by the database's clock; money is whole micros everywhere; what was handed over keeps
 * its cost whatever happens to the prices.
 */
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { createMemory } from './memory.ts';
import type { Office } from './office.ts';
import { createOperations, type Operation } from './operations.ts';
import { type Asked, decide } from './price.ts';

export interface PriceAsk extends Asked {
  /** Segments of an SMS; 1 for a message of another channel and for a call. */
  units: number;
}

export interface Quote {
  costMicros: number;
  /** The cost is given back when a receipt says that the message did not arrive. */
  refundable: boolean;
}

export interface Pricing {
  operations: readonly Operation[];
  /** In micros, by the price in force now; null where the table says nothing. From memory. */
  price(ask: PriceAsk): number | null;
  /** The same with its terms. */
  quote(ask: PriceAsk): Quote | null;
  /** Reads everything, and listens from now on. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Reads if something changed; tests call it instead of waiting. */
  beat(): Promise<void>;
}

export interface PricingPorts extends Omit<Office, 'memory'> {
  clock: Clock;
  log: Log;
}

export function createPricing(ports: PricingPorts): Pricing {
  const memory = createMemory(ports);
  function quote(ask: PriceAsk): Quote | null {
    const found = decide(memory.table(), ask, memory.now());
    return found && { costMicros: found.priceMicros * ask.units, refundable: found.refund === 'undelivered' };
  }
  return {
    operations: createOperations({ ...ports, memory }),
    quote,
    price: (ask) => quote(ask)?.costMicros ?? null,
    start: memory.start,
    stop: memory.stop,
    beat: memory.beat,
  };
}
