/** Test messages of this process under way: an upstream that fetches the text (voice) asks for them, and delivery knows none. */
import type { OutgoingMessage } from '../channels/index.ts';

const maxKept = 100;

export interface TestMessages {
  keep(message: OutgoingMessage): void;
  find(messageId: string): OutgoingMessage | null;
}

/** Keeps the newest ones, while they live. */
export function createTestMessages(now: () => number): TestMessages {
  const kept = new Map<string, OutgoingMessage>();
  return {
    keep(message) {
      for (const [id, { expiresAtMs }] of kept) if (kept.size >= maxKept || expiresAtMs <= now()) kept.delete(id);
      kept.set(message.messageId, message);
    },
    find(messageId) {
      const message = kept.get(messageId);
      return message && message.expiresAtMs > now() ? message : null;
    },
  };
}
