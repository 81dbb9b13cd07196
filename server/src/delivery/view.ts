/** What other rooms are shown of a delivery. */
import type { Channel } from '../channels/index.ts';
import { type EndReason, type MessageState, type State, type StepView, stepAt, stepViews } from './state.ts';

export interface DeliveryView {
  state: MessageState;
  /** In use at this moment: of the attempt in flight, else of the newest hand-over. */
  channel: Channel;
  steps: StepView[];
  ended: EndReason | null;
  /** Hand-overs accepted by an upstream. */
  sentCount: number;
  costMicros: number;
  /** The newest attempt number given. */
  attempt: number;
  deadlineAtMs: number;
}

export const viewOf = (state: State): DeliveryView => ({
  state: state.state,
  channel: state.inFlight && state.active ? stepAt(state, state.active.step).channel : state.channel,
  steps: stepViews(state),
  ended: state.ended,
  sentCount: state.sentCount,
  costMicros: state.costMicros,
  attempt: state.attempts,
  deadlineAtMs: state.deadlineAtMs,
});
