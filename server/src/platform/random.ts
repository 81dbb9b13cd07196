/** Random bytes from the system's generator, drawn in larger portions: one call per 8 KiB instead of one per few bytes. */
import { randomFillSync } from 'node:crypto';

const portion = 8192;
let pool = Buffer.alloc(0);

/** A fresh buffer of `size` bytes (at most 1,024), never handed out twice. */
export function randomPortion(size: number): Buffer {
  if (pool.length < size) pool = randomFillSync(Buffer.allocUnsafeSlow(portion));
  const taken = Buffer.from(pool.subarray(0, size));
  pool.fill(0, 0, size);
  pool = pool.subarray(size);
  return taken;
}
