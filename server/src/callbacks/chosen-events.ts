/** Which events an endpoint is told: chosen by name or by family, kept by name. Pure. */
import { type EventName, eventNames, type Family, families, familyNames } from '../events/index.ts';

/** What may be said: a name, or a family for all of its events. */
export const choices = [...eventNames, ...familyNames] as const;
export type Choice = (typeof choices)[number];

/** Contract §10.5: one event per call of the API is asked for by whoever wants it. */
export const defaultEvents: readonly EventName[] = eventNames.filter((name) => name !== 'api_call');

const isFamily = (choice: Choice): choice is Family => choice in families;

/** Each name once, in the order of the families. */
export function expandEvents(chosen: readonly Choice[]): EventName[] {
  const named = new Set<string>(chosen.flatMap((choice) => (isFamily(choice) ? families[choice] : [choice])));
  return eventNames.filter((name) => named.has(name));
}
