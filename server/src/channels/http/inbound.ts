/** From what a gateway posts about messages of people to uplinks, by the operator's map. */
import { createHash } from 'node:crypto';
import type { Uplink } from '../contract.ts';
import { isUpstreamId } from './place.ts';
import { textOf, valueAt } from './pointer.ts';
import type { InboundSettings } from './webhook-settings.ts';

const maxBodyLength = 10_000;

/** Null where an item is not the message of anybody. */
export function uplinksOf(items: readonly object[], settings: InboundSettings): Uplink[] | null {
  const uplinks = items.flatMap((item) => uplinkOf(item, settings));
  return uplinks.length === items.length ? uplinks : null;
}

function uplinkOf(item: object, settings: InboundSettings): Uplink[] {
  const at = (place: string): string | null => textOf(valueAt(place, item));
  const [from, to] = [at(settings.from), at(settings.to)];
  const text = valueAt(settings.text, item);
  const id = settings.id === undefined ? fingerprint(item) : at(settings.id);
  if (from === null || to === null || id === null || typeof text !== 'string') return [];
  if (!isAddress(from) || !isAddress(to) || !isUpstreamId(id)) return [];
  // No column takes NUL or half a character.
  const body = text.replaceAll('\0', '').toWellFormed().slice(0, maxBodyLength).toWellFormed();
  return [{ upstreamId: id, from: international(from), to: international(to), body }];
}

const isAddress = (text: string): boolean => /^[^\p{Cc}\p{Cs}]{1,64}$/u.test(text);

/** Repeated by the gateway it is the same; two equal messages are one, which harms nothing. */
const fingerprint = (item: object): string => createHash('sha256').update(JSON.stringify(item)).digest('hex');

/** Short codes and names stay as they are. */
function international(address: string): string {
  const digits = address.replace(/^(?:\+|00)/, '').replace(/[\s-]/g, '');
  return /^[1-9]\d{6,14}$/.test(digits) ? `+${digits}` : address;
}
