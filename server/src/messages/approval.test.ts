/** Sends that lack an approval, as a node judges them whose memory is behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '../errors.ts';
import type { AgentStanding, Application } from '../policy.ts';
import { type AskApproval, requireApproved, withApproval } from './approval.ts';

const remembered: AgentStanding = {
  mode: 'live',
  countries: ['DE', 'SG'],
  recipients: [],
  perRecipientPerDay: 3,
  sendsPerDay: 50,
  spendPerDayMicros: 0,
  unattended: false,
  approval: 'pending',
};
const send = { recipient: '+6591234567', operation: 'sendOtp', templateId: 'login', channels: [], currency: 'USD' };

/** What a send came to: the agent it ran with in the end, and what was asked on the way. */
async function run(caller: { keyId: string; agent: AgentStanding | null }, answer: AgentStanding | null) {
  const asked: string[] = [];
  const ask: AskApproval = async ({ recipient }) => {
    asked.push(recipient);
    return answer;
  };
  const ran = await withApproval(ask, caller, async (by) => {
    requireApproved({ network: 'live' } as Application, { caller: by, requestId: null, client: null }, () => send);
    return by.agent;
  }).catch((error: unknown) => (error instanceof ApiError ? error.reason : Promise.reject(error)));
  return { ran, asked };
}

test('runs again on the terms that were approved, not on those it remembers', async () => {
  const approved = { ...remembered, countries: ['SG'], approval: 'approved' } as const;
  const caller = { keyId: '1', agent: remembered };
  assert.deepEqual(await run(caller, approved), { ran: approved, asked: ['+65••••••67'] });
  assert.deepEqual(await run({ ...caller, agent: approved }, null), { ran: approved, asked: [] });
});

test('is refused as the key stands by now, also where the key is gone', async () => {
  const caller = { keyId: '1', agent: remembered };
  for (const [answer, reason] of [
    [remembered, 'approval_required'],
    [{ ...remembered, approval: 'none' } as const, 'approval_required'],
    [{ ...remembered, approval: 'refused' } as const, 'approval_refused'],
    [null, 'approval_required'],
  ] as const)
    assert.equal((await run(caller, answer)).ran, reason);
});

test('concerns no other keys', async () => {
  assert.deepEqual(await run({ keyId: '1', agent: null }, null), { ran: null, asked: [] });
});
