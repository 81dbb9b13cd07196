/** The operator's operations on allow and block lists, under /admin/v1. What is said here holds for the next send, on every node. */
import { z } from 'zod';
import { ApiError, invalid } from '../errors.ts';
import { defineOperation, type Operation } from '../http/operation.ts';
import type { Db } from '../platform/db.ts';
import { isId } from '../platform/ids.ts';
import { plainText } from '../wire.ts';
import { deleteListEntry, findListEntry, insertListEntry, listListEntries } from './list-store.ts';
import { type ListEntry, listKinds, listTypes, normaliseValue } from './lists.ts';

export interface ListsOptions {
  db: Db;
  application(id: string): Promise<object | null>;
  /** E.164 form; ApiError 5011 for what is no number. */
  parseNumber(text: string): string;
}

const path = '/admin/v1/lists';
const common = { tag: 'Operator: lists', auth: 'operator' } as const;
const kind = z.enum(listKinds);
const type = z.enum(listTypes);
const applicationId = plainText(1, 64);
const reason = plainText(1, 500);
const author = plainText(1, 128).default('operator').describe('Who decided it.');
const entryParams = z.object({ entry_id: z.string().min(1).max(64) });

const entryBody = z.object({
  application_id: applicationId.nullable().default(null).describe('null: every application.'),
  kind,
  type,
  value: plainText(1, 320).describe(
    'A number in E.164 form, a prefix of digits, an IP address or CIDR range, a domain, or a country (ISO 3166).',
  ),
  reason,
  author,
  expires_at: z.iso.datetime({ offset: true }).nullable().default(null),
});
const entrySchema = z.object({
  id: z.string(),
  application_id: z.string().nullable(),
  kind,
  type,
  value: z.string(),
  reason: z.string(),
  author: z.string(),
  expires_at: z.iso.datetime().nullable(),
  created_at: z.iso.datetime(),
});

const toWire = (entry: ListEntry): z.infer<typeof entrySchema> => ({
  id: entry.id,
  application_id: entry.applicationId,
  kind: entry.kind,
  type: entry.type,
  value: entry.value,
  reason: entry.reason,
  author: entry.author,
  expires_at: entry.expiresAt?.toISOString() ?? null,
  created_at: entry.createdAt.toISOString(),
});

const at = '2026-07-03T00:00:00.000Z';
const body = {
  application_id: null,
  kind: 'block',
  type: 'prefix',
  value: '659',
  reason: 'pumped',
  author: 'ana',
  expires_at: null,
} as const;
const example = { id: '17', ...body, created_at: at };
const allowance = {
  application_id: '2072832692843446273',
  target: '+6598120044',
  seconds: 3600,
  reason: 'called support',
};
const allowed = {
  ...example,
  application_id: allowance.application_id,
  kind: 'allow',
  type: 'number',
  value: allowance.target,
  reason: allowance.reason,
  expires_at: '2026-07-03T01:00:00.000Z',
} as const;

export const createListOperations = (options: ListsOptions): Operation[] => [
  addTo(options),
  allowFor(options),
  listOf(options),
  getOne(options),
  removeFrom(options),
];

function found<Row>(thing: 'application' | 'list entry', row: Row | null): Row {
  if (row === null) throw new ApiError(4001, `${thing} not found`, { status: 404 });
  return row;
}
const knownEntry = (id: string): string => found('list entry', isId(id) ? id : null);

const addTo = ({ db, application, parseNumber }: ListsOptions): Operation =>
  defineOperation(
    {
      ...common,
      id: 'createListEntry',
      method: 'POST',
      path,
      summary: 'Block or allow a number, prefix, IP range, e-mail domain or country',
      description:
        'The most specific entry decides: a number over a prefix, a longer prefix over a shorter one, a prefix over a country; then one of the application over one for all, then allow over block. Blocked sends answer 5013, for a country 3003. An entry that stands already gets the new reason, author and expiry.',
      input: { body: entryBody },
      output: entrySchema,
      errors: [4001, 5011],
      examples: [{ name: 'a prefix', body, output: example }],
    },
    async ({ body: { application_id, value, expires_at, ...rest }, ip }) => {
      if (application_id !== null) found('application', await application(application_id));
      const normal = normaliseValue(rest.type, value, parseNumber);
      const expiresAt = expires_at === null ? null : new Date(expires_at);
      const made = { ...rest, applicationId: application_id, value: normal, expiresAt };
      return toWire(await insertListEntry(db, made, { ip }));
    },
  );

