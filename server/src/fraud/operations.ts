/** The operator's operations on the rule sets of applications, under /admin/v1. What is said here holds on every node within a second. */
import { readRuleSet } from '../fraud-rules/index.ts';
import { defineOperation, type Operation } from '../http/operation.ts';
import * as examples from './examples.ts';
import type { Memory } from './memory.ts';
import { changeSet, knownApplication, readSet, type SetPorts } from './rule-sets.ts';
import { listVersions } from './store.ts';
import { listTallies } from './tally-store.ts';
import * as wire from './wire.ts';

export type { Operation } from '../http/operation.ts';

const path = '/admin/v1/applications/{application_id}/fraud-rules';
const common = { tag: 'Operator: fraud', auth: 'operator' } as const;
const params = wire.applicationParams;
const example = { name: 'one rule', output: examples.set };

export const createOperations = (ports: SetPorts, memory: Memory): Operation[] => [
  factsOf(),
  read(ports, memory),
  replace(ports, memory),
  reset(ports, memory),
  history(ports),
  reportOf(ports),
];

const factsOf = (): Operation =>
  defineOperation(
    {
      ...common,
      id: 'listFraudFacts',
      method: 'GET',
      path: '/admin/v1/fraud-facts',
      summary: 'List what a fraud rule may ask about a send',
      description:
        'A fact that cannot be known is null; a comparison with it neither matches nor fails, and is counted as unreadable.',
      input: {},
      output: wire.factList,
      errors: [],
      examples: [{ name: 'every fact', output: wire.facts() }],
    },
    () => wire.facts(),
  );

const read = (ports: SetPorts, memory: Memory): Operation =>
  defineOperation(
    {
      ...common,
      id: 'getFraudRules',
      method: 'GET',
      path,
      summary: 'Get the fraud rules of an application, as they hold',
      input: { params },
      output: wire.shownSet,
      errors: [4001],
      examples: [example],
    },
    async ({ params: { application_id: id } }) => {
      const { stored, set } = await readSet(ports, memory, id);
      return wire.toShownSet(id, stored, set);
    },
  );

const replace = (ports: SetPorts, memory: Memory): Operation =>
  defineOperation(
    {
      ...common,
      id: 'replaceFraudRules',
      method: 'PUT',
      path,
      summary: 'Replace the fraud rules of an application',
      description:
        'The first enforced rule that matches decides, allow included; shadow rules are evaluated and reported, and decide nothing. Refused sends answer 5015 without the rule. Trusted users (signals.is_trusted_user) are not asked about; a passed captcha (signals.captcha_passed) passes challenges.',
      input: { params, body: wire.ruleSetBody },
      output: wire.shownSet,
      errors: [4001],
      examples: [{ ...example, body: examples.body }],
    },
    async ({ params: { application_id: applicationId }, body: { author, ...document }, ip }) => {
      const change = { applicationId, document: readRuleSet(document), author };
      const { stored, set } = await changeSet(ports, memory, change, { ip });
      return wire.toShownSet(applicationId, stored, set);
    },
  );

const reset = (ports: SetPorts, memory: Memory): Operation =>
  defineOperation(
    {
      ...common,
      id: 'resetFraudRules',
      method: 'DELETE',
      path,
      summary: 'Go back to the shipped fraud rules',
      input: { params },
      output: wire.shownSet,
      errors: [4001],
      examples: [{ name: 'reset', output: { ...examples.set, version: 4, is_default: true, author: 'operator' } }],
    },
    async ({ params: { application_id: applicationId }, ip }) => {
      const change = { applicationId, document: null, author: 'operator' };
      const { stored, set } = await changeSet(ports, memory, change, { ip });
      return wire.toShownSet(applicationId, stored, set);
    },
  );

const history = (ports: SetPorts): Operation =>
  defineOperation(
    {
      ...common,
      id: 'listFraudRuleVersions',
      method: 'GET',
      path: `${path}/versions`,
      summary: 'List the versions of the fraud rules of an application, newest first',
      input: { params, query: wire.versionQuery },
      output: wire.versions,
      errors: [4001],
      examples: [{ name: 'two versions', output: examples.versions }],
    },
    async ({ params: { application_id: id }, query: { limit, below = null } }) => {
      await knownApplication(ports, id);
      const found = await listVersions(ports.db, id, below, limit + 1);
      const shown = found.slice(0, limit);
      return {
        versions: shown.map(wire.toVersion),
        next_below: found.length > limit ? (shown.at(-1)?.version ?? null) : null,
      };
    },
  );

const reportOf = (ports: SetPorts): Operation =>
  defineOperation(
    {
      ...common,
      id: 'getFraudReport',
      method: 'GET',
      path: `${path}/report`,
      summary: 'Tell how often each fraud rule was asked and matched, by day',
      description:
        'evaluated: asked; fired: matched and enforced; shadow: matched in shadow; unreadable: hung on something unknown. The last thirty days unless asked otherwise; what a node counted in its last second may be missing.',
      input: { params, query: wire.reportQuery },
      output: wire.report,
      errors: [4001],
      examples: [{ name: 'a rule in shadow', output: examples.report }],
    },
    async ({ params: { application_id: id }, query: { from = null, until = null } }) => {
      await knownApplication(ports, id);
      return { rules: (await listTallies(ports.db, id, from, until)).map(wire.toReportRow) };
    },
  );
