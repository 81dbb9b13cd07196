/** The whole product with a provider at each vendor, and routes that lead to it by the prefix of the number. */
import { openWhole, type Whole } from '../fixture.ts';
import { openSmsHttp, openVoiceHttp } from './gateway/fixture.ts';
import { openMailRelay } from './relay/fixture.ts';
import { openSmsTwilio, openVoiceTwilio } from './twilio/fixture.ts';
import type { Vendor } from './vendor.ts';
import { openSmsVonage, openVoiceVonage } from './vonage/fixture.ts';
import { openWhatsapp } from './whatsapp/fixture.ts';

export const openers = {
  'email-smtp': openMailRelay,
  'whatsapp-cloud': openWhatsapp,
  'sms-twilio': openSmsTwilio,
  'voice-twilio': openVoiceTwilio,
  'sms-vonage': openSmsVonage,
  'voice-vonage': openVoiceVonage,
  'sms-http': openSmsHttp,
  'voice-http': openVoiceHttp,
} as const satisfies Record<string, () => Promise<Vendor>>;

export type AdapterId = keyof typeof openers;
export const adapterIds = Object.keys(openers) as AdapterId[];

export interface Market extends AsyncDisposable {
  whole: Whole;
  vendor(adapter: AdapterId): Vendor;
  /** Webhook address of the provider at a vendor. */
  hookUrl(adapter: AdapterId): string;
  /** Every recipient so far. */
  recipients: string[];
}

/** Providers are called as their adapter; a template is called as its chain: `sms`, `sms|voice`. */
export async function openMarket(engine: 'pglite' | 'postgres'): Promise<Market> {
  await using stack = new AsyncDisposableStack();
  const vendors = new Map<string, Vendor>();
  const recipients: string[] = [];
  const noting = (address: ReturnType<Vendor['newAddress']>) => {
    recipients.push(address.to);
    return address;
  };
  for (const id of adapterIds) {
    const vendor = await openers[id]();
    stack.defer(() => vendor.close());
    vendors.set(id, { ...vendor, newAddress: () => noting(vendor.newAddress()) });
  }
  // Closed before the vendors: what waits for an answer is given up by the product.
  const whole = stack.use(await openWhole(engine, []));
  const hookUrls = new Map<string, string>();
  const chains = new Set<string>();
  for (const [id, { settings, channel, prefix, next }] of vendors) {
    hookUrls.set(id, await whole.provider(id, id, settings));
    await whole.route(channel, [id], {}, prefix === undefined ? {} : { prefix });
    chains.add(channel).add(`${channel}|${next.channel}`);
  }
  for (const chain of chains)
    await whole.application.addTemplate({ template_id: chain.replace('|', '-'), send_channel_strategy: chain });
  const kept = stack.move();
  const known = <T>(all: ReadonlyMap<string, T>, id: string): T => {
    const found = all.get(id);
    if (found === undefined) throw new Error(`no vendor ${id}`);
    return found;
  };
  return {
    whole,
    recipients,
    vendor: (id) => known(vendors, id),
    hookUrl: (id) => known(hookUrls, id),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
