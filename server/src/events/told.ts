/** One event as the list and the stream tell it, and which events a reader wants. Pure. */
import type { Application } from '../policy.ts';
import { isRetained, retentionMs } from '../wire.ts';
import type { Place } from './cursor.ts';
import { eventNames, type Family, families } from './families.ts';
import { eventIdOf, type Row, rowOf } from './row.ts';
import type { StoredEntry } from './stream-store.ts';

export interface Told {
  place: Place;
  event: string;
  messageId: string;
  /** As requested, normalised; null for events of no message. */
  recipient: string | null;
  at: Date;
  id: string;
  row: Row;
}

/** Null for an event of a message that is forgotten. */
export function tell({ place, entry, facts }: StoredEntry): Told | null {
  const row = rowOf(entry, facts);
  if (!row) return null;
  const { status: event, messageId, at } = entry;
  return { place, event, messageId, recipient: facts?.to ?? null, at, id: `evt_${eventIdOf(entry)}`, row };
}

export interface Wanted {
  /** Null: all. */
  events: ReadonlySet<string> | null;
  messageId: string | null;
  /** Normalised. */
  to: string | null;
}

export const wantsAll = ({ events, messageId, to }: Wanted): boolean =>
  events === null && messageId === null && to === null;

/** What the reader asked for, and is still kept: rows past retention may be there for a while. */
export function isWanted(
  told: Told,
  { events, messageId, to }: Wanted,
  application: Application,
  now: number,
): boolean {
  if (events && !events.has(told.event)) return false;
  if (messageId !== null && told.messageId !== messageId) return false;
  if (to !== null && told.recipient !== to) return false;
  return told.messageId === '0'
    ? now - told.at.getTime() < retentionMs(application)
    : isRetained(told.messageId, application, now);
}

const known: ReadonlySet<string> = new Set(eventNames);
const isFamily = (name: string): name is Family => Object.hasOwn(families, name);

/** Names of events and families, with commas between them; null when one of them is neither. */
export function parseEventNames(text: string): Set<string> | null {
  const names = text.split(',').flatMap((part): readonly string[] => {
    const name = part.trim();
    return isFamily(name) ? families[name] : [name];
  });
  return names.every((name) => known.has(name)) ? new Set(names) : null;
}
