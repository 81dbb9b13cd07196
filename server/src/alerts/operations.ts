/** The operator's operations on alert rules and on the history of alerts. An unknown id is 404/4001. */
import { z } from 'zod';
import { defineOperation, type Operation } from '../http/operation.ts';
import * as examples from './examples.ts';
import type { AlertsPorts } from './ports.ts';
import { readAlerts, readRules } from './read-alerts.ts';
import { createRule, deleteRule, getRule, updateRule } from './save-rule.ts';
import { testRule } from './test-rule.ts';
import * as wire from './wire.ts';

export type { Operation } from '../http/operation.ts';

const root = '/admin/v1/alert-rules';
const common = { tag: 'Operator: alerts', auth: 'operator' } as const;
const one = { path: `${root}/{rule_id}`, errors: [4001] } as const;
const params = wire.ruleParams;
const example = { name: 'a verification rate', output: examples.rule };

export const createOperations = (ports: AlertsPorts): Operation[] => [
  ...listing(ports),
  ...single(ports),
  trial(ports),
  history(ports),
];

function listing(ports: AlertsPorts): Operation[] {
  return [
    defineOperation(
      {
        ...common,
        id: 'createAlertRule',
        method: 'POST',
        path: root,
        summary: 'Have a threshold watched, and somebody told',
        description:
          'Judged every 15 seconds. `balance` and `verification_rate` are called back as insufficient_balance and insufficient_verification_rate; every other kind, and the end of an alert, as the event `alert`.',
        input: { body: wire.ruleBody },
        output: wire.ruleSchema,
        errors: [4001],
        examples: [{ ...example, body: examples.ruleBody }],
      },
      async ({ body, ip }) => {
        const { kind, application_id: applicationId = null } = body;
        return wire.toRule(await createRule(ports, { ...wire.fromBody(body), kind, applicationId }, { ip }));
      },
    ),
    defineOperation(
      {
        ...common,
        id: 'listAlertRules',
        method: 'GET',
        path: root,
        summary: 'List alert rules, newest first',
        input: { query: wire.ruleQuery },
        output: z.object({ alert_rules: z.array(wire.ruleSchema), next_cursor: z.string().nullable() }),
        errors: [],
        examples: [{ name: 'one page', output: { alert_rules: [examples.rule], next_cursor: null } }],
      },
      async ({ query: { application_id: applicationId, ...page } }) => {
        const { rows, next } = await readRules(ports, { applicationId, ...page });
        return { alert_rules: rows.map(wire.toRule), next_cursor: next };
      },
    ),
  ];
}

function single(ports: AlertsPorts): Operation[] {
  return [
    defineOperation(
      {
        ...common,
        ...one,
        id: 'getAlertRule',
        method: 'GET',
        summary: 'Get an alert rule, without its secrets',
        input: { params },
        output: wire.ruleSchema,
        examples: [example],
      },
      async ({ params }) => wire.toRule(await getRule(ports, params.rule_id)),
    ),
    defineOperation(
      {
        ...common,
        ...one,
        id: 'updateAlertRule',
        method: 'PATCH',
        summary: 'Change an alert rule',
        description:
          'What is not given stays, inside `notify` too. A number that is null goes back to its default, a way that is null is taken away.',
        input: { params, body: wire.ruleChange },
        output: wire.ruleSchema,
        examples: [{ ...example, body: { threshold: 60 } }],
      },
      async ({ params, body, ip }) => wire.toRule(await updateRule(ports, params.rule_id, wire.fromBody(body), { ip })),
    ),
    defineOperation(
      {
        ...common,
        ...one,
        id: 'deleteAlertRule',
        method: 'DELETE',
        summary: 'Delete an alert rule',
        description: 'Its alerts end without a word and stay in the history.',
        input: { params },
        output: z.object({ id: z.string(), deleted: z.literal(true) }),
        examples: [{ name: 'deleted', output: { id: examples.rule.id, deleted: true } }],
      },
      async ({ params, ip }) => {
        await deleteRule(ports, params.rule_id, { ip });
        return { id: params.rule_id, deleted: true } as const;
      },
    ),
  ];
}

const trial = (ports: AlertsPorts): Operation =>
  defineOperation(
    {
      ...common,
      id: 'testAlertRule',
      method: 'POST',
      path: `${root}/{rule_id}/test`,
      summary: 'Send a test message over every way of an alert rule',
      description: 'Answers what became of each. The callback is the event `alert` in the state `test`.',
      input: { params },
      bodyOptional: true,
      output: wire.testSchema,
      errors: [4001],
      examples: [{ name: 'a token that is wrong', output: examples.tested }],
    },
    async ({ params, ip }) => ({ results: await testRule(ports, params.rule_id, { ip }) }),
  );

const history = ({ db }: AlertsPorts): Operation =>
  defineOperation(
    {
      ...common,
      id: 'listAlerts',
      method: 'GET',
      path: '/admin/v1/alerts',
      summary: 'List what was raised, newest first, and who was told of it',
      description: 'Kept for 90 days after the end, also when its rule is gone.',
      input: { query: wire.alertQuery },
      output: z.object({ alerts: z.array(wire.alertSchema), next_cursor: z.string().nullable() }),
      errors: [],
      examples: [{ name: 'one page', output: { alerts: [examples.alert], next_cursor: null } }],
    },
    async ({ query: { application_id: applicationId, rule_id: ruleId, ...query } }) => {
      const { rows, next } = await readAlerts(db, { applicationId, ruleId, ...query });
      return { alerts: rows.map(wire.toAlert), next_cursor: next };
    },
  );
