/** Tries out a rule: a test message over each of its ways, with what became of it. */
import { appendEvents } from '../events/index.ts';
import type { AlertsPorts } from './ports.ts';
import { mail } from './post-messages.ts';
import { type Rule, shapes } from './rule.ts';
import { type Actor, noteManaged } from './rule-store.ts';
import { getRule } from './save-rule.ts';
import { postTelegram } from './telegram.ts';
import { titleOf } from './words.ts';

export interface TestResult {
  way: 'callback' | 'email' | 'telegram';
  /** Address or chat; null for a callback. */
  to: string | null;
  /** `queued`: written into the ledger, for the endpoints that chose it. */
  outcome: 'queued' | 'accepted' | 'refused' | 'unknown';
  detail: string | null;
}

const text = 'This is a test of an alert rule. Nothing happened.';

export async function testRule(ports: AlertsPorts, id: string, actor: Actor): Promise<TestResult[]> {
  const rule = await getRule(ports, id);
  await ports.db.transaction(async (tx) => {
    await noteManaged(tx, 'test alert_rule', rule, actor);
    if (rule.notify.callback) await appendEvents(tx, [testEvent(rule)]);
  });
  const { callback, email, telegram } = rule.notify;
  const title = titleOf(rule.kind, 'test');
  return [
    ...(callback ? [{ way: 'callback', to: null, outcome: 'queued', detail: null } as const] : []),
    ...(await Promise.all([
      ...(email?.addresses ?? []).map((to) =>
        resultOf('email', to, mail(ports, email?.providerId ?? '', { to, subject: title, text })),
      ),
      ...(telegram ? [resultOf('telegram', telegram.chatId, postTelegram(ports, telegram, `${title}\n${text}`))] : []),
    ])),
  ];
}

const testEvent = ({ applicationId, kind, threshold }: Rule) => ({
  applicationId: applicationId ?? '0',
  messageId: '0',
  cause: 'alert_managed' as const,
  status: 'alert',
  data: {
    alert_id: '0',
    kind,
    state: 'test',
    value: threshold ?? shapes[kind].defaults.threshold ?? 0,
    threshold: threshold ?? 0,
    text,
  },
});

async function resultOf(
  way: TestResult['way'],
  to: string,
  sending: ReturnType<AlertsPorts['sendMail']>,
): Promise<TestResult> {
  const outcome = await sending;
  return { way, to, outcome: outcome.kind, detail: outcome.kind === 'accepted' ? null : outcome.detail };
}
