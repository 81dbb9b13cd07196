/** The operator's operations on opt-outs, under /admin/v1/applications. An opt-out is reached by its address. */
import { z } from 'zod';
import { defineOperation, type Operation } from '../http/operation.ts';
import type { OptOut } from '../limits/index.ts';
import { plainText } from '../wire.ts';
import { addOptOut, getOptOut, readOptOuts, removeOptOut } from './manage-opt-outs.ts';
import type { UplinksContext } from './take-uplink.ts';

const path = '/admin/v1/applications/{application_id}/opt-outs';
const common = { tag: 'Operator: opt-outs', auth: 'operator' } as const;

const application_id = z.string().min(1).max(64);
const params = z.object({ application_id });
const oneParams = params.extend({ target: plainText(1, 320).describe('E.164 number or e-mail address.') });
const listQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().max(64).optional(),
});

const optOutSchema = z.object({
  target: z.string().describe('The normalised address.'),
  source: z.enum(['uplink', 'operator', 'upstream']).describe('Who said so: the person, the operator, an upstream.'),
  keyword: z.string().nullable().describe('The word the person wrote.'),
  created_at: z.iso.datetime(),
});

const toWire = ({ target, source, keyword, createdAt }: OptOut): z.infer<typeof optOutSchema> => ({
  target,
  source,
  keyword,
  created_at: createdAt.toISOString(),
});

const at = '2026-07-03T00:00:00.000Z';
const target = '+6598120044';
const byPerson = { target, source: 'uplink', keyword: 'STOP', created_at: at };
const byOperator = { target, source: 'operator', keyword: null, created_at: at };

export function createOperations(context: UplinksContext): Operation[] {
  return [listOf(context), addTo(context), getOne(context), removeFrom(context)];
}

const listOf = (context: UplinksContext): Operation =>
  defineOperation(
    {
      ...common,
      id: 'listOptOuts',
      method: 'GET',
      path,
      summary: 'List who has unsubscribed from an application, newest first',
      input: { params, query: listQuery },
      output: z.object({ opt_outs: z.array(optOutSchema), next_cursor: z.string().nullable() }),
      errors: [4001],
      examples: [{ name: 'one page', output: { opt_outs: [byPerson], next_cursor: null } }],
    },
    async ({ params, query }) => {
      const { rows, next } = await readOptOuts(context, params.application_id, query);
      return { opt_outs: rows.map(toWire), next_cursor: next };
    },
  );

const addTo = (context: UplinksContext): Operation =>
  defineOperation(
    {
      ...common,
      id: 'addOptOut',
      method: 'POST',
      path,
      summary: 'Unsubscribe an address from an application',
      description:
        'Sends to it answer 5019 from now on, until the person writes START or the operator removes it. An address that has unsubscribed before stays as it was.',
      input: {
        params,
        body: z.object({ target: plainText(1, 320).describe('E.164 number with + or e-mail address.') }),
      },
      output: optOutSchema,
      errors: [4001, 5011],
      examples: [{ name: 'a phone number', body: { target }, output: byOperator }],
    },
    async ({ params, body, ip }) => toWire(await addOptOut(context, params.application_id, body.target, { ip })),
  );

const getOne = (context: UplinksContext): Operation =>
  defineOperation(
    {
      ...common,
      id: 'getOptOut',
      method: 'GET',
      path: `${path}/{target}`,
      summary: 'Tell whether, when and how an address has unsubscribed',
      input: { params: oneParams },
      output: optOutSchema,
      errors: [4001],
      examples: [{ name: 'by STOP', output: byPerson }],
    },
    async ({ params }) => toWire(await getOptOut(context, params.application_id, params.target)),
  );

const removeFrom = (context: UplinksContext): Operation =>
  defineOperation(
    {
      ...common,
      id: 'removeOptOut',
      method: 'DELETE',
      path: `${path}/{target}`,
      summary: 'Let an application write to an address again',
      description: 'Only with the word of the person: what they asked for stands until they take it back.',
      input: { params: oneParams },
      output: z.object({ target: z.string(), deleted: z.literal(true) }),
      errors: [4001],
      examples: [{ name: 'removed', output: { target, deleted: true } }],
    },
    async ({ params, ip }) => {
      const removed = await removeOptOut(context, params.application_id, params.target, { ip });
      return { target: removed, deleted: true as const };
    },
  );
