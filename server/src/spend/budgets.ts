/** A cap in money, and the steps below it: what is done with sends once a share of the cap is spent. Pure. */

export const periods = ['hour', 'day', 'month'] as const;
export type Period = (typeof periods)[number];
export const rungActions = ['cheaper_channel', 'challenge', 'block'] as const;
export type RungAction = (typeof rungActions)[number];
export type LadderAction = 'none' | RungAction;

export interface Rung {
  atPercent: number;
  action: RungAction;
}

export type Scope = { kind: 'all' } | { kind: 'country' | 'calling_code'; value: string };

export interface NewBudget {
  scope: Scope;
  period: Period;
  capMicros: number;
  ladder: readonly Rung[];
  enabled: boolean;
}

export interface Budget extends NewBudget {
  id: string;
  applicationId: string;
  /** Of the period that now lies in. */
  spentMicros: number;
  periodStart: Date;
  createdAt: Date;
  updatedAt: Date;
}

/** What can be said of a send before it is accepted. */
export interface LadderAsk {
  applicationId: string;
  country: string | null;
  callingCode: string | null;
}

export interface LadderAnswer {
  /** The strictest of all budgets. */
  action: LadderAction;
  budgets: { budget: string; spent_micros: number; cap_micros: number; action: LadderAction }[];
}

const strictness: readonly LadderAction[] = ['none', 'cheaper_channel', 'challenge', 'block'];
const stricter = (a: LadderAction, b: LadderAction): LadderAction =>
  strictness.indexOf(a) >= strictness.indexOf(b) ? a : b;

const falls = ({ scope }: NewBudget, { country, callingCode }: LadderAsk): boolean =>
  scope.kind === 'all' || scope.value === (scope.kind === 'country' ? country : callingCode);

/** The strictest rung that is reached. The cap itself is kept by the accepting statement. */
function actionOf({ ladder, spentMicros, capMicros }: Budget): LadderAction {
  return ladder
    .filter(({ atPercent }) => spentMicros * 100 >= capMicros * atPercent)
    .reduce<LadderAction>((strictest, { action }) => stricter(strictest, action), 'none');
}

export function judgeLadder(budgets: readonly Budget[], ask: LadderAsk): LadderAnswer {
  const own = budgets.filter((budget) => budget.enabled && falls(budget, ask));
  const found = own.map((budget) => ({
    budget: budget.id,
    spent_micros: budget.spentMicros,
    cap_micros: budget.capMicros,
    action: actionOf(budget),
  }));
  return {
    action: found.reduce<LadderAction>((strictest, { action }) => stricter(strictest, action), 'none'),
    budgets: found,
  };
}
