/** The operator's operations on the price table, under /admin/v1. What is said here holds for the next hand-over, on every node. */
import { z } from 'zod';
import { ApiError, invalid } from '../errors.ts';
import { defineOperation, type Operation } from '../http/operation.ts';
import { isId } from '../platform/ids.ts';
import { timeOf } from '../wire.ts';
import * as examples from './examples.ts';
import { createFileOperations } from './file-operations.ts';
import { formatMicros } from './money.ts';
import type { Office } from './office.ts';
import { fitting, nameOf } from './price.ts';
import { faultsOfRow } from './rows.ts';
import { deletePrice, listPrices, savePrice } from './store.ts';
import { createUsageOperations } from './usage-operations.ts';
import * as wire from './wire.ts';

export type { Operation } from '../http/operation.ts';

const path = '/admin/v1/prices';
const common = { tag: 'Operator: prices', auth: 'operator' } as const;

export const createOperations = (office: Office): Operation[] => [
  setOne(office),
  listOf(office),
  removeOne(office),
  lookUp(office),
  ...createFileOperations(office),
  ...createUsageOperations(office),
];

const setOne = ({ db, memory, currency }: Office): Operation =>
  defineOperation(
    {
      ...common,
      id: 'setPrice',
      method: 'POST',
      path,
      summary: 'Say what a provider takes, from a moment on',
      description:
        'The most specific price in force at the hand-over counts: the longest prefix of the number before its country, a country before anywhere; for one destination that of the provider before that of any provider. Where the table says nothing, the price of the route entry counts. One of the same key and moment gets the new amount and refund; earlier ones stay as history.',
      input: { body: wire.priceBody },
      output: wire.priceSchema,
      errors: [],
      examples: [{ name: 'a country', body: examples.body, output: examples.price }],
    },
    async ({ body: { price_micros, valid_from, ...key }, ip }) => {
      const made = {
        ...key,
        priceMicros: price_micros,
        validFrom: valid_from === null ? null : new Date(valid_from),
      };
      const [first, ...others] = faultsOfRow(made);
      if (first) throw invalid([first, ...others]);
      return wire.toWire(await memory.afterWrite(() => savePrice(db, made, { ip })), currency);
    },
  );

const listOf = ({ db, currency }: Office): Operation =>
  defineOperation(
    {
      ...common,
      id: 'listPrices',
      method: 'GET',
      path,
      summary: 'List prices, the newest first, past and future ones among them',
      input: { query: wire.pricesQuery },
      output: z.object({ prices: z.array(wire.priceSchema), next_cursor: z.string().nullable() }),
      errors: [],
      examples: [{ name: 'one page', output: { prices: [examples.price], next_cursor: null } }],
    },
    async ({ query: { cursor, limit, ...by } }) => {
      if (cursor !== undefined && !isId(cursor))
        throw invalid([{ field: 'cursor', problem: 'not a cursor of this list' }]);
      const rows = await listPrices(db, {
        provider: by.provider ?? null,
        channel: by.channel ?? null,
        country: by.country ?? null,
        prefix: by.prefix ?? null,
        limit: limit + 1,
        before: cursor ?? null,
      });
      const shown = rows.slice(0, limit);
      return {
        prices: shown.map((price) => wire.toWire(price, currency)),
        next_cursor: rows.length > limit ? (shown.at(-1)?.id ?? null) : null,
      };
    },
  );

const removeOne = ({ db, memory }: Office): Operation =>
  defineOperation(
    {
      ...common,
      id: 'deletePrice',
      method: 'DELETE',
      path: `${path}/{price_id}`,
      summary: 'Delete a price',
      description:
        'What was handed over keeps its cost. The price before it, or a less specific one, is in force again.',
      input: { params: z.object({ price_id: z.string().min(1).max(64) }) },
      output: z.object({ id: z.string(), deleted: z.literal(true) }),
      errors: [4001],
      examples: [{ name: 'deleted', output: { id: '17', deleted: true } }],
    },
    async ({ params: { price_id }, ip }) => {
      const gone = isId(price_id) ? await memory.afterWrite(() => deletePrice(db, price_id, { ip })) : null;
      if (!gone) throw new ApiError(4001, 'price not found', { status: 404 });
      return { id: gone.id, deleted: true } as const;
    },
  );

const lookUp = ({ memory, currency, countryOf }: Office): Operation =>
  defineOperation(
    {
      ...common,
      id: 'lookUpPrice',
      method: 'GET',
      path: `/admin/v1/price-lookup`,
      summary: 'Look up what a hand-over costs, and which price says so',
      input: { query: wire.lookupQuery },
      output: wire.lookupAnswer,
      errors: [],
      examples: [{ name: 'two segments', output: examples.lookup }],
    },
    ({ query: { provider, channel, to, units, at } }) => {
      if ((channel === 'email') !== to.includes('@'))
        throw invalid([
          { field: 'to', problem: channel === 'email' ? 'must be an e-mail address' : 'must be a phone number' },
        ]);
      const atMs = timeOf(at, 'at', memory.now());
      const country = channel === 'email' ? null : countryOf(to);
      const found = [...fitting(memory.table(), { providerId: provider, channel, to, country }, atMs)];
      const [first = null, ...others] = found;
      return {
        at: new Date(atMs).toISOString(),
        country,
        cost_micros: first && first.priceMicros * units,
        currency,
        decided_by: first && wire.toWire(first, currency),
        because: first
          ? `${nameOf(first)}: ${units} × ${formatMicros(first.priceMicros)} ${currency}`
          : 'no price in force fits; the price of the route entry counts',
        passed_over: others.map((price) => wire.toWire(price, currency)),
      };
    },
  );
