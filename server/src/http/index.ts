/**
 * The front door: every HTTP request enters here and leaves with the contract's answer. It promises the order of checks of
 * contract §2, one error form, request ids, throttle headers, at-most-once under an Idempotency-Key, and an API description made
 * from the operations it serves. Rooms describe operations with `http/operation.ts`; it never imports a room.
 */

export { storeAnswer } from './claim-key.ts';
export type { Endpoint, EndpointFrom } from './endpoints.ts';
export { createFrontDoor, type FrontDoor, type FrontDoorOptions } from './front-door.ts';
export { packageVersion } from './openapi.ts';
export type { Page, PageAnswer, PageRequest } from './pages.ts';
export { createVisitors, type Visit } from './visitors.ts';
