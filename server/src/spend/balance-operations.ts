/** What an organization has: shown to its applications, and run by the operator under /admin/v1. */
import { z } from 'zod';
import { ApiError, invalid } from '../errors.ts';
import { defineOperation, type Operation } from '../http/operation.ts';
import { isId } from '../platform/ids.ts';
import {
  type Actor,
  changeBalance,
  type Entry,
  findBalance,
  findEntryByKey,
  insertEntry,
  listEntries,
  type NewEntry,
  refundCharge,
} from './balance-store.ts';
import * as examples from './examples.ts';
import type { SpendPorts } from './ports.ts';
import * as wire from './wire.ts';

const path = '/admin/v1/organizations/{organization_id}/balance';
const common = { tag: 'Operator: balances', auth: 'operator' } as const;
const params = wire.organizationParams;

export const createBalanceOperations = (ports: SpendPorts): Operation[] => [
  own(ports),
  show(ports),
  set(ports),
  topUp(ports),
  adjust(ports),
  refund(ports),
  entries(ports),
];

async function known({ organization }: SpendPorts, id: string): Promise<string> {
  if (isId(id) && (await organization(id))) return id;
  throw new ApiError(4001, 'organization not found', { status: 404 });
}

const own = ({ db, currency }: SpendPorts): Operation =>
  defineOperation(
    {
      id: 'getBalance',
      method: 'GET',
      path: '/v1/balance',
      tag: 'Balance',
      auth: 'key',
      permission: 'read',
      summary: 'Read what the organization has',
      description:
        'Under `unlimited` nothing is charged and nothing refused. Under `prepaid` a send reserves what its first step will cost; the hand-over charges what it did cost.',
      input: {},
      output: wire.balanceSchema,
      errors: [],
      examples: [{ name: 'prepaid', output: examples.balance }],
    },
    async ({ caller }) => wire.toBalance(await findBalance(db, caller.application.organizationId), currency),
  );

const show = (ports: SpendPorts): Operation =>
  defineOperation(
    {
      ...common,
      id: 'getOrganizationBalance',
      method: 'GET',
      path,
      summary: 'Get the balance of an organization',
      input: { params },
      output: wire.balanceSchema,
      errors: [4001],
      examples: [{ name: 'prepaid', output: examples.balance }],
    },
    async ({ params: { organization_id: id } }) =>
      wire.toBalance(await findBalance(ports.db, await known(ports, id)), ports.currency),
  );

const set = (ports: SpendPorts): Operation =>
  defineOperation(
    {
      ...common,
      id: 'changeOrganizationBalance',
      method: 'PATCH',
      path,
      summary: 'Let an organization pay beforehand, or not',
      description:
        'From the answer on, on every node: what is handed over under `prepaid` is charged, also of messages accepted before.',
      input: { params, body: wire.balanceChange },
      output: wire.balanceSchema,
      errors: [4001],
      examples: [{ name: 'prepaid', body: { mode: 'prepaid', threshold: '2' }, output: examples.balance }],
    },
    async ({ params: { organization_id: id }, body: { mode, threshold, author }, ip }) => {
      const organizationId = await known(ports, id);
      const thresholdMicros = threshold === undefined ? undefined : wire.readAmount(threshold, 'threshold', 0);
      const changed = await changeBalance(ports.db, organizationId, { mode, thresholdMicros }, { ip, author });
      return wire.toBalance(changed, ports.currency);
    },
  );

/** One made before under the same key is the answer, unless it says something else. */
async function add({ db }: SpendPorts, organizationId: string, made: NewEntry, actor: Actor): Promise<Entry> {
  const entry = await db.transaction((tx) => insertEntry(tx, organizationId, made, actor));
  const standing = entry ?? (made.key === null ? null : await findEntryByKey(db, organizationId, made.key));
  if (standing?.kind === made.kind && standing.amountMicros === made.amountMicros) return standing;
  throw new ApiError(3002, 'key: another entry has it', { status: 409 });
}

