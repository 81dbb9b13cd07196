/**
 * The door to the adapters: what one is (contract.ts), what the world answers (outcome.ts) and which there are (registry.ts). Every
 * adapter passes the suite in conformance.ts, which tests import from there.
 */
export {
  type Adapter,
  type Channel,
  type Content,
  channelNames,
  type HookAnswer,
  type HookRequest,
  type OutgoingMessage,
  type Ports,
  type Receipt,
  type Uplink,
  type Upstream,
  type UpstreamTemplate,
} from './contract.ts';
export {
  type Accepted,
  type Reason,
  type Refused,
  reasonOf,
  reasons,
  reasonTable,
  refusedForGood,
  refusedForNow,
  type SendOutcome,
  type Undelivered,
  undelivered,
  unknown,
} from './outcome.ts';
export { createRegistry, type Registry } from './registry.ts';
