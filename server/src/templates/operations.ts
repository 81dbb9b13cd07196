/**
 * The HTTP operations on templates (contract §8, §11.4) and the operator's review. Handlers do one deed each and shape its answer.
 */
import { z } from 'zod';
import { ApiError } from '../errors.ts';
import { type Caller, defineOperation, type Operation } from '../http/operation.ts';
import {
  detailOf,
  detailSchema,
  doneSchema,
  previewSchema,
  queueSchema,
  reviewedSchema,
  savedSchema,
  success,
  summaryOf,
  summarySchema,
} from './answers.ts';
import { paramsSchema, remarkSchema, templateBodySchema, templateUpdateSchema } from './body.ts';
import type { Deeds } from './deeds.ts';
import { examples } from './examples.ts';
import { languageSchema } from './language.ts';
import type { Actor, Saved } from './save.ts';

const tag = 'Templates';
const byId = z.object({ template_id: z.string() });
const revision = z.int().min(1).max(2_147_483_647);

/** Everybody shares the public sandbox application, so nobody may change its templates (contract §13). */
function refusePublic({ application }: Caller): void {
  if (application.sandbox === 'public') throw new ApiError(2004, 'no permission for this API');
}

const actorOf = ({ caller, ip }: { caller: Caller; ip: string }): Actor => ({ devKey: caller.devKey, ip });
const savedAnswer = (saved: Saved) => ({
  ...success,
  template_id: saved.templateId,
  revision: saved.revision,
  status: saved.status,
  warnings: saved.warnings,
});

export function templateOperations(templates: Deeds): Operation[] {
  return [create(templates), list(templates), get(templates), update(templates), remove(templates), preview(templates)];
}

const create = (templates: Deeds): Operation =>
  defineOperation(
    {
      id: 'createTemplate',
      method: 'POST',
      path: '/v1/template-configs',
      tag,
      auth: 'key',
      permission: 'templates',
      summary: 'Create a template',
      description:
        'The new template has status 1 and sends nothing until it is approved; with automatic review it is approved at once. The answer lists what lint warns about.',
      input: { body: templateBodySchema },
      output: savedSchema,
      errors: [3003],
      examples: examples.create,
      agent: {
        title: 'Create a template',
        description:
          'Creates a message template: texts per channel for one-time codes or notices. Costs nothing and sends nothing. It enters the application’s review: usable at once with automatic review, else after a person approves it. Fails with 3003 when the id is taken, a rule is broken or lint finds an error; warnings do not fail.',
      },
    },
    async (call) => {
      refusePublic(call.caller);
      return savedAnswer(await templates.save(call.caller.application, call.body, actorOf(call)));
    },
  );

const list = (templates: Deeds): Operation =>
  defineOperation(
    {
      id: 'listTemplates',
      method: 'GET',
      path: '/v1/template-configs',
      tag,
      auth: 'key',
      permission: 'any',
      summary: 'List templates',
      description: 'A bare array of summaries, newest first.',
      input: {},
      output: z.array(summarySchema),
      errors: [],
      examples: examples.list,
      agent: {
        title: 'List templates',
        description:
          'Lists all templates of the application, newest first: id, channel chain, code settings, review status (1 pending, 2 approved, 3 rejected). Only templates with a live_revision can send. Free, read-only.',
      },
    },
    async ({ caller }) => (await templates.list(caller.application.id)).map(summaryOf),
  );

const get = (templates: Deeds): Operation =>
  defineOperation(
    {
      id: 'getTemplate',
      method: 'GET',
      path: '/v1/template-configs/{template_id}',
      tag,
      auth: 'key',
      permission: 'any',
      summary: 'Read a template',
      description: 'The newest revision with the full contents of each config.',
      input: { params: byId },
      output: detailSchema,
      errors: [4001],
      examples: examples.get,
      agent: {
        title: 'Read a template',
        description:
          'Returns one template with all its texts, its review status and remark, its newest and its live revision. Free, read-only. 4001 when there is none of that id.',
      },
    },
    async ({ caller, params }) => detailOf(await templates.get(caller.application.id, params.template_id)),
  );

