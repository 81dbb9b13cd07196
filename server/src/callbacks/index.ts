/**
 * Telling customers what happened: endpoints of applications, and signed posts made from the ledger (contract §10). An event is
 * queued by the statement that writes it, reaches an endpoint at least once under one id and with one body, and the events of one
 * message in order. An endpoint that hangs or fails slows nobody else.
 */
export type { Endpoint, EndpointSettings } from './endpoint.ts';
