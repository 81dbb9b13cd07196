/** Explains, from memory and without sending, which entries a message would be handed to, in which order, and why not to others. */
import type { Channel } from '../channels/index.ts';
import { invalid } from '../errors.ts';
import { pickFor, reasonOf } from './lines.ts';
import type { Office } from './office.ts';
import { type Choice, countryOf } from './pick.ts';
import type { Entry, Route } from './records.ts';

interface Question {
  applicationId: string | null;
  channel: Channel;
  to: string;
}

export function resolveRoute(office: Office, { applicationId, channel, to }: Question) {
  if ((channel === 'email') !== to.includes('@'))
    throw invalid([
      { field: 'to', problem: channel === 'email' ? 'must be an e-mail address' : 'must be a phone number' },
    ]);
  const number = channel === 'email' ? to : to.replace(/[ \-.()]/g, '');
  // No application has the id 0, so that only general routes are found.
  const picked = pickFor(office, { applicationId: applicationId ?? '0', channel, to: number });
  return {
    country: channel === 'email' ? null : countryOf(number),
    reason: reasonOf(picked),
    entries: picked.picks.map((choice) => explained(office, choice)),
    left_out: picked.leftOut.map(({ route, entry, why, reason }) => ({ ...named(route, entry, why), reason })),
  };
}

const named = (route: Route, entry: Entry, why: string) => ({
  entry_id: entry.id,
  route_id: route.id,
  provider: entry.provider,
  why,
});

function explained({ memory, currency }: Office, { route, entry, why, up }: Choice) {
  const live = memory.roster.find(entry.provider);
  const detail = live?.fault ?? live?.gate.view().reason ?? null;
  const { sender, priceMicros } = entry;
  return {
    ...named(route, entry, why),
    sender,
    price_micros: priceMicros,
    currency,
    up,
    detail: up ? null : detail,
  };
}
