/** How the objects of this room look on the wire: schemas with their bounds, and rows turned into them. */
import { z } from 'zod';
import { approvals, permissionNames, policySchema, rateLimitsSchema } from '../policy.ts';
import { agentChange, agentSchema, toAgent } from './agent-terms.ts';
import { canonicalEntry } from './allowlist.ts';
import type { Listed } from './office.ts';
import { policyChangeSchema } from './policy-change.ts';
import type { ApiKey, ApplicationRecord, Organization } from './records.ts';

/** No control characters, halves of surrogate pairs, line or paragraph separators: names end up in logs, texts and tables. */
const noControl = 'must not contain control characters';
// Without \p{…}: the pattern is published, and not every reader of it knows those.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const isOneLine = /^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$/;
const line = (min: number, max: number) =>
  z
    .string()
    .trim()
    .min(min)
    .max(max)
    .regex(isOneLine, noControl)
    .refine((text) => text.isWellFormed(), noControl);
const name = line(1, 64);
const networkSchema = z.enum(['virtual', 'live']);
const allowlistEntry = z
  .string()
  .max(64)
  .refine((text) => canonicalEntry(text) !== null, 'not an IP address or CIDR range');

export const idOf = <Name extends string>(field: Name): z.ZodType<Record<Name, string>> =>
  z.object({ [field]: z.string().min(1).max(64) }) as unknown as z.ZodType<Record<Name, string>>;

export const listQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().max(64).optional(),
});

export const organizationBody = z.object({ name });
export const organizationChange = organizationBody.partial();
export const applicationBody = z.object({
  name,
  network: networkSchema.default('virtual'),
  policy: policyChangeSchema.default({}),
});
export const applicationChange = z.object({ name: name.optional(), network: networkSchema.optional() });
const keyFields = {
  description: line(0, 200).optional(),
  permissions: z.array(z.enum(permissionNames)).min(1).max(16).optional(),
  ip_allowlist: z.array(allowlistEntry).max(100).optional(),
  expires_at: z.iso.datetime({ offset: true }).nullable().optional(),
  enabled: z.boolean().optional(),
  limits: rateLimitsSchema
    .optional()
    .describe('Limits on what this key sends and checks, beside those of its application.'),
  agent: agentChange
    .optional()
    .describe('The terms of a key of kind agent; only with that kind. What is not given stays, or gets its default.'),
};
export const keyBody = z.object({
  ...keyFields,
  kind: z
    .enum(['server', 'agent'])
    .default('server')
    .describe('`agent`: for programs that decide by themselves; held to the terms in `agent`. Never changes.'),
});
export const keyChange = z.object(keyFields);
export const sandboxKeyBody = keyBody.extend({ name: name.default('Sandbox') });

export const organizationSchema = z.object({ id: z.string(), name: z.string(), created_at: z.string() });
export const applicationSchema = z.object({
  id: z.string(),
  organization_id: z.string(),
  name: z.string(),
  network: networkSchema,
  sandbox: z.enum(['none', 'key', 'public']),
  policy: policySchema,
  created_at: z.string(),
});
export const keySchema = z.object({
  id: z.string(),
  application_id: z.string(),
  dev_key: z.string(),
  kind: z.enum(['server', 'agent']),
  agent: agentSchema.nullable(),
  approval: z
    .enum(approvals)
    .describe(
      'Of a key of kind agent in live mode: whether an operator lets it send to real people on its terms. `none`: it has not tried yet. Wider terms take it back.',
    ),
  description: z.string(),
  permissions: z.array(z.enum(permissionNames)),
  ip_allowlist: z.array(z.string()),
  expires_at: z.string().nullable(),
  enabled: z.boolean(),
  limits: rateLimitsSchema,
  last_used_at: z.string().nullable(),
  created_at: z.string(),
});
/** The only two answers with a secret. */
export const keyWithSecretSchema = keySchema.extend({ dev_secret: z.string() });
export const sandboxKeySchema = z.object({ application: applicationSchema, api_key: keyWithSecretSchema });
export const deletedSchema = z.object({ id: z.string(), deleted: z.literal(true) });

export const toOrganization = (organization: Organization): z.infer<typeof organizationSchema> => ({
  id: organization.id,
  name: organization.name,
  created_at: organization.createdAt.toISOString(),
});

export const toApplication = (application: ApplicationRecord): z.infer<typeof applicationSchema> => ({
  id: application.id,
  organization_id: application.organizationId,
  name: application.name,
  network: application.network,
  sandbox: application.sandbox,
  policy: application.policy,
  created_at: application.createdAt.toISOString(),
});

export const toKey = (key: ApiKey): z.infer<typeof keySchema> => ({
  id: key.id,
  application_id: key.applicationId,
  dev_key: key.devKey,
  kind: key.kind,
  agent: key.agent && toAgent(key.agent),
  approval: key.approval,
  description: key.description,
  permissions: [...key.permissions],
  ip_allowlist: [...key.ipAllowlist],
  expires_at: key.expiresAt?.toISOString() ?? null,
  enabled: key.enabled,
  limits: [...key.limits],
  last_used_at: key.lastUsedAt?.toISOString() ?? null,
  created_at: key.createdAt.toISOString(),
});

/** `{"<name>": [...], "next_cursor": … | null}` */
export const listSchema = <Name extends string, Item extends z.ZodType>(listName: Name, item: Item) =>
  z.object({ [listName]: z.array(item), next_cursor: z.string().nullable() }) as unknown as z.ZodType<
    Record<Name, z.infer<Item>[]> & { next_cursor: string | null }
  >;

export const toList = <Name extends string, Row, Item>(
  listName: Name,
  listed: Listed<Row>,
  item: (row: Row) => Item,
): Record<Name, Item[]> & { next_cursor: string | null } =>
  ({ [listName]: listed.rows.map(item), next_cursor: listed.next }) as Record<Name, Item[]> & {
    next_cursor: string | null;
  };
