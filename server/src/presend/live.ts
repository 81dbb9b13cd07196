/**
 * One hook as this process asks it: a bounded number at once, each within the time limit, and not at all while its circuit is
 * open. What comes of it is always an answer, never an exception.
 */
import { begun, closedCircuit, ended, isClosed, lets } from './circuit.ts';
import type { Hook, HookAnswer, HookQuestion } from './hook.ts';
import { type PostPorts, post } from './post.ts';
import { type Read, readAnswer } from './read-answer.ts';
import { createSlots } from './slots.ts';

export interface Live {
  hook: Hook;
  ask(question: HookQuestion): Promise<HookAnswer>;
}

/** `skipped`: not even asked. */
export type Noted = { answer: HookAnswer; skipped: boolean };

/** Far below what one process may have open to the outside, so that one application's hook leaves room for the others. */
const maxAtOnce = 64;

export function openLive(ports: PostPorts, hook: Hook, note: (noted: Noted) => void): Live {
  const { clock } = ports;
  const slots = createSlots(maxAtOnce);
  let circuit = closedCircuit;

  /** `fair`: it had all of its time, so a failure is the hook's own. */
  async function question(asked: HookQuestion, timeoutMs: number, fair: boolean): Promise<Read> {
    const probe = !isClosed(circuit);
    circuit = begun(circuit, clock.now());
    const answer = await post(ports, hook, asked, timeoutMs);
    const read = readAnswer(answer);
    const tells = fair || probe || !(answer.kind === 'failed' && answer.reason === 'timeout');
    if (tells) circuit = ended(circuit, !('failed' in read), probe, clock.now());
    if (!isClosed(circuit)) slots.clear();
    return read;
  }

  async function decide(asked: HookQuestion, startedAt: number): Promise<{ read: Read; skipped: boolean }> {
    const skip = { read: { failed: `not asked after ${circuit.failures} failures in a row` }, skipped: true };
    if (!lets(circuit, clock.now())) return skip;
    const entered = await slots.enter(hook.timeoutMs);
    if (entered === 'late') return { read: { failed: 'too many questions at once' }, skipped: true };
    if (entered === 'cleared') return { read: { failed: 'not asked, it fails' }, skipped: true };
    try {
      // It may have opened while this one waited.
      if (!lets(circuit, clock.now())) return { read: { failed: 'not asked, it fails' }, skipped: true };
      const leftMs = Math.max(1, Math.ceil(hook.timeoutMs - (performance.now() - startedAt)));
      return { read: await question(asked, leftMs, entered === 'free'), skipped: false };
    } finally {
      slots.leave();
    }
  }

  return {
    hook,
    async ask(asked) {
      const startedAt = performance.now();
      const { read, skipped } = await decide(asked, startedAt);
      const answer = answerOf(hook, read, Math.round(performance.now() - startedAt));
      note({ answer, skipped });
      return answer;
    },
  };
}

function answerOf({ onFailure }: Hook, read: Read, tookMs: number): HookAnswer {
  if ('failed' in read) return { answer: onFailure === 'open' ? 'allow' : 'deny', tookMs, failed: read.failed };
  const { decision, reason } = read;
  return { answer: decision, tookMs, ...(reason !== null && { reason }) };
}
