/** Both adapters for HTTP gateways, each with one of the dialects of their setup pages. */
import assert from 'node:assert/strict';
import { account, callHook, type Gateway, openGatewayFixture, signed } from '../../../http/fixture.ts';
import { exampleOf } from '../../../http/fixtures.ts';
import { lastOf, numberBehind, type ReportKind, type Vendor } from '../vendor.ts';

const prefix = '49151';

function commonOf(gateway: Gateway, refusal: string, limit: string) {
  const takenFor = (to: string) => gateway.taken.filter((one) => one.to === to);
  return {
    secrets: Object.values(account),
    prefix,
    newAddress: () => ({ to: numberBehind(`${prefix}12`) }),
    accept: (to: string) => gateway.behave(to, null),
    refuse: (to: string) => gateway.behave(to, { error: refusal }),
    throttle: (to: string) => gateway.behave(to, { error: limit }),
    hang: (to: string) => gateway.behave(to, 'hang'),
    taken: (to: string) => takenFor(to).map(({ id }) => id),
    takenFor,
    close: () => gateway.close(),
  };
}

export async function openSmsHttp(): Promise<Vendor> {
  const gateway = await openGatewayFixture();
  const common = commonOf(gateway, '105', '130');
  const said: Record<ReportKind, { stat: string; err: string }> = {
    delivered: { stat: 'DELIVRD', err: '000' },
    failed: { stat: 'UNDELIV', err: '001' },
  };
  return {
    ...common,
    adapter: 'sms-http',
    channel: 'sms',
    settings: exampleOf('sms-http', 'text', gateway.url),
    next: { channel: 'voice', adapter: 'voice-http' },
    refusal: { errorCode: 5020, detail: /\b105\b/, state: 'invalid' },
    throttled: { detail: /\b130\b/, waitSeconds: 1 },
    failure: { errorCode: 5012, detail: /UNDELIV with error 001/ },
    async report(to, kind) {
      const { id, reference, callback } = lastOf(common.takenFor(to));
      const query = new URLSearchParams({ id, ref: reference, ...said[kind] });
      const answer = await callHook({ method: 'GET', url: `${callback}?${query}` });
      assert.deepEqual([answer.status, answer.body], [200, 'OK']);
    },
  };
}

export async function openVoiceHttp(): Promise<Vendor> {
  const gateway = await openGatewayFixture();
  const common = commonOf(gateway, 'BAD_NUMBER', 'TOO_FAST');
  return {
    ...common,
    adapter: 'voice-http',
    channel: 'voice',
    settings: exampleOf('voice-http', 'json', gateway.url),
    next: { channel: 'sms', adapter: 'sms-http' },
    refusal: { errorCode: 5020, detail: /BAD_NUMBER/, state: 'invalid' },
    throttled: { detail: /\b429\b/, waitSeconds: 1 },
    failure: { errorCode: 5012, detail: /BUSY/ },
    async report(to, kind) {
      const { id, reference, callback } = lastOf(common.takenFor(to));
      const state = kind === 'delivered' ? 'DELIVERED' : 'BUSY';
      const body = JSON.stringify([{ messageId: id, ref: reference, state }]);
      const { status } = await callHook({ method: 'POST', url: callback, body, headers: signed(body) });
      assert.ok(status >= 200 && status < 300, String(status));
    },
  };
}
