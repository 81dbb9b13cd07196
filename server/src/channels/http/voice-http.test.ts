import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Gateway, openGatewayFixture } from './fixture.ts';
import { exampleOf, outgoing, withGateway } from './fixtures.ts';
import { voiceHttp } from './voice-http.ts';

let gateway: Gateway;
before(async () => {
  gateway = await openGatewayFixture();
});
after(() => gateway.close());

const call = { channel: 'voice' as const, content: { text: '4, 8, 2, 9, 1, 3 是您的验证码。', language: 'zh_CN' } };
const asked = () => gateway.asked.at(-1) ?? assert.fail('nothing was asked');

test('the JSON example has the text spoken in its language', () =>
  withGateway(voiceHttp, exampleOf('voice-http', 'json', gateway.url), async ({ send, ports }) => {
    assert.equal((await send(call)).kind, 'accepted');
    const { reference } = outgoing();
    assert.deepEqual(JSON.parse(asked().body), {
      to: '+6591230001',
      say: call.content.text,
      language: 'zh-CN',
      ref: reference,
      callback: ports.hookUrl(`/status/${reference}`),
    });
    for (const [language, expected] of [
      ['en', 'en-US'],
      ['zh_HK', 'yue-HK'],
      ['th', 'th'],
      ['default', 'en'],
    ] as const) {
      await send({ ...call, content: { text: 'x', language } });
      assert.equal((JSON.parse(asked().body) as { language: string }).language, expected);
    }
  }));

test('the example of fields speaks the code one character at a time', () =>
  withGateway(voiceHttp, exampleOf('voice-http', 'text', gateway.url), async ({ send }) => {
    const spoken = async (code: string): Promise<string | null> => {
      assert.equal((await send({ ...call, code })).kind, 'accepted');
      return new URLSearchParams(asked().body).get('msg');
    };
    assert.equal(await spoken('482913'), 'Your code is: 4, 8, 2, 9, 1, 3. Again: 4, 8, 2, 9, 1, 3.');
    assert.equal(await spoken('AB-1 2'), 'Your code is: A, B, 1, 2. Again: A, B, 1, 2.');
    const fields = new URLSearchParams(asked().body);
    assert.deepEqual([fields.get('to'), fields.get('lang')], ['6591230001', 'zh-CN']);
  }));

test('a busy line is unreachable, an answered call is no result yet', () =>
  withGateway(voiceHttp, exampleOf('voice-http', 'json', gateway.url), async ({ send, ports }) => {
    for (const state of ['BUSY', 'ANSWERED', 'MACHINE']) {
      gateway.willReport('+6591230001', { state });
      await send(call);
      await gateway.report(ports.hookUrl());
    }
    assert.deepEqual(
      ports.receipts.map(({ outcome }) => (outcome.kind === 'delivered' ? 'delivered' : outcome.errorCode)),
      [5012, 5012],
    );
  }));
