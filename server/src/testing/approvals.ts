/** The operator who is asked about agent keys. */
import assert from 'node:assert/strict';
import type { TestApp, TestReply } from './app.ts';
import { bodyOf } from './application.ts';

// biome-ignore lint/suspicious/noExplicitAny: an approval as the operator sees it; its schema was compared already
export type ApprovalBody = any;

export const approvalsOf = async (box: TestApp, applicationId: string, state = 'pending'): Promise<ApprovalBody[]> =>
  bodyOf(await box.operator({ path: `/admin/v1/approvals?application_id=${applicationId}&state=${state}` })).approvals;

export const decide = (box: TestApp, id: string, verb: 'approve' | 'refuse', body: object = {}): Promise<TestReply> =>
  box.operator({ path: `/admin/v1/approvals/${id}/${verb}`, body });

/** A send that waits for an approval, which is then given: for tests of what comes afterwards. */
export async function approveFirst(
  box: TestApp,
  applicationId: string,
  send: () => Promise<{ reason?: string | undefined }>,
): Promise<void> {
  assert.equal((await send()).reason, 'approval_required');
  const [waiting] = await approvalsOf(box, applicationId);
  assert.equal(bodyOf(await decide(box, waiting.id, 'approve')).state, 'approved');
}
