/**
 * Where customers want to be told what happened: the endpoints of applications, their secrets, and one signed post (contract §10).
 * When something is posted, and what comes of it, is the room `posting`.
 */
export {
  type DisabledBecause,
  type Endpoint,
  type EndpointSecrets,
  type EndpointSettings,
  sealSecrets,
} from './endpoint.ts';
export { listEndpointsById } from './endpoint-store.ts';
export { disableEndpoint, enabledEndpoints, noteHealth } from './health-store.ts';
export { type Posted, type PostPorts, post } from './post.ts';
export { nextTryInMs, type ScheduleName } from './schedule.ts';
