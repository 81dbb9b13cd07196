/**
 * How Vonage sends a text: `type=text` where GSM 03.38 has every character, else `type=unicode`, and in how many parts. A type that
 * does not fit the text loses characters on the way. Table and lengths: upstreams §7.
 */

const basic = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
/** Sent as an escape and a second septet. */
const extension = new Set('\f^{}\\[~]|€');

export interface SmsText {
  type: 'text' | 'unicode';
  parts: number;
}

export function smsTextOf(text: string): SmsText {
  const characters = [...text];
  const gsm = characters.every((character) => basic.has(character) || extension.has(character));
  const sizes = characters.map((character) => (gsm ? (extension.has(character) ? 2 : 1) : character.length));
  const [single, each] = gsm ? [160, 153] : [70, 67];
  const length = sizes.reduce((sum, size) => sum + size, 0);
  return { type: gsm ? 'text' : 'unicode', parts: length <= single ? 1 : partsOf(sizes, each) };
}

/** Neither an escape nor a surrogate pair is split, so a part may stay one unit short. */
function partsOf(sizes: readonly number[], each: number): number {
  let parts = 1;
  let used = 0;
  for (const size of sizes) {
    if (used + size > each) {
      parts++;
      used = 0;
    }
    used += size;
  }
  return parts;
}
