/** The operator's operations on what is closed for prefixes, addresses and devices. */
import { z } from 'zod';
import { ApiError, invalid } from '../errors.ts';
import { defineOperation, type Operation } from '../http/operation.ts';
import { isId } from '../platform/ids.ts';
import { liftBlock, listBlocks } from './block-store.ts';
import * as examples from './examples.ts';
import type { Memory } from './memory.ts';
import type { FraudPorts } from './ports.ts';
import * as wire from './wire.ts';

const path = '/admin/v1/fraud-blocks';
const common = { tag: 'Operator: fraud', auth: 'operator' } as const;

export const createBlockOperations = ({ db }: Pick<FraudPorts, 'db'>, memory: Memory): Operation[] => [
  defineOperation(
    {
      ...common,
      id: 'listFraudBlocks',
      method: 'GET',
      path,
      summary: 'List what fraud rules closed, newest first',
      description:
        'An automatic block closes sms and voice of a prefix for an hour, again within seven days for a day, and then until it is lifted.',
      input: { query: wire.blockQuery },
      output: z.object({ blocks: z.array(wire.block), next_cursor: z.string().nullable() }),
      errors: [],
      examples: [{ name: 'one page', output: { blocks: [examples.block], next_cursor: null } }],
    },
    async ({ query: { application_id: application = null, active, limit, cursor = null } }) => {
      for (const [field, id] of Object.entries({ application_id: application, cursor }))
        if (id !== null && !isId(id)) throw invalid([{ field, problem: 'not an id' }]);
      const isActive = active === undefined ? null : active === 'true';
      const found = await listBlocks(db, { application, active: isActive, limit: limit + 1, before: cursor });
      const shown = found.slice(0, limit);
      return { blocks: shown.map(wire.toBlock), next_cursor: found.length > limit ? (shown.at(-1)?.id ?? null) : null };
    },
  ),
  defineOperation(
    {
      ...common,
      id: 'liftFraudBlock',
      method: 'POST',
      path: `${path}/{block_id}/lift`,
      summary: 'Lift what fraud rules closed',
      description:
        'One that is over stays as it is. A prefix that was lifted is not closed automatically again within an hour.',
      input: { params: wire.blockParams, body: z.object({ author: wire.author }) },
      bodyOptional: true,
      output: wire.block,
      errors: [4001],
      examples: [{ name: 'lifted', body: { author: 'ana' }, output: examples.lifted }],
    },
    async ({ params: { block_id: id }, body: { author }, ip }) => {
      const found = isId(id) ? await memory.afterWrite(() => liftBlock(db, id, author, { ip })) : null;
      if (found === null) throw new ApiError(4001, 'fraud block not found', { status: 404 });
      return wire.toBlock(found);
    },
  ),
];
