/**
 * Where customers want to be told what happened: the endpoints of applications, their secrets, and one signed post (contract §10).
 * When something is posted, and what comes of it, is the room `posting`.
 */
import { createEndpointOperations } from './endpoint-operations.ts';
import type { Office } from './office.ts';
import {
  findSandboxWebhook,
  removeSandboxWebhook,
  type SandboxWebhook,
  type SavedSandboxWebhook,
  setSandboxWebhook,
} from './sandbox-webhook.ts';
import { createTryOperations } from './try-operations.ts';

export { isAccepted, noteOf, shownText } from './answer.ts';
export { expandEvents } from './chosen-events.ts';
export {
  type DisabledBecause,
  type Endpoint,
  type EndpointSecrets,
  type EndpointSettings,
  sealSecrets,
} from './endpoint.ts';
export { listEndpoints, listEndpointsById } from './endpoint-store.ts';
export { endpointParams, eventChoice } from './endpoint-wire.ts';
export {
  disableEndpoint,
  enabledEndpoints,
  type Failing,
  listFailing,
  listSubscribers,
  noteHealth,
} from './health-store.ts';
export { getEndpoint, type Office } from './office.ts';
export { type Posted, type PostPorts, post } from './post.ts';
export { nextTryInMs, type ScheduleName } from './schedule.ts';
export { createSubscribers } from './subscribers.ts';

export interface Callbacks {
  operations: ReturnType<typeof createEndpointOperations>;
  /** See sandbox-webhook.ts. */
  setSandboxWebhook(applicationId: string, webhook: SandboxWebhook): Promise<SavedSandboxWebhook>;
  removeSandboxWebhook(applicationId: string): Promise<void>;
  findSandboxWebhook(applicationId: string): Promise<SavedSandboxWebhook | null>;
}

export function createCallbacks(office: Office): Callbacks {
  return {
    operations: [...createEndpointOperations(office), ...createTryOperations(office)],
    setSandboxWebhook: (applicationId, webhook) => setSandboxWebhook(office, applicationId, webhook),
    removeSandboxWebhook: (applicationId) => removeSandboxWebhook(office, applicationId),
    findSandboxWebhook: (applicationId) => findSandboxWebhook(office, applicationId),
  };
}
