/** One sample question to a hook, asked at once, also while it is not enabled or its circuit is open; it counts nowhere. */
import { printable } from '../platform/printable.ts';
import type { Decision, HookQuestion } from './hook.ts';
import { found, type Office, requireApplication } from './office.ts';
import { post } from './post.ts';
import { readAnswer } from './read-answer.ts';
import { findHook } from './store.ts';

export interface Tried {
  decision: Decision | null;
  reason: string | null;
  /** Why the answer is no decision. */
  failed: string | null;
  httpStatus: number | null;
  tookMs: number;
  /** The first 2 kB of the answer. */
  response: string | null;
}

const maxShownBytes = 2_048;

/** A number reserved for tests: nobody is meant. */
const sample: HookQuestion = {
  to: '+10000000000',
  country: null,
  numberType: null,
  templateId: 'pre_send_test',
  purpose: 'login',
  signals: { ip: '192.0.2.1', device_id: 'pre-send-test', is_trusted_user: false },
  keyId: '0',
};

export async function tryHook(office: Office, applicationId: string): Promise<Tried> {
  const { id } = await requireApplication(office, applicationId);
  const hook = found('pre-send hook', await findHook(office.db, office.keyring, id));
  const startedAt = performance.now();
  const answer = await post(office, hook, sample, hook.timeoutMs);
  const tookMs = Math.round(performance.now() - startedAt);
  const read = readAnswer(answer);
  const decided = 'failed' in read ? { decision: null, reason: null, failed: read.failed } : { ...read, failed: null };
  const answered = answer.kind === 'answered';
  return {
    ...decided,
    httpStatus: answered ? answer.status : null,
    tookMs,
    response: answered && answer.body !== '' ? printable(answer.body, maxShownBytes) : null,
  };
}
