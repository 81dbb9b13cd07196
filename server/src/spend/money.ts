/** Money as it is written: units with at most six decimals. Inside it is always a whole number of micros. */

const microsPerUnit = 1_000_000;

/** Exact for every amount that a double holds to the sixth decimal: up to nine thousand million units. */
export const unitsOf = (micros: number): number => micros / microsPerUnit;

const written = /^(-?)(\d{1,9})(?:\.(\d{1,6}))?$/;

/** Null for what is no amount. */
export function microsOf(text: string): number | null {
  const match = written.exec(text);
  if (!match) return null;
  const [, sign, whole = '0', decimals = ''] = match;
  const micros = Number(whole) * microsPerUnit + Number(decimals.padEnd(6, '0'));
  return sign === '-' && micros > 0 ? -micros : micros;
}
