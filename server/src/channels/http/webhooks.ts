/**
 * Webhooks of an HTTP gateway: receipts at /status or /status/<reference>, messages of people at /inbound. The proof of origin comes
 * first; what cannot be read is 400, what nobody mapped has no effect.
 */
import type { HookAnswer, HookRequest, Ports } from '../contract.ts';
import { uplinksOf } from './inbound.ts';
import { documentOf, parseJson, valueAt } from './pointer.ts';
import { receiptsOf } from './receipts.ts';
import type { HttpSettings } from './settings.ts';
import { isTrusted } from './webhook-auth.ts';
import type { ReceiptSettings } from './webhook-settings.ts';

const maxItems = 1_000;
const unreadable: HookAnswer = { status: 400 };

type Webhooks = Pick<HttpSettings, 'receipts' | 'inbound' | 'webhook_auth' | 'webhook_answer'>;

export function openHook(settings: Webhooks, ports: Ports): (request: HookRequest) => Promise<HookAnswer> {
  const { receipts, inbound, webhook_auth: auth, webhook_answer: taken } = settings;
  return async (request) => {
    if (!isTrusted(request, auth, Date.now())) return { status: 401 };
    const [, room = '', reference] = /^\/(status|inbound)(?:\/([0-9a-z-]{1,40}))?$/.exec(request.path) ?? [];
    const format = room === 'status' ? receipts : inbound;
    if (room === '' || !format) return { status: 404 };
    if (request.method === 'GET' && format.format !== 'query') return { status: 405 };
    const items = itemsOf(request, format);
    if (!items) return unreadable;
    if (room === 'status' && receipts) {
      const read = receiptsOf(items, receipts, reference, ports.log);
      if (!read) return unreadable;
      // All are tried: one that nobody knows yet must not keep the others waiting.
      let all = true;
      for (const receipt of read) all = (await ports.onReceipt(receipt)) && all;
      return all ? taken : { status: 503 };
    }
    const uplinks = inbound && uplinksOf(items, inbound);
    if (!uplinks) return unreadable;
    for (const uplink of uplinks) await ports.onUplink(uplink);
    return taken;
  };
}

/** The documents of a webhook, one or a list; null for what is none. */
function itemsOf(request: HookRequest, { format, list }: Pick<ReceiptSettings, 'format' | 'list'>): object[] | null {
  const found = valueAt(list ?? '', documentIn(request, format));
  const items: unknown[] = Array.isArray(found) ? found : [found];
  return items.length <= maxItems && items.every(isDocument) ? items : null;
}

const isDocument = (item: unknown): item is object => typeof item === 'object' && item !== null && !Array.isArray(item);

function documentIn({ query, body }: HookRequest, format: ReceiptSettings['format']): unknown {
  if (format === 'query') return documentOf(query);
  const text = body.toString('utf8');
  return format === 'form' ? documentOf(new URLSearchParams(text)) : parseJson(text);
}
