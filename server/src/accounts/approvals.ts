/**
 * An operator's word before an agent's key reaches real people. The first live send asks for it by being refused; what is decided
 * is about the key's terms as they are then, and holds on every node.
 */
import { ApiError } from '../errors.ts';
import { printable } from '../platform/printable.ts';
import type { AgentStanding, ApprovalAsk } from '../policy.ts';
import * as store from './approval-store.ts';
import { found, knownForm, type Listed, type ListRequest, listPage, type Office } from './office.ts';
import type { Actor } from './records.ts';
import { findKey } from './store.ts';

const maxClientBytes = 200;

/** Noted once per key and terms; resolves with how the key stands by the database, whatever this node had in mind. */
export async function askApproval({ db }: Pick<Office, 'db'>, ask: ApprovalAsk): Promise<AgentStanding | null> {
  const client = ask.client && printable(ask.client, maxClientBytes).trim();
  return store.askApproval(db, { ...ask, client: client || null });
}

export interface ApprovalListRequest extends ListRequest {
  state: store.RequestState;
  application_id?: string | undefined;
}

export function listApprovals({ db }: Office, request: ApprovalListRequest): Promise<Listed<store.ApprovalRequest>> {
  const applicationId = request.application_id === undefined ? null : knownForm('application', request.application_id);
  return listPage(request, (page) => store.listRequests(db, { state: request.state, applicationId }, page));
}

export async function decideApproval(
  office: Office,
  id: string,
  decision: { state: 'approved' | 'refused'; note?: string | undefined },
  actor: Actor,
): Promise<store.ApprovalRequest> {
  const { keyId } = found('approval', await store.findRequest(office.db, knownForm('approval', id)));
  const { devKey } = found('API key', await findKey(office.db, keyId));
  const { state, note = null } = decision;
  const decided = await office.memory.afterWrite(`key:${devKey}`, () =>
    store.decide(office.db, id, { state, note }, actor),
  );
  const request = found('approval', await store.findRequest(office.db, id));
  if (!decided) throw new ApiError(3002, `approval: it is ${request.state}`, { status: 409 });
  return request;
}
