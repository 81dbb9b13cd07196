/**
 * Where customers want to be told what happened: the endpoints of applications, their secrets, and one signed post (contract §10).
 * When something is posted, and what comes of it, is the room `posting`.
 */
import { createEndpointOperations } from './endpoint-operations.ts';
import { createLogOperations } from './log-operations.ts';
import { forgetCallbacks } from './log-store.ts';
import type { Office } from './office.ts';
import {
  findSandboxWebhook,
  removeSandboxWebhook,
  type SandboxWebhook,
  type SavedSandboxWebhook,
  setSandboxWebhook,
} from './sandbox-webhook.ts';
import { createTryOperations } from './try-operations.ts';

export {
  type DisabledBecause,
  type Endpoint,
  type EndpointSecrets,
  type EndpointSettings,
  sealSecrets,
} from './endpoint.ts';
export { listEndpointsById } from './endpoint-store.ts';
export {
  disableEndpoint,
  enabledEndpoints,
  type Failing,
  listFailing,
  listSubscribers,
  noteHealth,
} from './health-store.ts';
export { type Posted, type PostPorts, post } from './post.ts';
export { nextTryInMs, type ScheduleName } from './schedule.ts';

export interface CallbacksOptions extends Omit<Office, 'changed'> {
  /** Hears of each endpoint that was made, changed or removed, or has something queued again. */
  changed?: Office['changed'];
}

export interface Callbacks {
  operations: ReturnType<typeof createEndpointOperations>;
  /** See sandbox-webhook.ts. */
  setSandboxWebhook(applicationId: string, webhook: SandboxWebhook): Promise<SavedSandboxWebhook>;
  removeSandboxWebhook(applicationId: string): Promise<void>;
  findSandboxWebhook(applicationId: string): Promise<SavedSandboxWebhook | null>;
  /** Removes up to `limit` rows each of queue and log that tell of messages below the id; resolves with how many. */
  forget(applicationId: string, belowId: string, limit: number): Promise<number>;
}

export function createCallbacks(options: CallbacksOptions): Callbacks {
  const office: Office = { ...options, changed: options.changed ?? (() => undefined) };
  return {
    operations: [...createEndpointOperations(office), ...createTryOperations(office), ...createLogOperations(office)],
    setSandboxWebhook: (applicationId, webhook) => setSandboxWebhook(office, applicationId, webhook),
    removeSandboxWebhook: (applicationId) => removeSandboxWebhook(office, applicationId),
    findSandboxWebhook: (applicationId) => findSandboxWebhook(office, applicationId),
    forget: (...asked) => forgetCallbacks(office.db, ...asked),
  };
}
