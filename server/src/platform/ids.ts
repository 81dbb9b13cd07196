/**
 * Message ids: 19 decimal digits, (ms since 1288834974657) << 22 | node << 12 | sequence. Time-ordered, unique over 1,024
 * nodes × 4,096 per ms; a node whose clock steps back, or whose sequence is full, goes on with the next free number.
 */
import { randomFillSync } from 'node:crypto';
import type { Clock } from './clock.ts';

const epochMs = 1_288_834_974_657n;
const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

export function messageIdOf(atMs: number, node: number, sequence: number): string {
  return (((BigInt(atMs) - epochMs) << 22n) | (BigInt(node) << 12n) | BigInt(sequence)).toString();
}

/** Milliseconds since 1970 at which the id was made. */
export function timeOfId(id: string): number {
  return Number((BigInt(id) >> 22n) + epochMs);
}

/** Whether the text can be an id at all: a positive 64-bit integer without leading zeros. */
export function isId(text: string): boolean {
  return /^[1-9][0-9]{0,18}$/.test(text) && BigInt(text) <= 9_223_372_036_854_775_807n;
}

export interface IdSource {
  next(): string;
}

/** Waiting is done in the number, not in time: the millisecond part never goes back and moves on when 4,096 are used. */
export function createIdSource(clock: Clock, node: () => number): IdSource {
  let lastMs = 0;
  let sequence = 0;
  return {
    next() {
      const now = clock.now();
      if (now > lastMs) {
        lastMs = now;
        sequence = 0;
      } else if (++sequence > 4095) {
        lastMs++;
        sequence = 0;
      }
      return messageIdOf(lastMs, node(), sequence);
    },
  };
}

/** `req_01K0…`: prefix, 10 characters of time, 16 of chance, in Crockford base 32. */
export function prefixedId(prefix: string, nowMs: number): string {
  let time = '';
  for (let left = nowMs, i = 0; i < 10; i++) {
    time = crockford.charAt(left % 32) + time;
    left = Math.floor(left / 32);
  }
  let chance = '';
  for (const byte of takeChance()) chance += crockford.charAt(byte & 31);
  return `${prefix}_${time}${chance}`;
}

/** Drawn for 256 ids at once: asking the generator for 16 bytes costs as much as asking for 4,096, and every request asks. */
const chance = { bytes: Buffer.alloc(4096), at: 4096 };

function takeChance(): Buffer {
  if (chance.at === chance.bytes.length) {
    randomFillSync(chance.bytes);
    chance.at = 0;
  }
  chance.at += 16;
  return chance.bytes.subarray(chance.at - 16, chance.at);
}
