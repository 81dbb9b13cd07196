/** The operator's operations on budgets, under /admin/v1. A cap holds from the answer on, on every node; its ladder within a second. */
import { z } from 'zod';
import { ApiError } from '../errors.ts';
import { defineOperation, type Operation } from '../http/operation.ts';
import { isId } from '../platform/ids.ts';
import { plainText } from '../wire.ts';
import { deleteBudget, findBudget, insertBudget, listBudgets, updateBudget } from './budget-store.ts';
import * as examples from './examples.ts';
import type { SpendPorts } from './ports.ts';
import * as wire from './wire.ts';

const path = '/admin/v1/applications/{application_id}/budgets';
const one = `${path}/{budget_id}`;
const common = { tag: 'Operator: budgets', auth: 'operator', errors: [4001] } as const;

export const createBudgetOperations = (ports: SpendPorts): Operation[] => [
  create(ports),
  list(ports),
  show(ports),
  change(ports),
  remove(ports),
];

async function known({ application }: SpendPorts, id: string): Promise<string> {
  if (isId(id) && (await application(id))) return id;
  throw new ApiError(4001, 'application not found', { status: 404 });
}

function found<Row>(row: Row | null): Row {
  if (row === null) throw new ApiError(4001, 'budget not found', { status: 404 });
  return row;
}
const knownBudget = (id: string): string => found(isId(id) ? id : null);

const create = (ports: SpendPorts): Operation =>
  defineOperation(
    {
      ...common,
      id: 'createBudget',
      method: 'POST',
      path,
      summary: 'Cap what an application may spend',
      description:
        'Counted in the accepting statement: sends that would pass the cap answer 3003 with reason budget_exhausted, and when the period ends. An accepted send counts its estimate until its hand-over tells the cost. A step that follows by itself is not held back: what it costs is counted, may pass the cap, and then nothing new is accepted. Counted from the making of the budget on.',
      input: { params: wire.applicationParams, body: wire.budgetBody },
      output: wire.budgetSchema,
      examples: [
        {
          name: 'Singapore per day',
          body: {
            scope: examples.budget.scope,
            period: 'day',
            cap_micros: 50_000_000,
            ladder: examples.budget.ladder,
          },
          output: { ...examples.budget, spent_micros: 0 },
        },
      ],
    },
    async ({ params, body: { scope, period, cap_micros, ladder, enabled, author }, ip }) => {
      const made = {
        scope: wire.toScope(scope),
        period,
        capMicros: cap_micros,
        ladder: wire.toLadder(ladder),
        enabled,
      };
      return wire.toBudget(
        await insertBudget(ports.db, await known(ports, params.application_id), made, { ip, author }),
      );
    },
  );

const list = (ports: SpendPorts): Operation =>
  defineOperation(
    {
      ...common,
      id: 'listBudgets',
      method: 'GET',
      path,
      summary: 'List the budgets of an application with what they have spent',
      input: { params: wire.applicationParams },
      output: z.object({ budgets: z.array(wire.budgetSchema) }),
      examples: [{ name: 'one', output: { budgets: [examples.budget] } }],
    },
    async ({ params }) => {
      const budgets = await listBudgets(ports.db, await known(ports, params.application_id));
      return { budgets: budgets.map(wire.toBudget) };
    },
  );

const show = (ports: SpendPorts): Operation =>
  defineOperation(
    {
      ...common,
      id: 'getBudget',
      method: 'GET',
      path: one,
      summary: 'Get a budget with what it has spent',
      input: { params: wire.budgetParams },
      output: wire.budgetSchema,
      examples: [{ name: 'Singapore per day', output: examples.budget }],
    },
    async ({ params }) => {
      const applicationId = await known(ports, params.application_id);
      return wire.toBudget(found(await findBudget(ports.db, applicationId, knownBudget(params.budget_id))));
    },
  );

const change = (ports: SpendPorts): Operation =>
  defineOperation(
    {
      ...common,
      id: 'updateBudget',
      method: 'PATCH',
      path: one,
      summary: 'Change the cap or the ladder of a budget, or switch it',
      description: 'Scope and period stay: what was counted under them would mean nothing under others.',
      input: { params: wire.budgetParams, body: wire.budgetChange },
      output: wire.budgetSchema,
      examples: [{ name: 'a higher cap', body: { cap_micros: 50_000_000 }, output: examples.budget }],
    },
    async ({ params, body: { cap_micros: capMicros, ladder, enabled, author }, ip }) => {
      const applicationId = await known(ports, params.application_id);
      const changed = { capMicros, ladder: ladder && wire.toLadder(ladder), enabled };
      const id = knownBudget(params.budget_id);
      return wire.toBudget(found(await updateBudget(ports.db, applicationId, id, changed, { ip, author })));
    },
  );

const remove = (ports: SpendPorts): Operation =>
  defineOperation(
    {
      ...common,
      id: 'deleteBudget',
      method: 'DELETE',
      path: one,
      summary: 'Delete a budget',
      input: {
        params: wire.budgetParams,
        query: z.object({ author: plainText(1, 128).default('operator') }),
      },
      output: z.object({ id: z.string(), deleted: z.literal(true) }),
      examples: [{ name: 'deleted', output: { id: examples.budget.id, deleted: true } }],
    },
    async ({ params, query: { author }, ip }) => {
      const applicationId = await known(ports, params.application_id);
      const { id } = found(await deleteBudget(ports.db, applicationId, knownBudget(params.budget_id), { ip, author }));
      return { id, deleted: true } as const;
    },
  );
