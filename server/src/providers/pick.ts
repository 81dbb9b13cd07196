/**
 * Which entries serve a recipient and in which order, pure. Most specific first: the application's own routes before general
 * ones, then the longest prefix of the number, its country, the default; inside a route by priority, then id. What is left out
 * is named with its reason.
 */
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { Channel } from '../channels/index.ts';
import { isQuiet } from './quiet-hours.ts';
import type { Entry, QuietHours, Reach, Route } from './records.ts';

/** What picking must know of a provider. */
export interface ProviderState {
  /** Of its adapter; empty when this program has none of that name. */
  channels: readonly Channel[];
  enabled: boolean;
  drainedUntilMs: number | null;
  quietHours: QuietHours | null;
  /** Opened on this node, and its circuit lets hand-overs through. */
  up: boolean;
}

export const leftOutReasons = [
  'entry_disabled',
  'provider_disabled',
  'wrong_channel',
  'drained',
  'quiet_hours',
  'repeated',
] as const;
export type LeftOutReason = (typeof leftOutReasons)[number];

export interface Choice {
  route: Route;
  entry: Entry;
  /** In words: which route led here. */
  why: string;
  up: boolean;
}

export interface Picked {
  /** Best first; what is down stands last, since it may be up again when its turn comes. */
  picks: Choice[];
  leftOut: { route: Route; entry: Entry; why: string; reason: LeftOutReason }[];
  /** ISO 3166 alpha-2 where the numbering plan tells it and some route asks for it. */
  country: string | null;
}

interface Asked {
  applicationId: string;
  channel: Channel;
  /** E.164 number or e-mail address. */
  to: string;
}

/** The enabled routes of one application, or the general ones, for one channel. */
interface Shelf {
  byPrefix: Map<string, Route>;
  longestPrefix: number;
  byCountry: Map<string, Route>;
  fallback: Route | null;
}

export interface RouteTable {
  shelves: Map<string, Shelf>;
}

const shelfKey = (applicationId: string | null, channel: Channel): string => `${applicationId ?? ''} ${channel}`;

export function tableOf(routes: readonly Route[]): RouteTable {
  const shelves = new Map<string, Shelf>();
  for (const route of routes) {
    if (!route.enabled) continue;
    const key = shelfKey(route.applicationId, route.channel);
    const shelf = shelves.get(key) ?? { byPrefix: new Map(), longestPrefix: 0, byCountry: new Map(), fallback: null };
    shelves.set(key, shelf);
    if (route.prefix !== null) {
      shelf.byPrefix.set(route.prefix, route);
      shelf.longestPrefix = Math.max(shelf.longestPrefix, route.prefix.length);
    } else if (route.country !== null) shelf.byCountry.set(route.country, route);
    else shelf.fallback = route;
  }
  return { shelves };
}

/** The routes of an application for a channel, wherever they lead. */
export function routesFor({ shelves }: RouteTable, applicationId: string, channel: Channel): Route[] {
  return shelvesFor(shelves, applicationId, channel).flatMap(({ byPrefix, byCountry, fallback }) => [
    ...byPrefix.values(),
    ...byCountry.values(),
    ...(fallback ? [fallback] : []),
  ]);
}

/** Its own, then the general ones. */
function shelvesFor(shelves: RouteTable['shelves'], applicationId: string, channel: Channel): Shelf[] {
  const found = [shelves.get(shelfKey(applicationId, channel)), shelves.get(shelfKey(null, channel))];
  return found.filter((shelf) => shelf !== undefined);
}

export function pick(
  table: RouteTable,
  asked: Asked,
  stateOf: (provider: string) => ProviderState | null,
  nowMs: number,
): Picked {
  const { routes, country } = matching(table, asked);
  const result: Picked = { picks: [], leftOut: [], country };
  const seen = new Set<string>();
  for (const route of routes)
    for (const entry of inOrder(route.entries)) {
      const why = whyOf(route, entry);
      const state = stateOf(entry.provider);
      const again = `${entry.provider} ${entry.sender ?? ''}`;
      const reason = reasonAgainst(entry, asked.channel, state, nowMs) ?? (seen.has(again) ? 'repeated' : null);
      if (reason !== null) result.leftOut.push({ route, entry, why, reason });
      else {
        seen.add(again);
        result.picks.push({ route, entry, why, up: state?.up ?? false });
      }
    }
  result.picks.sort((a, b) => Number(b.up) - Number(a.up));
  return result;
}

function matching(
  table: RouteTable,
  { applicationId, channel, to }: Asked,
): { routes: Route[]; country: string | null } {
  const shelves = shelvesFor(table.shelves, applicationId, channel);
  const digits = channel === 'email' ? '' : to.replace(/^\+/, '');
  const needsCountry = digits !== '' && shelves.some(({ byCountry }) => byCountry.size > 0);
  const country = needsCountry ? countryOf(to) : null;
  const routes = shelves.flatMap(({ byPrefix, longestPrefix, byCountry, fallback }) => {
    const found: (Route | null | undefined)[] = [];
    for (let length = Math.min(longestPrefix, digits.length); length > 0; length--)
      found.push(byPrefix.get(digits.slice(0, length)));
    if (country !== null) found.push(byCountry.get(country));
    return [...found, fallback].filter((route) => route !== null && route !== undefined);
  });
  return { routes, country };
}

/** By the whole numbering plan: countries that share a calling code (+1, +7, +44 …) are told apart by their area codes. */
export function countryOf(number: string): string | null {
  return parsePhoneNumberFromString(number)?.country ?? null;
}

const inOrder = (entries: readonly Entry[]): Entry[] =>
  entries.toSorted((a, b) => a.priority - b.priority || Number(BigInt(a.id) - BigInt(b.id)));

/** Why an entry may not serve now whatever the recipient; null when it may. */
export function reasonAgainst(
  entry: Entry,
  channel: Channel,
  provider: ProviderState | null,
  nowMs: number,
): LeftOutReason | null {
  if (!entry.enabled) return 'entry_disabled';
  if (!provider?.enabled) return 'provider_disabled';
  if (!provider.channels.includes(channel)) return 'wrong_channel';
  return restingReason(provider, nowMs);
}

/** Why a provider takes nothing new for now; null when it does. */
export function restingReason(
  provider: Pick<ProviderState, 'drainedUntilMs' | 'quietHours'>,
  nowMs: number,
): 'drained' | 'quiet_hours' | null {
  if (provider.drainedUntilMs !== null && nowMs < provider.drainedUntilMs) return 'drained';
  return provider.quietHours && isQuiet(provider.quietHours, nowMs) ? 'quiet_hours' : null;
}

/** `prefix 65, priority 1`; the application's own routes say so. */
export function whyOf(route: Reach, entry: Pick<Entry, 'priority'>): string {
  return `${route.applicationId === null ? '' : 'own '}${reachOf(route)}, priority ${entry.priority}`;
}

/** `prefix 65`, `country SG` or `default`. */
export function reachOf({ prefix, country }: Pick<Reach, 'prefix' | 'country'>): string {
  if (prefix !== null) return `prefix ${prefix}`;
  return country === null ? 'default' : `country ${country}`;
}