const update = (templates: Deeds): Operation =>
  defineOperation(
    {
      id: 'updateTemplate',
      method: 'PUT',
      path: '/v1/template-configs/{template_id}',
      tag,
      auth: 'key',
      permission: 'templates',
      summary: 'Save a new revision of a template',
      description:
        'Takes the full body as create does. Sends keep using the last approved revision until the new one is approved; "withdraw": true stops it at once.',
      input: { params: byId, body: templateUpdateSchema },
      output: savedSchema,
      errors: [3003, 4001],
      examples: examples.update,
    },
    async (call) => {
      refusePublic(call.caller);
      const { application } = call.caller;
      return savedAnswer(await templates.update(application, call.params.template_id, call.body, actorOf(call)));
    },
  );

const remove = (templates: Deeds): Operation =>
  defineOperation(
    {
      id: 'deleteTemplate',
      method: 'DELETE',
      path: '/v1/template-configs/{template_id}',
      tag,
      auth: 'key',
      permission: 'templates',
      summary: 'Delete a template',
      description: 'Messages under way finish; the id may be used again.',
      input: { params: byId },
      output: doneSchema,
      errors: [4001],
      examples: examples.remove,
    },
    async (call) => {
      refusePublic(call.caller);
      await templates.remove(call.caller.application, call.params.template_id, actorOf(call));
      return success;
    },
  );

const preview = (templates: Deeds): Operation =>
  defineOperation(
    {
      id: 'previewTemplate',
      method: 'POST',
      path: '/v1/template-configs/{template_id}/preview',
      tag,
      auth: 'key',
      permission: 'templates',
      summary: 'Preview a template',
      description:
        'Renders every channel with a sample code, in one language or all seven. Revisions that are not approved can be previewed.',
      input: {
        params: byId,
        body: z.object({
          language: z.exactOptional(languageSchema.describe('Absent: all seven.')),
          params: z.exactOptional(paramsSchema),
          revision: z.exactOptional(revision.describe('Absent: the newest.')),
        }),
      },
      bodyOptional: true,
      output: previewSchema,
      errors: [4001, 5014],
      examples: examples.preview,
      agent: {
        title: 'Preview a template',
        description:
          'Shows the texts a template would send on each channel, with a sample code, encoding, length and billed SMS parts, and what lint warns about. One language or all seven. Sends nothing, costs nothing.',
      },
    },
    ({ caller, params, body }) => templates.preview(caller.application, params.template_id, body),
  );

const adminTag = 'Operator: templates';
const statusNumbers = { pending: 1, approved: 2, rejected: 3 } as const;

export function adminOperations(templates: Deeds): Operation[] {
  return [queue(templates), review(templates)];
}

const queue = (templates: Deeds): Operation =>
  defineOperation(
    {
      id: 'listTemplatesForReview',
      method: 'GET',
      path: '/admin/v1/templates',
      tag: adminTag,
      auth: 'operator',
      summary: 'List templates of all applications by review status',
      description: 'Templates whose newest revision has the status, longest waiting first, with what lint finds.',
      input: {
        query: z.object({
          status: z.enum(['pending', 'approved', 'rejected']).default('pending'),
          limit: z.coerce.number().int().min(1).max(100).default(50),
        }),
      },
      output: queueSchema,
      errors: [],
      examples: examples.queue,
    },
    async ({ query }) => {
      const waiting = await templates.listForReview(statusNumbers[query.status], query.limit);
      return {
        templates: waiting.map(({ row, findings }) => ({
          application_id: row.application_id,
          template: detailOf(row),
          findings,
        })),
      };
    },
  );

const review = (templates: Deeds): Operation =>
  defineOperation(
    {
      id: 'reviewTemplate',
      method: 'POST',
      path: '/admin/v1/applications/{application_id}/templates/{template_id}/review',
      tag: adminTag,
      auth: 'operator',
      summary: 'Approve or reject a revision of a template',
      description:
        'An approved revision serves sends at once, unless a higher one does. Rejecting the serving revision makes the approved one before it serve. Raises template_audit_result; repeating a verdict changes nothing.',
      input: {
        params: z.object({ application_id: z.string(), template_id: z.string() }),
        body: z.object({
          approved: z.boolean(),
          remark: z.exactOptional(remarkSchema.describe('Shown to the customer as audit_remark.')),
          revision: z.exactOptional(revision.describe('Absent: the newest.')),
        }),
      },
      output: reviewedSchema,
      errors: [3003, 4001],
      examples: examples.review,
    },
    async ({ params, body }) => {
      const { application_id, template_id } = params;
      const reviewed = await templates.review(application_id, template_id, body);
      return {
        application_id,
        template_id,
        revision: reviewed.revision,
        status: reviewed.status,
        live_revision: reviewed.liveRevision,
      };
    },
  );
