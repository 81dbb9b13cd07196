/**
 * Whether one provider may be given one more hand-over on this node: drain and quiet hours, its circuit, its concurrency, its
 * share of the rate. Lives as long as the provider does; its terms change beneath it.
 */
import type { SendOutcome } from '../channels/index.ts';
import type { Clock } from '../platform/clock.ts';
import { type Bucket, fullBucket, shareOf, taken, waitMs } from '../platform/token-bucket.ts';
import { begin, type Circuit, closedCircuit, countsOf, lets, record, verdictOf } from './circuit.ts';
import { restingReason } from './pick.ts';
import type { CircuitRule, QuietHours } from './records.ts';

/** How soon a full provider is asked again. */
const fullMs = 25;

export interface GateTerms {
  enabled: boolean;
  drainedUntilMs: number | null;
  quietHours: QuietHours | null;
  circuit: CircuitRule;
  concurrency: number;
  ratePerSecond: number | null;
}

/** One admitted hand-over, until `done`. */
export interface Pass {
  done(outcome: SendOutcome): void;
}

export interface GateView {
  circuit: Circuit['kind'];
  sinceMs: number;
  reason: string | null;
  calls: number;
  errors: number;
}

export interface Gate {
  /** A pass, or the milliseconds to wait; Infinity where waiting does not help. */
  enter(): Pass | number;
  /** Whether its circuit would let a hand-over begin. */
  lets(): boolean;
  /** Forgets what the circuit knows. */
  reset(): void;
  change(terms: GateTerms): void;
  view(): GateView;
}

export interface GatePorts {
  clock: Clock;
  /** Nodes that share the rate. */
  liveNodes: () => number;
  /** After every hand-over and every move of the circuit; `changed` when it went to another state. */
  onCall(changed: boolean): void;
}

export function createGate(first: GateTerms, { clock, liveNodes, onCall }: GatePorts): Gate {
  let terms = first;
  let circuit = closedCircuit(clock.now());
  let bucket: Bucket | null = null;
  let inFlight = 0;

  /** 0 when there is room and a token; the token is then taken. */
  function draw(nowMs: number): number {
    if (inFlight >= terms.concurrency) return fullMs;
    if (terms.ratePerSecond === null) return 0;
    const rate = shareOf(terms.ratePerSecond, liveNodes());
    bucket ??= fullBucket(rate, nowMs);
    const wait = waitMs(bucket, rate, nowMs);
    if (wait === 0) bucket = taken(bucket, rate, nowMs);
    return wait;
  }

  function passFor(probe: boolean): Pass {
    let open = true;
    return {
      done(outcome) {
        if (!open) return;
        open = false;
        inFlight--;
        const before = circuit.kind;
        circuit = record(circuit, probe, verdictOf(outcome), terms.circuit, clock.now());
        onCall(circuit.kind !== before);
      },
    };
  }

  return {
    enter() {
      const nowMs = clock.now();
      if (!terms.enabled || restingReason(terms, nowMs) !== null || !lets(circuit, nowMs)) return Infinity;
      const wait = draw(nowMs);
      if (wait > 0) return wait;
      inFlight++;
      const begun = begin(circuit, nowMs);
      circuit = begun.circuit;
      if (begun.probe) onCall(true);
      return passFor(begun.probe);
    },
    lets: () => lets(circuit, clock.now()),
    reset() {
      circuit = closedCircuit(clock.now());
      onCall(true);
    },
    change(next) {
      // Slices of another length cannot be counted together.
      if (next.circuit.window_seconds !== terms.circuit.window_seconds && circuit.kind === 'closed')
        circuit = closedCircuit(clock.now());
      terms = next;
    },
    view() {
      const { kind, sinceMs, reason } = circuit;
      return { circuit: kind, sinceMs, reason, ...countsOf(circuit, terms.circuit, clock.now()) };
    },
  };
}
