/** Refused sends, for the application that asked for them and for the operator. */
import { defineOperation, type Operation } from '../http/operation.ts';
import * as examples from './examples.ts';
import { type FindPorts, findRefusals, findRefusalsOf } from './find-refusals.ts';
import * as wire from './wire.ts';

export type { Operation } from '../http/operation.ts';

const description =
  'Newest first, by default of the last 24 hours; kept as long as messages. Written some moments after the answer, and not for every refusal of a flood. Never a code or a parameter of the text.';
const common = { method: 'GET', output: wire.answer, description } as const;
const example = [{ name: 'denied by the pre-send hook', output: examples.answer }];

export const createOperations = (ports: FindPorts): Operation[] => [
  defineOperation(
    {
      ...common,
      id: 'listRefusals',
      path: '/v1/refusals',
      tag: 'Messages',
      auth: 'key',
      permission: 'read',
      summary: 'List refused sends, and why they were refused',
      input: { query: wire.query },
      errors: [],
      examples: example,
    },
    async ({ caller, query }) => wire.toAnswer(await findRefusals(ports, caller.application, query), 'key'),
  ),
  defineOperation(
    {
      ...common,
      id: 'listRefusalsOfApplication',
      path: '/admin/v1/refusals',
      tag: 'Operator: applications',
      auth: 'operator',
      summary: 'List the refused sends of an application, and why they were refused',
      input: { query: wire.operatorQuery },
      errors: [4001],
      examples: example,
    },
    async ({ query: { application_id, ...query } }) =>
      wire.toAnswer(await findRefusalsOf(ports, application_id, query), 'operator'),
  ),
];