const allowFor = ({ db, application, parseNumber }: ListsOptions): Operation =>
  defineOperation(
    {
      ...common,
      id: 'allowTarget',
      method: 'POST',
      path: '/admin/v1/allowances',
      summary: 'Allow a number for a while, whatever list blocks it',
      input: {
        body: z.object({
          application_id: applicationId,
          target: plainText(1, 320).describe('E.164 number with +.'),
          seconds: z.int().min(60).max(86_400),
          reason,
          author,
        }),
      },
      output: entrySchema,
      errors: [4001, 5011],
      examples: [{ name: 'for an hour', body: allowance, output: allowed }],
    },
    async ({ body: { application_id, target, ...rest }, ip }) => {
      found('application', await application(application_id));
      const value = normaliseValue('number', target, parseNumber);
      const made = {
        ...rest,
        applicationId: application_id,
        kind: 'allow',
        type: 'number',
        value,
        expiresAt: null,
      } as const;
      return toWire(await insertListEntry(db, made, { ip }));
    },
  );

const listOf = ({ db }: ListsOptions): Operation =>
  defineOperation(
    {
      ...common,
      id: 'listListEntries',
      method: 'GET',
      path,
      summary: 'List the entries of the allow and block lists, newest first',
      input: {
        query: z.object({
          application_id: applicationId.optional().describe('`global`: those for every application.'),
          kind: kind.optional(),
          type: type.optional(),
          value: plainText(1, 320).optional().describe('In normalised form.'),
          limit: z.coerce.number().int().min(1).max(100).default(20),
          cursor: z.string().max(64).optional(),
        }),
      },
      output: z.object({ entries: z.array(entrySchema), next_cursor: z.string().nullable() }),
      errors: [],
      examples: [{ name: 'one page', output: { entries: [example], next_cursor: null } }],
    },
    async ({ query: { application_id, cursor, limit, ...by } }) => {
      if (cursor !== undefined && !isId(cursor))
        throw invalid([{ field: 'cursor', problem: 'not a cursor of this list' }]);
      const rows = await listListEntries(db, {
        application: application_id ?? null,
        kind: by.kind ?? null,
        type: by.type ?? null,
        value: by.value ?? null,
        limit: limit + 1,
        before: cursor ?? null,
      });
      const shown = rows.slice(0, limit);
      return { entries: shown.map(toWire), next_cursor: rows.length > limit ? (shown.at(-1)?.id ?? null) : null };
    },
  );

const getOne = ({ db }: ListsOptions): Operation =>
  defineOperation(
    {
      ...common,
      id: 'getListEntry',
      method: 'GET',
      path: `${path}/{entry_id}`,
      summary: 'Get an entry of the allow and block lists',
      input: { params: entryParams },
      output: entrySchema,
      errors: [4001],
      examples: [{ name: 'a prefix', output: example }],
    },
    async ({ params }) => toWire(found('list entry', await findListEntry(db, knownEntry(params.entry_id)))),
  );

const removeFrom = ({ db }: ListsOptions): Operation =>
  defineOperation(
    {
      ...common,
      id: 'deleteListEntry',
      method: 'DELETE',
      path: `${path}/{entry_id}`,
      summary: 'Delete an entry of the allow and block lists',
      input: { params: entryParams },
      output: z.object({ id: z.string(), deleted: z.literal(true) }),
      errors: [4001],
      examples: [{ name: 'deleted', output: { id: '17', deleted: true } }],
    },
    async ({ params, ip }) => {
      const { id } = found('list entry', await deleteListEntry(db, knownEntry(params.entry_id), { ip }));
      return { id, deleted: true } as const;
    },
  );
