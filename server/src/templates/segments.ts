/**
 * How an SMS text is encoded and cut into billed parts (contract §9): GSM 03.38 where every character allows it, else UCS-2.
 * An escape pair or a surrogate pair is never split, so a part may stay one unit short.
 */

const basic = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
/** Each is sent as an escape and a second septet. */
const extension = new Set('^{}\\[~]|€');

export interface Segmentation {
  encoding: 'GSM-7' | 'UCS-2';
  /** Septets for GSM-7, UTF-16 units for UCS-2. */
  length: number;
  /** Billed parts; an empty text is one. */
  segments: number;
  /** The text of each part, in order. */
  parts: string[];
}

export const isGsm = (character: string): boolean => basic.has(character) || extension.has(character);

/** Encoding, length and parts of one SMS. */
export function segment(text: string): Segmentation {
  const characters = [...text];
  const gsm = characters.every(isGsm);
  const sizeOf = gsm ? (c: string) => (extension.has(c) ? 2 : 1) : (c: string) => c.length;
  const length = characters.reduce((sum, character) => sum + sizeOf(character), 0);
  const [single, each] = gsm ? [160, 153] : [70, 67];
  const parts = length <= single ? [text] : cut(characters, sizeOf, each);
  return { encoding: gsm ? 'GSM-7' : 'UCS-2', length, segments: parts.length, parts };
}

/** Fills each part with whole characters up to `limit`. */
function cut(characters: readonly string[], sizeOf: (character: string) => number, limit: number): string[] {
  const parts: string[] = [];
  let part = '';
  let used = 0;
  for (const character of characters) {
    const size = sizeOf(character);
    if (used + size > limit) {
      parts.push(part);
      part = '';
      used = 0;
    }
    part += character;
    used += size;
  }
  parts.push(part);
  return parts;
}

/** The characters that keep a text out of GSM-7, each once, in order of appearance. */
export function nonGsmCharacters(text: string): string[] {
  return [...new Set(text)].filter((character) => !isGsm(character));
}