const topUp = (ports: SpendPorts): Operation =>
  defineOperation(
    {
      ...common,
      id: 'topUpBalance',
      method: 'POST',
      path: `${path}/top-ups`,
      summary: 'Add what an organization has paid',
      input: { params, body: wire.topUpBody },
      output: wire.entrySchema,
      errors: [4001],
      conflicts: true,
      examples: [
        {
          name: 'an invoice',
          body: { amount: '12.50', key: 'invoice-2026-114', note: 'invoice 2026-114', author: 'ana' },
          output: examples.topUp,
        },
      ],
    },
    async ({ params: { organization_id: id }, body: { amount, key = null, note, author }, ip }) => {
      const amountMicros = wire.readAmount(amount, 'amount', 1);
      const made = { kind: 'top_up', amountMicros, key, note } as const;
      return wire.toEntry(await add(ports, await known(ports, id), made, { ip, author }));
    },
  );

const adjust = (ports: SpendPorts): Operation =>
  defineOperation(
    {
      ...common,
      id: 'adjustBalance',
      method: 'POST',
      path: `${path}/adjustments`,
      summary: 'Correct a balance, up or down',
      input: { params, body: wire.adjustmentBody },
      output: wire.entrySchema,
      errors: [4001],
      conflicts: true,
      examples: [
        {
          name: 'down',
          body: { amount: '-1', note: 'booked twice', author: 'ana' },
          output: examples.adjustment,
        },
      ],
    },
    async ({ params: { organization_id: id }, body: { amount, key = null, note, author }, ip }) => {
      const amountMicros = wire.readAmount(amount, 'amount', Number.NEGATIVE_INFINITY);
      if (amountMicros === 0) throw invalid([{ field: 'amount', problem: 'must not be zero' }]);
      const made = { kind: 'adjustment', amountMicros, key, note } as const;
      return wire.toEntry(await add(ports, await known(ports, id), made, { ip, author }));
    },
  );

const refund = (ports: SpendPorts): Operation =>
  defineOperation(
    {
      ...common,
      id: 'refundCharge',
      method: 'POST',
      path: `${path}/refunds`,
      summary: 'Give a charge back',
      description: 'A charge is given back once: asked again, the refund made before is the answer.',
      input: { params, body: wire.refundBody },
      output: wire.entrySchema,
      errors: [4001],
      examples: [
        {
          name: 'a message that never arrived',
          body: { charge_id: '18', note: 'never arrived', author: 'ana' },
          output: examples.refund,
        },
      ],
    },
    async ({ params: { organization_id: id }, body: { charge_id: chargeId, note, author }, ip }) => {
      const organizationId = await known(ports, id);
      const actor = { ip, author };
      const made = isId(chargeId)
        ? await ports.db.transaction((tx) => refundCharge(tx, organizationId, chargeId, note, actor))
        : null;
      if (!made) throw new ApiError(4001, 'charge not found', { status: 404 });
      return wire.toEntry(made);
    },
  );

const entries = (ports: SpendPorts): Operation =>
  defineOperation(
    {
      ...common,
      id: 'listBalanceEntries',
      method: 'GET',
      path: `${path}/entries`,
      summary: 'List the entries of a balance, newest first',
      input: {
        params,
        query: z.object({
          limit: z.coerce.number().int().min(1).max(1000).default(20),
          cursor: z.string().max(64).optional(),
        }),
      },
      output: z.object({ entries: z.array(wire.entrySchema), next_cursor: z.string().nullable() }),
      errors: [4001],
      examples: [{ name: 'one page', output: { entries: [examples.charge, examples.topUp], next_cursor: null } }],
    },
    async ({ params: { organization_id: id }, query: { limit, cursor } }) => {
      if (cursor !== undefined && !isId(cursor))
        throw invalid([{ field: 'cursor', problem: 'not a cursor of this list' }]);
      const rows = await listEntries(ports.db, await known(ports, id), { before: cursor ?? null, limit: limit + 1 });
      const shown = rows.slice(0, limit);
      return {
        entries: shown.map(wire.toEntry),
        next_cursor: rows.length > limit ? (shown.at(-1)?.id ?? null) : null,
      };
    },
  );
