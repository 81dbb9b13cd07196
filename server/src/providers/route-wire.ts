/** How routes look on the wire: schemas with their bounds, and rows turned into them. Every price stands beside its currency. */
import { isSupportedCountry } from 'libphonenumber-js/max';
import { z } from 'zod';
import { channelNames } from '../channels/index.ts';
import { isId } from '../platform/ids.ts';
import { plainText } from '../wire.ts';
import { leftOutReasons } from './pick.ts';
import { type Entry, providerIdPattern, type Route } from './records.ts';
import { senderWarnings } from './sender-rules.ts';

const id = z
  .string()
  .regex(/^[1-9]\d{0,18}$/, { message: 'must be an id', abort: true })
  .refine(isId, 'must be an id');
const providerId = z.string().regex(providerIdPattern, 'must be the id of a provider');
const sendersSchema = z.union([z.enum(['own', 'any']), z.array(plainText(1, 254)).max(1_000)]);

const entryBody = z.object({
  id: id
    .optional()
    .meta({ description: 'Keeps an entry as the one it is. Without it, the entry of the same provider is kept.' }),
  provider: providerId,
  priority: z.int().min(1).max(1_000).default(1).meta({ description: 'Lower is tried first.' }),
  sender: plainText(1, 254).nullable().default(null).meta({ description: "Null: the provider's own default." }),
  senders: sendersSchema.default('own').meta({
    description: 'Which senders a customer may ask for: only the own one, any, or one of a list.',
  }),
  price_micros: z.int().min(0).max(1_000_000_000_000).default(0).meta({
    description: 'Price of one message part, in millionths of the currency.',
  }),
  registration_note: plainText(0, 500).default(''),
  enabled: z.boolean().default(true),
});
export type EntryBody = z.infer<typeof entryBody>;

const entries = z.array(entryBody).min(1).max(50);
const noteText = plainText(0, 500);

/** What may be said when a route is made; the seed file says it too. */
export const routeBody = z
  .object({
    application_id: id.nullable().default(null).meta({ description: 'Null: for all applications.' }),
    channel: z.enum(channelNames),
    country: z
      .string()
      .refine((code) => isSupportedCountry(code), 'must be an ISO 3166 alpha-2 code with a numbering plan')
      .nullable()
      .default(null),
    prefix: z
      .string()
      .regex(/^[1-9][0-9]{0,14}$/, 'must be 1 to 15 digits, country code first, without +')
      .nullable()
      .default(null)
      .meta({ description: 'First digits of the number. Neither country nor prefix: the default route.' }),
    enabled: z.boolean().default(true),
    note: noteText.default(''),
    entries,
  })
  .refine(({ country, prefix }) => country === null || prefix === null, {
    path: ['prefix'],
    message: 'not together with country',
  })
  .refine(({ channel, country, prefix }) => channel !== 'email' || (country === null && prefix === null), {
    path: ['channel'],
    message: 'e-mail has neither country nor prefix',
  });
export type RouteBody = z.infer<typeof routeBody>;

export const routeChange = z.object({
  enabled: z.boolean().optional(),
  note: noteText.optional(),
  entries: entries.optional().meta({ description: 'All of them: an entry that is not given is removed.' }),
  version: z.int().optional().meta({ description: 'Given: the change is refused where the route has another.' }),
});
export type RouteChange = z.infer<typeof routeChange>;

export const routesQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().max(64).optional(),
  application_id: id.optional(),
  channel: z.enum(channelNames).optional(),
  provider: providerId.optional(),
});

const price = { price_micros: z.int(), currency: z.string() };

export const entrySchema = z.object({
  id: z.string(),
  provider: z.string(),
  priority: z.int(),
  sender: z.string().nullable(),
  senders: sendersSchema,
  ...price,
  registration_note: z.string(),
  enabled: z.boolean(),
});

export const routeSchema = z.object({
  id: z.string(),
  application_id: z.string().nullable(),
  channel: z.enum(channelNames),
  country: z.string().nullable(),
  prefix: z.string().nullable(),
  enabled: z.boolean(),
  note: z.string(),
  entries: z.array(entrySchema),
  warnings: z.array(z.string()).meta({ description: 'Senders that networks of the country may refuse or replace.' }),
  version: z.int(),
  created_at: z.string(),
  updated_at: z.string(),
});

const toEntry = (entry: Entry, currency: string): z.infer<typeof entrySchema> => ({
  id: entry.id,
  provider: entry.provider,
  priority: entry.priority,
  sender: entry.sender,
  senders: typeof entry.senders === 'string' ? entry.senders : [...entry.senders],
  price_micros: entry.priceMicros,
  currency,
  registration_note: entry.registrationNote,
  enabled: entry.enabled,
});

export const toRoute = (route: Route, currency: string): z.infer<typeof routeSchema> => ({
  id: route.id,
  application_id: route.applicationId,
  channel: route.channel,
  country: route.country,
  prefix: route.prefix,
  enabled: route.enabled,
  note: route.note,
  entries: route.entries.map((entry) => toEntry(entry, currency)),
  warnings: senderWarnings(route, route.entries),
  version: route.version,
  created_at: route.createdAt.toISOString(),
  updated_at: route.updatedAt.toISOString(),
});

export const resolveBody = z.object({
  application_id: id.nullable().default(null).meta({ description: 'Null: only the general routes.' }),
  channel: z.enum(channelNames),
  to: plainText(3, 254).meta({ description: 'E.164 number or e-mail address; nothing is sent to it.' }),
});

const found = { entry_id: z.string(), route_id: z.string(), provider: z.string(), why: z.string() };

export const resolutionSchema = z.object({
  country: z.string().nullable().meta({ description: 'Of the number, by its numbering plan.' }),
  reason: z.enum(['no_route', 'circuit_open']).nullable().meta({ description: 'Why nothing would be handed over.' }),
  entries: z
    .array(
      z.object({
        ...found,
        sender: z.string().nullable(),
        ...price,
        up: z
          .boolean()
          .meta({ description: 'Opened, and its circuit lets hand-overs through, on the node that answers.' }),
        detail: z.string().nullable().meta({ description: 'Why it is not up.' }),
      }),
    )
    .meta({ description: 'In the order in which they would be used.' }),
  left_out: z.array(z.object({ ...found, reason: z.enum(leftOutReasons) })),
});

export const routeParams = z.object({ route_id: z.string().min(1).max(64) });
