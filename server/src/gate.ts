/** Who judges a send before it is counted: the country it goes to, fraud rules, budgets, the customer's own server; in this order. */
import type { Fraud } from './fraud/index.ts';
import { challenged, type Gate, type GateAnswer, type GateAsk, numberingOf, rejected } from './messages/index.ts';
import { isMonitored } from './policy.ts';
import type { Presend } from './presend/index.ts';
import type { Spend } from './spend/index.ts';

interface Judges {
  fraud: Pick<Fraud, 'judge'>;
  spend: Pick<Spend, 'ladder'>;
  presend: Pick<Presend, 'ask'>;
}

type Report = NonNullable<GateAnswer['report']>;
type Closed = Map<GateAsk['channels'][number]['channel'], 'fraud' | 'budget'>;
type Signals = Record<string, unknown>;

const text = (signals: Signals, name: string): string | null => {
  const value = signals[name];
  return typeof value === 'string' && value !== '' ? value : null;
};

export const createGate =
  ({ fraud, spend, presend }: Judges): Gate =>
  async (ask) => {
    const { application, request, country } = ask;
    const signals: Signals = request.signals ?? {};
    const proven = signals['is_trusted_user'] === true || signals['captcha_passed'] === true;
    const report: Report = {};
    const closed: Closed = new Map();
    const answer = (refusal: GateAnswer['refusal']): GateAnswer => ({
      refusal,
      closed,
      report: Object.keys(report).length > 0 ? report : null,
    });
    if (isMonitored(application.policy, country)) report.country = 'monitored';
    // Nothing leaves the virtual network, and nothing can be pumped there.
    if (application.network === 'live') {
      const verdict = judgeFraud(fraud, ask, signals, report, closed);
      if (verdict !== 'allow') return answer(verdict === 'block' ? rejected() : challenged());
      const action = askBudgets(spend, ask, report, closed);
      if (action === 'block') return answer(rejected());
      if (action === 'challenge' && !proven) return answer(challenged());
    }
    const said = await askHook(presend, ask, report);
    if (said === 'deny') return answer(rejected());
    return answer(said === 'challenge' && !proven ? challenged() : null);
  };

function judgeFraud(fraud: Judges['fraud'], ask: GateAsk, signals: Signals, report: Report, closed: Closed) {
  const { application, to, phone, country, callingCode } = ask;
  const {
    verdict,
    fired,
    closed: channels,
  } = fraud.judge({
    applicationId: application.id,
    to: phone ?? to,
    country,
    callingCode,
    numberType: phone === null ? null : numberingOf(phone).numberType,
    ip: text(signals, 'ip'),
    deviceId: text(signals, 'device_id'),
    trusted: signals['is_trusted_user'] === true,
    captchaPassed: signals['captcha_passed'] === true,
  });
  if (fired.length > 0) report.rules = fired;
  for (const { channel } of ask.channels) if (channels.includes(channel)) closed.set(channel, 'fraud');
  return verdict;
}

/** Past the rung `cheaper_channel` only the cheapest of the channels is used. */
function askBudgets(spend: Judges['spend'], ask: GateAsk, report: Report, closed: Closed) {
  const { application, country, callingCode, channels } = ask;
  const { action, budgets } = spend.ladder({ applicationId: application.id, country, callingCode });
  if (budgets.length > 0) report.budgets = budgets;
  if (action === 'cheaper_channel') {
    const open = channels.filter(({ channel }) => !closed.has(channel));
    const cheapest = Math.min(...open.map(({ micros }) => micros));
    for (const { channel, micros } of open) if (micros > cheapest) closed.set(channel, 'budget');
  }
  return action;
}

async function askHook(presend: Judges['presend'], ask: GateAsk, report: Report) {
  const { application, request, templateId, to, phone, country } = ask;
  const said = await presend.ask(application.id, {
    to,
    country,
    get numberType() {
      return phone === null ? null : numberingOf(phone).numberType;
    },
    templateId,
    purpose: request.purpose,
    signals: request.signals,
    keyId: request.caller?.keyId ?? null,
    ...(request.idempotencyKey !== null && { idempotency: request.idempotencyKey }),
  });
  if (!said) return 'allow';
  const { answer, tookMs, failed, reason } = said;
  report.hook = {
    answer,
    took_ms: tookMs,
    ...(failed !== undefined && { failed }),
    ...(reason !== undefined && { reason }),
  };
  return answer;
}
