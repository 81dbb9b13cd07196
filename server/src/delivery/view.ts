/** What other rooms are shown of a delivery. */
import type { Channel } from '../channels/index.ts';
import {
  type EndReason,
  type MessageState,
  nextStepOf,
  type State,
  type StepView,
  stepAt,
  stepViews,
} from './state.ts';

export interface DeliveryView {
  state: MessageState;
  /** In use at this moment: of the attempt in flight, else of the newest hand-over. */
  channel: Channel;
  steps: StepView[];
  /** The step that next-channel would start, null where there is none; of an ended one the step it would have been. */
  nextStep: number | null;
  ended: EndReason | null;
  /** Hand-overs accepted by an upstream. */
  sentCount: number;
  costMicros: number;
  /** The newest attempt number given. */
  attempt: number;
  deadlineAtMs: number;
}

export function viewOf(state: State): DeliveryView {
  const next = nextStepOf(state);
  return {
    state: state.state,
    channel: state.inFlight && state.active ? stepAt(state, state.active.step).channel : state.channel,
    steps: stepViews(state),
    nextStep: next === null ? null : next + 1,
    ended: state.ended,
    sentCount: state.sentCount,
    costMicros: state.costMicros,
    attempt: state.attempts,
    deadlineAtMs: state.deadlineAtMs,
  };
}
