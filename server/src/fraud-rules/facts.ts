/**
 * The closed list of what a rule may ask about a send. What cannot be known is null, and a comparison with it does not match.
 * Counts are of what was accepted before this send.
 */
export const factTypes = {
  country: 'text',
  calling_code: 'text',
  prefix: 'text',
  number_type: 'text',
  recipient_kind: 'text',
  email_domain: 'text',
  has_ip: 'boolean',
  has_device: 'boolean',
  is_first_country: 'boolean',
  sends_to_prefix_30m: 'number',
  targets_in_prefix_30m: 'number',
  sequential_numbers: 'number',
  verified_share_of_prefix_30m: 'number',
  verified_share_of_prefix_24h: 'number',
  verified_share_of_country_24h: 'number',
  verified_share_of_provider_24h: 'number',
  targets_per_ip_1h: 'number',
  targets_per_device_1h: 'number',
  sends_of_application_10m: 'number',
  sends_of_application_10m_ratio: 'number',
} as const satisfies Record<string, FactType>;

export type FactType = 'text' | 'number' | 'boolean';
export type FactName = keyof typeof factTypes;
export type FactValue = string | number | boolean;

/** Asked for one fact at a time, so that none is worked out which no rule wants. */
export type Facts = (name: FactName) => FactValue | null;

export const factNames = Object.keys(factTypes) as FactName[];
export const isFact = (name: unknown): name is FactName => typeof name === 'string' && Object.hasOwn(factTypes, name);

export const factTexts: Record<FactName, string> = {
  country: 'ISO 3166 of the number; null for e-mail and for numbers of no one country.',
  calling_code: 'Dialling code without +.',
  prefix: 'The number without + and without its last four digits.',
  number_type:
    'MOBILE, FIXED_LINE, FIXED_LINE_OR_MOBILE, PREMIUM_RATE, TOLL_FREE, SHARED_COST, VOIP, PERSONAL_NUMBER, PAGER, UAN or VOICEMAIL; null where the numbering plan does not tell.',
  recipient_kind: 'phone or email.',
  email_domain: 'Of an e-mail address, in lower case.',
  has_ip: 'Whether signals.ip was given.',
  has_device: 'Whether signals.device_id was given.',
  is_first_country: 'Whether the application has sent nothing to the country within 30 days.',
  sends_to_prefix_30m: 'Sends under the prefix within 30 minutes.',
  targets_in_prefix_30m: 'Different numbers under the prefix within 30 minutes, counted to 256.',
  sequential_numbers: 'The longest run of neighbouring numbers under the prefix within 30 minutes, this one included.',
  verified_share_of_prefix_30m:
    'Verified of the codes under the prefix whose life ended within 30 minutes, and of those verified since; null below 20.',
  verified_share_of_prefix_24h: 'The same over 24 hours; null below 20.',
  verified_share_of_country_24h: 'The same of the country over 24 hours; null below 20.',
  verified_share_of_provider_24h:
    'The same of the provider that last took a code to the country, over 24 hours; null below 20.',
  targets_per_ip_1h: 'Different recipients asked for by signals.ip within an hour, counted to 256.',
  targets_per_device_1h: 'Different recipients asked for by signals.device_id within an hour, counted to 256.',
  sends_of_application_10m: 'Sends of the application within 10 minutes.',
  sends_of_application_10m_ratio:
    'That, divided by the mean of ten minutes over the day before; null where the day has fewer than 144 sends.',
};
