/**
 * What Meta's error codes mean, as data: the answer to a hand-over and the errors of a failed status share one list. The setting
 * `code_map` overrides it for one account. Titles and subcodes are not read: Meta gives both up.
 * https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
 */
import type { Reason } from '../outcome.ts';

export interface Meaning {
  reason: Reason;
  /** The same request may work later. */
  temporary: boolean;
  /** What is the matter and what to do, to be followed by Meta's code. */
  remedy: string;
  /** Worth a line in the operator's log each time. */
  alert?: boolean;
}

export type CodeMap = Readonly<Record<string, { reason: Reason; temporary: boolean }>>;

const later = (reason: Reason, remedy: string): Meaning => ({ reason, temporary: true, remedy });
const never = (reason: Reason, remedy: string): Meaning => ({ reason, temporary: false, remedy });

const service = later(
  'upstream_error',
  'WhatsApp has a fault of its own: see the status page of the WhatsApp Business Platform',
);
const rate = later(
  'throttled',
  'more messages than this number or app may send: spread them or ask Meta for more throughput',
);
const token = never(
  'credentials',
  'the access token has expired, was withdrawn or lacks a permission: make a new one with whatsapp_business_messaging and whatsapp_business_management',
);
const request = never('config', 'WhatsApp did not understand the request: check phone_number_id and api_version');
const template = 'run the template sync and look at the template in WhatsApp Manager';

export const meanings: Readonly<Record<string, Meaning>> = {
  1: service,
  2: service,
  131000: service,
  4: rate,
  80007: rate,
  130429: rate,
  131048: {
    ...later(
      'throttled',
      'Meta limits this number because people blocked it or reported it as spam: check its quality rating',
    ),
    alert: true,
  },
  131056: later('throttled', 'too many messages from this number to the same person in a short time'),
  0: token,
  3: token,
  10: token,
  190: token,
  131005: token,
  131042: never('funds', 'a payment problem stops this account: correct its payment method in Meta Business settings'),
  33: never('config', 'the business number was deleted: check phone_number_id'),
  368: never(
    'config',
    'Meta has restricted the account for a breach of policy: see Account quality in Business Manager',
  ),
  131031: never('config', 'Meta has locked the account: see Account quality in Business Manager'),
  133010: never('config', 'the number is not registered with the Cloud API: register it in WhatsApp Manager'),
  130497: never('geo_denied', 'this account may not write to people in that country: route the country elsewhere'),
  131026: never(
    'not_on_channel',
    'the person has no WhatsApp, an old version of it, or cannot get authentication messages in their country',
  ),
  130472: later('carrier_filtered', 'Meta held the message back because the person is part of an experiment'),
  131049: later('carrier_filtered', 'Meta chose not to deliver the message'),
  132000: never('template_invalid', `the template has other parameters than an authentication template: ${template}`),
  132001: never('template_invalid', `the template does not exist in this language or is not approved: ${template}`),
  132005: never('template_invalid', `the text became too long: ${template}`),
  132007: never('template_invalid', `the template breaks a content policy: ${template}`),
  132012: never('template_invalid', `a parameter has another format than the template wants: ${template}`),
  132015: never('template_invalid', `Meta has paused the template for low quality: ${template}`),
  132016: never(
    'template_invalid',
    `Meta has disabled the template for low quality: choose another template_prefix and run the template sync`,
  ),
  100: request,
  131008: request,
  131009: request,
  // What follows stands in Meta's list and can meet an authentication message.
  131016: service,
  133004: service,
  131057: later(
    'upstream_error',
    'the account is in maintenance, which Meta uses while its throughput is raised: it ends by itself',
  ),
  80008: rate,
  131021: never('number_invalid', 'the recipient is the sending number itself'),
  131030: never(
    'sender_invalid',
    'the sender is a test number, which reaches only the numbers listed in the app: list the recipient or use a real number',
  ),
  131037: never('sender_invalid', 'the display name of the number is not approved: see WhatsApp Manager'),
  131045: never('config', 'the number is not registered correctly: register it again in WhatsApp Manager'),
  131050: never('opted_out', 'the person has stopped messages of this kind from this business'),
};

/** What a code means for this account; undefined where nobody has said. */
export function meaningOf(code: number, codeMap: CodeMap): Meaning | undefined {
  const shipped = meanings[code] ?? (code >= 200 && code <= 299 ? token : undefined);
  const own = Object.hasOwn(codeMap, code) ? codeMap[code] : undefined;
  return own ? { remedy: 'the account maps this code itself (code_map)', ...shipped, ...own } : shipped;
}
