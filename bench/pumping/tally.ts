/** What came of each request: counts by reason, for honest people and under each attacked prefix. */
export interface Tally {
  tried: number;
  accepted: number;
  /** How many were accepted before the first refusal; null while there is none. */
  before: number | null;
  reasons: Map<string, number>;
}

export const newTally = (): Tally => ({ tried: 0, accepted: 0, before: null, reasons: new Map() });

interface Reply {
  status: number;
  body: { code?: number; reason?: string; details?: { policy?: string } };
}

/** A limit by its name, everything else by what the answer says. */
function reasonOf({ status, body: { code, reason, details } }: Reply): string {
  return details?.policy ?? `${code ?? status}${reason === undefined ? '' : ` ${reason}`}`;
}

export function note(tally: Tally, reply: Reply): void {
  tally.tried++;
  if (reply.status === 200) tally.accepted++;
  else {
    tally.before ??= tally.accepted;
    const reason = reasonOf(reply);
    tally.reasons.set(reason, (tally.reasons.get(reason) ?? 0) + 1);
  }
}

export const refused = ({ tried, accepted }: Tally): number => tried - accepted;

/** The most frequent first. */
export const reasonsOf = ({ reasons }: Tally): string =>
  [...reasons]
    .toSorted(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ');
