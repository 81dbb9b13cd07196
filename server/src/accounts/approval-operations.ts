/** Approvals of agent keys by the operator: what waits, and the two answers. */
import { z } from 'zod';
import { defineOperation, type Operation } from '../http/operation.ts';
import { plainText } from '../wire.ts';
import { agentSchema, toAgent } from './agent-terms.ts';
import { type ApprovalRequest, requestStates } from './approval-store.ts';
import { decideApproval, listApprovals } from './approvals.ts';
import * as examples from './examples.ts';
import type { Office } from './office.ts';
import * as wire from './wire.ts';

const approvalSchema = z.object({
  id: z.string(),
  key_id: z.string(),
  key_description: z.string().describe('What the key is for.'),
  application_id: z.string(),
  state: z.enum(requestStates).describe('`outdated`: the terms were widened before anybody decided.'),
  terms: agentSchema.describe('Of the key as it is, or as they were decided about.'),
  operation: z.string().describe('operationId of the send that was refused.'),
  to: z.string().describe('Masked.'),
  recipients: z.int().describe('How many the refused send was to.'),
  template_id: z.string(),
  channels: z
    .array(z.object({ channel: z.string(), estimate_micros: z.int().describe('Millionths of the currency.') }))
    .describe('In order, each with what one hand-over is estimated to cost.'),
  currency: z.string(),
  client: z.string().nullable().describe('As the program names itself; nobody has checked it.'),
  request_id: z.string().nullable(),
  note: z.string().nullable(),
  asked_at: z.iso.datetime().describe('When the send was refused.'),
  decided_at: z.iso.datetime().nullable().describe('When the operator answered; null while it waits.'),
});

const toApproval = (request: ApprovalRequest): z.infer<typeof approvalSchema> => ({
  id: request.id,
  key_id: request.keyId,
  key_description: request.keyDescription,
  application_id: request.applicationId,
  state: request.state,
  terms: toAgent(request.terms),
  operation: request.operation,
  to: request.recipient,
  recipients: request.recipients,
  template_id: request.templateId,
  channels: request.channels.map(({ channel, micros }) => ({ channel, estimate_micros: micros })),
  currency: request.currency,
  client: request.client,
  request_id: request.requestId,
  note: request.note,
  asked_at: request.askedAt.toISOString(),
  decided_at: request.decidedAt?.toISOString() ?? null,
});

const query = wire.listQuery.extend({
  state: z.enum(requestStates).default('pending'),
  application_id: z.string().min(1).max(64).optional(),
});
const body = z.object({ note: plainText(0, 500).optional().describe('For whoever asks later.') });
const tag = { tag: 'Operator: API keys', auth: 'operator' } as const;

export const createApprovalOperations = (office: Office): Operation[] => [
  defineOperation(
    {
      ...tag,
      id: 'listApprovals',
      method: 'GET',
      path: '/admin/v1/approvals',
      summary: 'List agent keys that wait for an approval, newest first',
      description:
        'The first live send of an agent key is refused and stands here until an operator decides. With `state` the decided ones.',
      input: { query },
      output: wire.listSchema('approvals', approvalSchema),
      errors: [4001],
      examples: [{ name: 'one waits', output: { approvals: [examples.approval], next_cursor: null } }],
    },
    async ({ query }) => wire.toList('approvals', await listApprovals(office, query), toApproval),
  ),
  decision(office, 'approve', 'approved', {
    id: 'approveAgentKey',
    summary: 'Let an agent key send to real people on its terms',
    description:
      'About the terms as they are at this moment; from the next request on, on every node. Wider terms (more countries or recipients, higher limits, unattended sends, live mode anew) take it back, narrower ones do not. The refused send is not repeated: the agent sends again. 409 where it was decided already.',
  }),
  decision(office, 'refuse', 'refused', {
    id: 'refuseAgentKey',
    summary: 'Refuse live sends of an agent key',
    description: 'The key stays refused until its terms are changed; then its next live send asks again.',
  }),
];

function decision(
  office: Office,
  verb: string,
  state: 'approved' | 'refused',
  told: { id: string; summary: string; description: string },
): Operation {
  const decided = { ...examples.approval, state, note: 'Asked the team', decided_at: examples.at };
  return defineOperation(
    {
      ...tag,
      ...told,
      method: 'POST',
      path: `/admin/v1/approvals/{approval_id}/${verb}`,
      input: { params: wire.idOf('approval_id'), body },
      bodyOptional: true,
      output: approvalSchema,
      errors: [4001],
      conflicts: true,
      examples: [{ name: state, body: { note: 'Asked the team' }, output: decided }],
    },
    async ({ params, body, ip }) =>
      toApproval(await decideApproval(office, params.approval_id, { state, note: body.note }, { ip })),
  );
}
