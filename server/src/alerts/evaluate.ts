/**
 * Judges the rules that are due. The ledger is counted first; then each rule is measured, judged and told of in one transaction
 * under its lock, so that whatever node does it, an alert and its messages are there once or not at all.
 */
import { appendEvents } from '../events/index.ts';
import type { Queryable } from '../platform/db.ts';
import { messageIdOf } from '../platform/ids.ts';
import { endAlert, insertAlert, readStates } from './alert-store.ts';
import { type Bounds, judge } from './judge.ts';
import { countChunk, ensureFollower, keptDays } from './minute-store.ts';
import { insertMessages, type NewMessage } from './outbox-store.ts';
import type { AlertsPorts } from './ports.ts';
import { goneReading, type Reading, readAll } from './readings.ts';
import { boundsOf, countedKinds, type Rule } from './rule.ts';
import { claimRule, type DueRule, listDueRules, noteJudged } from './rule-store.ts';
import { noticeOf, type Told, textOf, titleOf } from './words.ts';

export const judgeEverySeconds = 15;
const chunk = 2_000;

/** Resolves with how many alerts began or ended. Goes on only as long as told. */
export async function judgeDue(ports: AlertsPorts, goOn: () => boolean = () => true): Promise<number> {
  const due = await listDueRules(ports.db);
  const counted = await countLedgers(ports, due, goOn);
  let changes = 0;
  for (const { id, applicationId, kind } of due) {
    if (!goOn()) return changes;
    if (isCounted(kind) && !counted.has(applicationId ?? '')) continue;
    changes += await judgeRule(ports, id);
  }
  return changes;
}

const isCounted = (kind: Rule['kind']): boolean => countedKinds.some((one) => one === kind);

/** The applications whose ledger is counted to its end; another node that is at it judges them too. */
async function countLedgers(
  { db, clock }: AlertsPorts,
  due: readonly DueRule[],
  goOn: () => boolean,
): Promise<Set<string>> {
  const applications = new Set(
    due.flatMap(({ kind, applicationId }) => (isCounted(kind) ? [applicationId ?? ''] : [])),
  );
  const counted = new Set<string>();
  const fromId = messageIdOf(clock.now() - keptDays * 86_400_000, 0, 0);
  for (const id of applications) {
    await ensureFollower(db, id, fromId);
    while (goOn()) {
      const { held, read } = await countChunk(db, id, chunk);
      if (held && read < chunk) counted.add(id);
      if (!held || read < chunk) break;
    }
  }
  return counted;
}

function judgeRule(ports: AlertsPorts, id: string): Promise<number> {
  return ports.db.transaction(async (tx) => {
    const claimed = await claimRule(tx, ports.keyring, id);
    if (!claimed) return 0;
    const { rule, nowMs } = claimed;
    const readings = await readAll(tx, rule, ports, nowMs);
    const states = await readStates(tx, rule.id);
    const gone = [...states].flatMap(([subject, { raised }]) =>
      raised && !readings.some((reading) => reading.subject === subject) ? [goneReading(rule.kind, subject)] : [],
    );
    let changes = 0;
    for (const reading of [...readings, ...gone]) {
      const state = states.get(reading.subject) ?? { raised: false, raisedAtMs: null, alertId: '' };
      const bounds = boundsOf(rule, reading.threshold ?? rule.threshold);
      const verdict = judge(bounds, state, reading.value, { nowMs, quietMs: rule.quietMinutes * 60_000 });
      if (verdict === 'raise') await raise(tx, rule, reading, bounds);
      if (verdict === 'end') await end(tx, rule, reading, bounds, state.alertId);
      changes += verdict === 'raise' || verdict === 'end' ? 1 : 0;
    }
    await noteJudged(tx, id, worstOf(rule, readings), judgeEverySeconds);
    return changes;
  });
}

/** What is shown of a rule that looks at several things. */
function worstOf(rule: Rule, readings: readonly Reading[]): number | null {
  const values = readings.flatMap(({ value }) => (value === null ? [] : [value]));
  if (values.length === 0) return null;
  return boundsOf(rule).trouble === 'above' ? Math.max(...values) : Math.min(...values);
}

async function raise(tx: Queryable, rule: Rule, reading: Reading, bounds: Bounds): Promise<void> {
  const told = toldOf(rule, 'raised', reading, bounds);
  const { id: ruleId, applicationId, kind } = rule;
  const { value, threshold } = told;
  const alert = { ruleId, applicationId, kind, subject: reading.subject, value, threshold, text: textOf(told) };
  await tell(tx, rule, told, await insertAlert(tx, alert));
}

async function end(tx: Queryable, rule: Rule, reading: Reading, bounds: Bounds, alertId: string): Promise<void> {
  await endAlert(tx, alertId, reading.value);
  await tell(tx, rule, toldOf(rule, 'ended', reading, bounds), alertId);
}

const toldOf = ({ kind, applicationId }: Rule, state: Told['state'], reading: Reading, bounds: Bounds): Told => ({
  kind,
  applicationId,
  state,
  value: reading.value ?? 0,
  threshold: bounds.threshold,
  reading,
});

async function tell(tx: Queryable, rule: Rule, told: Told, alertId: string): Promise<void> {
  const { status, data } = noticeOf(told, alertId);
  await appendEvents(tx, [
    {
      applicationId: rule.applicationId ?? '0',
      messageId: '0',
      cause: told.state === 'raised' ? 'alert_raised' : 'alert_ended',
      ...(rule.notify.callback && { status }),
      data,
    },
  ]);
  await insertMessages(tx, messagesOf(rule, told, alertId));
}

function messagesOf({ id: ruleId, kind, notify }: Rule, told: Told, alertId: string): NewMessage[] {
  const { email, telegram } = notify;
  const common = { alertId, ruleId, about: told.state, title: titleOf(kind, told.state), text: textOf(told) };
  return [
    ...(email?.addresses ?? []).map(
      (recipient): NewMessage => ({ ...common, way: 'email', recipient, provider: email?.providerId ?? null }),
    ),
    ...(telegram ? [{ ...common, way: 'telegram' as const, recipient: telegram.chatId, provider: null }] : []),
  ];
}
