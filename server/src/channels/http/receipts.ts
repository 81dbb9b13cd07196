/** From what a gateway posts about a message to receipts, by the operator's map. */
import type { Log } from '../../platform/log.ts';
import type { Receipt } from '../contract.ts';
import { undelivered } from '../outcome.ts';
import { isUpstreamId } from './place.ts';
import { textOf, valueAt } from './pointer.ts';
import type { ReceiptSettings } from './webhook-settings.ts';

const isReference = (text: string): boolean => /^[0-9a-z-]{1,40}$/.test(text);

/**
 * The results among the items; those on their way have none. Null where no item says which message it is about and how it stands:
 * then the settings or the address are wrong, or it is no receipt.
 */
export function receiptsOf(
  items: readonly object[],
  settings: ReceiptSettings,
  addressed: string | undefined,
  log: Log,
): Receipt[] | null {
  const read = items.flatMap((item) => readItem(item, settings, addressed));
  if (read.length < items.length)
    log.warn(
      { items: items.length, read: read.length },
      'webhook items without id or status: check receipts in the settings',
    );
  if (read.length === 0 && items.length > 0) return null;
  return read.flatMap(({ status, error, ...message }) => {
    const outcome = outcomeOf(status, error, settings, log);
    return outcome ? [{ ...message, outcome }] : [];
  });
}

type Item = Pick<Receipt, 'upstreamId' | 'reference'> & { status: string; error: string | null };

function readItem(item: object, settings: ReceiptSettings, addressed: string | undefined): Item[] {
  const at = (place: string | undefined): string | null => (place === undefined ? null : textOf(valueAt(place, item)));
  const returned = at(settings.reference);
  const reference = returned !== null && isReference(returned) ? returned : addressed;
  const id = at(settings.id) ?? reference ?? '';
  const status = at(settings.status);
  if (!isUpstreamId(id) || status === null) return [];
  return [{ upstreamId: id, ...(reference !== undefined && { reference }), status, error: at(settings.error) }];
}

/** Null for what is on its way still, and for statuses nobody mapped. */
function outcomeOf(
  status: string,
  error: string | null,
  { delivered, undelivered: failed, pending, errors }: ReceiptSettings,
  log: Log,
): Receipt['outcome'] | null {
  if (delivered.includes(status)) return { kind: 'delivered' };
  const reason = Object.hasOwn(failed, status) ? failed[status] : undefined;
  if (reason === undefined) {
    if (!pending.includes(status)) log.warn({ upstreamCode: nameable(status) }, 'unmapped code');
    return null;
  }
  const cause = error !== null && Object.hasOwn(errors, error) ? errors[error] : undefined;
  if (error !== null && cause === undefined && Object.keys(errors).length > 0)
    log.warn({ upstreamCode: nameable(error) }, 'unmapped code');
  const named = cause === undefined ? '' : ` with error ${error}`;
  return undelivered(cause ?? reason, `the gateway reports ${status}${named}`);
}

/** A mistaken pointer may lead to the recipient or the text: only what looks like a status is repeated. */
const nameable = (value: string): string =>
  /^(?:[A-Za-z][A-Za-z_ -]{0,29}|-?\d{1,5})$/.test(value) ? value : '(not shown)';
