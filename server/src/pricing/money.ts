/**
 * Amounts between text and micros (millionths of the installation's currency). Digit by digit: no amount is ever a fraction in
 * floating point, so what was written down comes back as it was.
 */

const form = /^(\d{1,7})(?:\.(\d{1,6}))?$/;
/** The highest price: a million. */
export const maxPriceMicros = 1_000_000_000_000;

/** The micros of a decimal such as `0.0412`; null for what is none, or has more than six digits behind the point. */
export function parseMicros(text: string): number | null {
  const found = form.exec(text);
  if (!found) return null;
  const [, whole = '', part = ''] = found;
  const micros = Number(whole + part.padEnd(6, '0'));
  return micros <= maxPriceMicros ? micros : null;
}

/** `41200` → `0.0412`: exact, without zeros at the end. */
export function formatMicros(micros: number): string {
  const digits = String(micros).padStart(7, '0');
  const part = digits.slice(-6).replace(/0+$/, '');
  return `${digits.slice(0, -6)}${part === '' ? '' : `.${part}`}`;
}
