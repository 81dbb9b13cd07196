/**
 * Posting what the ledger queued to the endpoints of its application (contract §10.3): at least once under one id and with one body,
 * the events of one message in order. An endpoint that hangs or fails slows nobody else.
 */
export { createDispatcher, type Dispatcher, type DispatcherOptions } from './dispatcher.ts';
