/** The terms of agent keys as they arrive: bounds, defaults, and recipients in the form in which they are compared. */
import { z } from 'zod';
import { ApiError, invalid } from '../errors.ts';
import { type AgentTerms, countryCode } from '../policy.ts';

const fields = {
  mode: z
    .enum(['test', 'live'])
    .describe(
      '`test` (default): sends only while the application is on the virtual network. `live`: also to real people.',
    ),
  countries: z
    .array(countryCode)
    .max(250)
    .describe(
      'Destinations it may send to (ISO 3166); e-mail is in none. Together with `recipients`; both empty (default): nothing live.',
    ),
  recipients: z
    .array(z.string().min(3).max(320))
    .max(1000)
    .describe('E.164 numbers and e-mail addresses it may send to, wherever they are.'),
  per_recipient_per_day: z.int().min(1).max(1000).describe('Default 3. Each address that a send may reach counts it.'),
  sends_per_day: z.int().min(0).max(1_000_000).describe('Default 50.'),
  spend_per_day_micros: z
    .int()
    .min(0)
    .max(1_000_000_000_000)
    .describe(
      'Millionths of the currency. Default 0: it may spend nothing. A send counts what its whole chain would cost until it is clear what it did cost.',
    ),
  unattended: z
    .boolean()
    .describe(
      'Live sends over MCP. `false` (default): a person confirms each in the client, and a client that cannot ask is refused. `true`: nobody is asked.',
    ),
};

export const agentChange = z.object(fields).partial();
export const agentSchema = z.object(fields);
export type AgentChange = z.infer<typeof agentChange>;

const defaults: AgentTerms = {
  mode: 'test',
  countries: [],
  recipients: [],
  perRecipientPerDay: 3,
  sendsPerDay: 50,
  spendPerDayMicros: 0,
  unattended: false,
};

/** The form of a recipient as messages know it; throws for what is no address. */
export type NormaliseRecipient = (text: string) => string;

/** Only what is given, in the form in which it is kept. 3002 for a recipient that is no address. */
export function termsOf(given: AgentChange, normalise: NormaliseRecipient): Partial<AgentTerms> {
  const { mode, countries, recipients } = given;
  return {
    ...(mode && { mode }),
    ...(countries && { countries: [...new Set(countries)].sort() }),
    ...(recipients && { recipients: [...new Set(recipients.map((text, i) => recipient(text, i, normalise)))] }),
    ...(given.per_recipient_per_day !== undefined && { perRecipientPerDay: given.per_recipient_per_day }),
    ...(given.sends_per_day !== undefined && { sendsPerDay: given.sends_per_day }),
    ...(given.spend_per_day_micros !== undefined && { spendPerDayMicros: given.spend_per_day_micros }),
    ...(given.unattended !== undefined && { unattended: given.unattended }),
  };
}

export const firstTerms = (given: AgentChange, normalise: NormaliseRecipient): AgentTerms => ({
  ...defaults,
  ...termsOf(given, normalise),
});

function recipient(text: string, index: number, normalise: NormaliseRecipient): string {
  try {
    return normalise(text);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw invalid([
      { field: `agent.recipients[${index}]`, problem: 'not a phone number in E.164 form or e-mail address' },
    ]);
  }
}

export const toAgent = (terms: AgentTerms): z.infer<typeof agentSchema> => ({
  mode: terms.mode,
  countries: [...terms.countries],
  recipients: [...terms.recipients],
  per_recipient_per_day: terms.perRecipientPerDay,
  sends_per_day: terms.sendsPerDay,
  spend_per_day_micros: terms.spendPerDayMicros,
  unattended: terms.unattended,
});
