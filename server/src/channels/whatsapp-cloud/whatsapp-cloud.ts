/**
 * WhatsApp through Meta's own Cloud API. Sends codes by authentication templates, which this adapter makes itself (syncTemplates); takes
 * statuses and messages of people by webhook. Meta has no means against sending twice: a hand-over whose answer is lost stays unknown.
 */
import type { Adapter, Ports, Upstream } from '../contract.ts';
import { createGraph } from './graph.ts';
import { type Desk, sendCode } from './send.ts';
import { type Settings, settings } from './settings.ts';
import { syncTemplates } from './sync.ts';
import { answerHook } from './webhook.ts';

export const whatsappCloud: Adapter<Settings> = {
  id: 'whatsapp-cloud',
  title: 'WhatsApp Cloud API (Meta)',
  channels: ['whatsapp'],
  settings,
  // A number may send 80 messages a second unless Meta raises it; one hand-over takes well under a second.
  limits: { maxConcurrency: 64, idempotent: false },
  open,
};

function open(given: Settings, ports: Ports): Upstream {
  const desk: Desk = { graph: createGraph(ports.outbound, given), settings: given, log: ports.log };
  const closing = new AbortController();
  const whileOpen = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, closing.signal]);
  return {
    send: (message, signal) => sendCode(desk, message, whileOpen(signal)),
    syncTemplates: (languages, signal) => syncTemplates(desk, languages, whileOpen(signal)),
    hook: async (request) => (closing.signal.aborted ? { status: 503 } : answerHook(ports, given, request)),
    async close() {
      closing.abort();
    },
  };
}
