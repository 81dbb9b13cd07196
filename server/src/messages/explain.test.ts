import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeliveryView } from '../delivery/index.ts';
import type { LedgerEntry } from '../events/index.ts';
import { explain } from './explain.ts';

const view = (changes: Partial<DeliveryView>): DeliveryView => ({
  state: 'sent',
  channel: 'sms',
  steps: [],
  nextStep: null,
  ended: null,
  sentCount: 1,
  costMicros: 0,
  attempt: 1,
  deadlineAtMs: 0,
  ...changes,
});
const entry = (changes: Partial<LedgerEntry>): LedgerEntry =>
  ({ at: new Date(0), cause: 'accepted', channel: 'sms', ...changes }) as LedgerEntry;

test('a failed message names what the upstream said and what to do about it', () => {
  const detail = 'the account has no funds (Vonage 9): top it up';
  const refused = entry({
    cause: 'upstream_rejected',
    status: 'sent_failed',
    errorCode: 5016,
    data: { reason: detail },
  });
  const { cause, next_step } = explain(view({ state: 'failed' }), 'pending', [entry({}), refused]);
  assert.match(cause, /^SMS was refused: .*5016.*The upstream said: the account has no funds/);
  assert.ok(next_step.length > 10);
});

test('a message that waits for its receipt says whether another channel follows', () => {
  const waits = view({ steps: [{ step: 2, channel: 'voice', state: 'waiting' }] });
  assert.match(explain(waits, 'pending', [entry({})]).next_step, /next channel/);
  assert.match(explain(view({}), 'pending', [entry({})]).next_step, /resend/);
});

test('an end of the code comes before everything the delivery says', () => {
  assert.match(explain(view({ state: 'failed' }), 'verified', []).cause, /right code/);
  const until = Date.UTC(2026, 6, 3, 0, 5);
  assert.match(
    explain(view({ deadlineAtMs: until }), 'exhausted', []).next_step,
    /compat not before 2026-07-03T00:05:00.000Z; .*guessing/,
  );
  assert.match(explain(view({ state: 'delivered' }), 'expired', [entry({ status: 'delivered' })]).cause, /expired/);
  assert.match(explain(view({ state: 'cancelled' }), 'cancelled', []).cause, /cancelled/);
});
