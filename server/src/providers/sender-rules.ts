/**
 * What countries ask of the sender of an SMS, as advice beside a route: a sender that is refused or replaced by the networks is seen
 * too late otherwise. Advice and no refusal: the rules are the networks', change often, and an account may have an exception.
 */
import { AsYouType, type CountryCode } from 'libphonenumber-js/max';
import type { Entry, Reach } from './records.ts';

/** Names are replaced by a number or dropped: the networks take numbers and short codes only. General knowledge of the trade. */
const numbersOnly = new Set('US CA PR CN TW KR BR MX AR CO CL CR EC UY VE DO GT HN NI PA SV PE ZA MY'.split(' '));
/** A name must be registered beforehand, with the regulator or each network. General knowledge of the trade. */
const registered = new Set(
  'IN SG SA AE QA KW OM BH JO EG TR RU BY UA KZ UZ VN TH PH ID LK PK BD NP MM KH KE NG GH TZ UG RW RO CZ'.split(' '),
);

const isName = (sender: string): boolean => /\p{L}/u.test(sender) && !/^MG[0-9a-f]{32}$/.test(sender);

/** The country a route leads to; undefined for the default route and prefixes that several share. */
export function countryOfReach({ country, prefix }: Pick<Reach, 'country' | 'prefix'>): string | undefined {
  if (country !== null || prefix === null) return country ?? undefined;
  const typed = new AsYouType();
  typed.input(`+${prefix}`);
  return typed.getCountry() satisfies CountryCode | undefined;
}

/** One sentence per entry whose sender may not arrive as it stands. */
export function senderWarnings(
  reach: Pick<Reach, 'channel' | 'country' | 'prefix'>,
  entries: readonly Pick<Entry, 'provider' | 'sender' | 'registrationNote'>[],
): string[] {
  if (reach.channel !== 'sms') return [];
  const country = countryOfReach(reach);
  return entries.flatMap(({ provider, sender, registrationNote }) => {
    if (sender === null || !isName(sender)) return [];
    const warnings: string[] = [];
    if (sender.length > 11)
      warnings.push(`${provider}: a name has at most 11 characters, "${sender}" has ${sender.length}`);
    if (country !== undefined && numbersOnly.has(country))
      warnings.push(`${provider}: networks of ${country} take no names as sender; use a number or short code`);
    if (country !== undefined && registered.has(country) && registrationNote === '')
      warnings.push(`${provider}: ${country} wants "${sender}" registered; say in registration_note where it is`);
    return warnings;
  });
}
