/**
 * The door to the adapters: what one is (contract.ts) and which there are (registry.ts). Every adapter passes the suite in
 * conformance.ts, which tests import from there.
 */
export {
  type Adapter,
  type Channel,
  type Content,
  channelNames,
  type OutgoingMessage,
  type Ports,
  type Receipt,
  type SendOutcome,
  type Upstream,
} from './contract.ts';
export { createRegistry, type Registry } from './registry.ts';
