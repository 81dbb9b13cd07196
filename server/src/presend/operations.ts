/** The operator's operations on the pre-send hook of an application. */
import { defineOperation, type Operation } from '../http/operation.ts';
import * as examples from './examples.ts';
import type { Hook } from './hook.ts';
import { found, type Office, requireApplication } from './office.ts';
import { deleteHook, rotateSecret, setHook } from './save-hook.ts';
import { findCounts, findHook } from './store.ts';
import { tryHook } from './try-hook.ts';
import * as wire from './wire.ts';

export type { Operation } from '../http/operation.ts';

const path = '/admin/v1/applications/{application_id}/pre-send-hook';
const common = { tag: 'Operator: pre-send hook', auth: 'operator', path, errors: [4001] } as const;
const { params } = wire;

/** What this node has counted is added first, so that its operator sees it. */
type Desk = Office & { saveCounts(): Promise<void> };

export const createOperations = (desk: Desk): Operation[] => [
  get(desk),
  set(desk),
  remove(desk),
  rotate(desk),
  probe(desk),
];

async function shown(desk: Desk, hook: Hook) {
  await desk.saveCounts();
  return wire.toHook(hook, await findCounts(desk.db, hook.applicationId));
}

const get = (desk: Desk): Operation =>
  defineOperation(
    {
      ...common,
      id: 'getPreSendHook',
      method: 'GET',
      summary: 'Get the pre-send hook of an application, without its secrets',
      input: { params },
      output: wire.hookSchema,
      examples: [{ name: 'a risk service', output: examples.hook }],
    },
    async ({ params }) => {
      const { id } = await requireApplication(desk, params.application_id);
      return shown(desk, found('pre-send hook', await findHook(desk.db, desk.keyring, id)));
    },
  );

const set = (desk: Desk): Operation =>
  defineOperation(
    {
      ...common,
      id: 'setPreSendHook',
      method: 'PUT',
      summary: 'Have a server of yours asked before a send is accepted',
      description:
        'Before each send, but those to sandbox recipients, the address gets `{id, type: "message.pre_send", data: {application_id, to, country, number_type, template_id, purpose, signals, key_id, idempotency?}}`, signed as Standard Webhooks has it; a code is never in it. It answers 200 with `{"decision": "allow" | "deny" | "challenge", "reason"?}`. `deny` refuses the send with 5015; `challenge` does too, unless the caller says `signals.is_trusted_user` or `signals.captcha_passed`. The reason (200 characters) is shown to the operator alone. Any other answer, none in time, a redirect or an address inside the network counts as a failure. After 5 failures in a row the hook is not asked for 5 seconds, then 10, up to 60; `on_failure` decides meanwhile. What the body does not name gets its default, but `authorization`, which stays.',
      input: { params, body: wire.hookBody },
      output: wire.savedSchema,
      examples: [{ name: 'the first time', body: examples.hookBody, output: examples.created }],
    },
    async ({ params, body, ip }) => {
      const { url, timeout_ms, on_failure, enabled, authorization } = body;
      const request = { url, timeoutMs: timeout_ms, onFailure: on_failure, enabled, authorization };
      const { hook, signingSecret } = await setHook(desk, params.application_id, request, { ip });
      return { ...(await shown(desk, hook)), signing_secret: signingSecret };
    },
  );

const remove = (desk: Desk): Operation =>
  defineOperation(
    {
      ...common,
      id: 'deletePreSendHook',
      method: 'DELETE',
      summary: 'Delete the pre-send hook of an application',
      input: { params },
      output: wire.deletedSchema,
      examples: [{ name: 'deleted', output: { application_id: examples.hook.application_id, deleted: true } }],
    },
    async ({ params, ip }) => {
      await deleteHook(desk, params.application_id, { ip });
      return { application_id: params.application_id, deleted: true } as const;
    },
  );

const rotate = (desk: Desk): Operation =>
  defineOperation(
    {
      ...common,
      id: 'rotatePreSendSecret',
      method: 'POST',
      path: `${path}/rotate`,
      summary: 'Give the pre-send hook a new signing secret',
      description:
        'The new secret is shown in this answer only. The former one signs beside it for another 24 hours, so that the receiver can change over.',
      input: { params },
      output: wire.rotatedSchema,
      examples: [{ name: 'rotated', output: examples.rotated }],
    },
    async ({ params, ip }) => {
      const { hook, signingSecret, formerSignsUntil } = await rotateSecret(desk, params.application_id, { ip });
      const former_signs_until = formerSignsUntil.toISOString();
      return { ...(await shown(desk, hook)), signing_secret: signingSecret, former_signs_until };
    },
  );

const probe = (desk: Desk): Operation =>
  defineOperation(
    {
      ...common,
      id: 'testPreSendHook',
      method: 'POST',
      path: `${path}/test`,
      summary: 'Ask the pre-send hook once and show what came back',
      description:
        'A sample question about +10000000000, with the real headers, also while the hook is not enabled or not asked because it fails. It counts nowhere.',
      input: { params },
      output: wire.triedSchema,
      examples: [{ name: 'a refusal', output: examples.tried }],
    },
    async ({ params }) => wire.toTried(await tryHook(desk, params.application_id)),
  );
