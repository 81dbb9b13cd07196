/** WhatsApp by Meta's Cloud API. */
import assert from 'node:assert/strict';
import { openGraphEmulator, postHook, secrets, statusOf, webhookOf } from '../../../whatsapp-cloud/fixture.ts';
import { lastOf, numberBehind, type Vendor } from '../vendor.ts';

export async function openWhatsapp(): Promise<Vendor> {
  const graph = await openGraphEmulator();
  graph.approve(['en']);
  const acceptedFor = (to: string) => graph.accepted.filter((message) => `+${message.to}` === to);
  return {
    adapter: 'whatsapp-cloud',
    channel: 'whatsapp',
    settings: graph.settings,
    secrets: Object.values(secrets),
    next: { channel: 'sms', adapter: 'sms-twilio' },
    newAddress: () => ({ to: numberBehind('6591') }),
    accept: (to) => graph.behave(to, null),
    refuse: (to) => graph.behave(to, { refuse: 131026 }),
    throttle: (to) => graph.behave(to, { refuse: 130429, status: 429 }),
    hang: (to) => graph.behave(to, 'silent'),
    refusal: { errorCode: 5020, detail: /131026/, state: 'failed' },
    throttled: { detail: /130429/, waitSeconds: 1 },
    failure: { errorCode: 5015, detail: /131049/ },
    taken: (to) => acceptedFor(to).map(({ wamid }) => wamid),
    async report(to, kind, hookUrl) {
      const step = kind === 'delivered' ? 'delivered' : { failed: 131049 };
      const statuses = [statusOf(lastOf(acceptedFor(to)), step)];
      assert.equal(await postHook(hookUrl, webhookOf({ statuses })), 200);
    },
    close: graph.close,
  };
}
