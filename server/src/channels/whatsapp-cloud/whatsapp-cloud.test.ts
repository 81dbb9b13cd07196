import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createLog } from '../../platform/log.ts';
import { openTestPorts, type TestPorts } from '../../testing/upstream-ports.ts';
import type { OutgoingMessage, Upstream } from '../contract.ts';
import type { SendOutcome } from '../outcome.ts';
import { type GraphEmulator, openGraphEmulator } from './fixture.ts';
import type { Settings } from './settings.ts';
import { whatsappCloud } from './whatsapp-cloud.ts';

const inTime = (): AbortSignal => AbortSignal.timeout(5_000);

const outgoing = (changes: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
  applicationId: '42',
  messageId: '2072832692843446272',
  step: 1,
  attempt: 1,
  reference: '2072832692843446272-1-0',
  channel: 'whatsapp',
  to: '+12015553931',
  content: { text: 'unused', language: 'en', whatsapp: { security: true, expireMinutes: 5 } },
  code: '482913',
  expiresAtMs: Date.now() + 300_000,
  ...changes,
});

describe('sending through the WhatsApp Cloud API', () => {
  let meta: GraphEmulator;
  let ports: TestPorts;
  let upstream: Upstream;
  const logged: string[] = [];

  const open = async (changes: Partial<Settings> = {}): Promise<Upstream> =>
    whatsappCloud.open({ ...meta.settings, ...changes }, ports);
  const send = (changes: Partial<OutgoingMessage>): Promise<SendOutcome> => upstream.send(outgoing(changes), inTime());

  before(async () => {
    ports = await openTestPorts(createLog('trace', { write: (line: string) => void logged.push(line) }));
    meta = await openGraphEmulator();
    meta.approve(['en', 'zh_HK', 'ja']);
    upstream = await open();
  });
  after(async () => {
    await upstream.close();
    await meta.close();
    await ports.close();
  });

  test('a code goes out as the template of its class, to digits, with our reference, and has the id Meta gave', async () => {
    const outcome = await send({});
    const taken = meta.accepted.at(-1);
    assert.deepEqual(outcome, { kind: 'accepted', upstreamId: taken?.wamid });
    assert.deepEqual(
      { ...taken, wamid: '' },
      {
        wamid: '',
        to: '12015553931',
        reference: '2072832692843446272-1-0',
        name: 'otp_copy_code_5min_expiry_security',
        language: 'en',
        code: '482913',
      },
    );
    assert.equal(meta.requests.at(-1), 'POST /v24.0/106540352242922/messages');
  });

  test('the language of the text is used where the template has it', async () => {
    const content = { text: '', language: 'zh_HK', whatsapp: { security: false, expireMinutes: null } };
    assert.equal((await send({ content })).kind, 'accepted');
    assert.deepEqual([meta.accepted.at(-1)?.name, meta.accepted.at(-1)?.language], ['otp_copy_code_5min', 'zh_HK']);
  });

  test('a template without that translation goes out in the default language, in the same hand-over', async () => {
    const requests = meta.requests.length;
    assert.equal((await send({ content: { text: '', language: 'th' } })).kind, 'accepted');
    assert.equal(meta.accepted.at(-1)?.language, 'en');
    assert.equal(meta.requests.length, requests + 2);
  });

  test('a template that does not exist at all is refused for good, naming it and the remedy', async () => {
    const other = await open({ template_prefix: 'never_made' });
    const outcome = await other.send(outgoing({ content: { text: '', language: 'th' } }), inTime());
    assert.ok(outcome.kind === 'refused' && !outcome.temporary && outcome.reason === 'template_invalid');
    assert.match(outcome.detail, /template sync.*132001.*never_made_copy_code_5min in en$/);
    await other.close();
  });

  test('paused and disabled templates are refused for good', async () => {
    for (const [status, code] of [
      ['PAUSED', 132015],
      ['DISABLED', 132016],
    ] as const) {
      const template = meta.templates.get('otp_copy_code_1min en');
      assert.ok(template);
      template.status = status;
      const outcome = await send({ content: { text: '', language: 'en' }, expiresAtMs: Date.now() + 60_000 });
      assert.ok(outcome.kind === 'refused' && outcome.reason === 'template_invalid' && !outcome.temporary);
      assert.match(outcome.detail, new RegExp(String(code)));
    }
  });

  test('a message without a code is refused for good before anything leaves', async () => {
    const requests = meta.requests.length;
    const outcome = await send({ code: null });
    assert.ok(outcome.kind === 'refused' && !outcome.temporary && outcome.reason === 'template_invalid');
    assert.match(outcome.detail, /only authentication templates are supported/);
    assert.equal(meta.requests.length, requests);
  });

  test('a code of 15 characters goes out; a longer one is refused for good before anything leaves', async () => {
    assert.equal((await send({ code: 'ABCDE-FGHIJ-KLM' })).kind, 'accepted');
    const requests = meta.requests.length;
    const outcome = await send({ code: 'ABCDE-FGHIJ-KLMN' });
    assert.ok(outcome.kind === 'refused' && !outcome.temporary && outcome.reason === 'content_rejected');
    assert.equal(meta.requests.length, requests);
  });

  test('a number Meta does not take is a fault of the number', async () => {
    const outcome = await send({ to: '+0' });
    assert.ok(outcome.kind === 'refused' && outcome.reason === 'number_invalid' && !outcome.temporary);
  });

  test('a wrong token opens the circuit by its reason and names the remedy', async () => {
    const other = await open({ access_token: 'stale-token' });
    const outcome = await other.send(outgoing(), inTime());
    assert.ok(outcome.kind === 'refused' && outcome.reason === 'credentials' && !outcome.temporary);
    assert.match(outcome.detail, /access token/);
    await other.close();
  });

  test('refusals under any HTTP status go by the code; the same request may work later when throttled', async () => {
    meta.behave('+6591110001', { refuse: 130429, status: 429 });
    meta.behave('+6591110002', { refuse: 131000, status: 500 });
    const throttled = await send({ to: '+6591110001' });
    assert.ok(throttled.kind === 'refused' && throttled.temporary && throttled.reason === 'throttled');
    const faulty = await send({ to: '+6591110002' });
    assert.ok(faulty.kind === 'refused' && faulty.temporary && faulty.reason === 'upstream_error');
  });

  test('5xx without an error, a broken connection and a yes without an id are unknown', async () => {
    meta.behave('+6591110003', { bare: 502, body: '<html>Bad Gateway</html>' });
    meta.behave('+6591110004', 'drop');
    meta.behave('+6591110005', { bare: 200, body: '{"messages":[]}' });
    meta.behave('+6591110006', { bare: 503 });
    for (const last of [3, 4, 5, 6]) assert.equal((await send({ to: `+659111000${last}` })).kind, 'unknown');
  });

  test('an address where nobody listens is refused for now, since nothing left', async () => {
    const other = await open({ api_url: 'http://127.0.0.1:1' });
    const outcome = await other.send(outgoing(), inTime());
    assert.ok(outcome.kind === 'refused' && outcome.temporary && outcome.reason === 'upstream_error');
    await other.close();
  });

  test('a slash at the end of the address and another version are taken as meant', async () => {
    const other = await open({ api_url: `${meta.settings.api_url}/`, api_version: 'v99.0' });
    const outcome = await other.send(outgoing(), inTime());
    assert.equal(meta.requests.at(-1), 'POST /v99.0/106540352242922/messages');
    assert.ok(outcome.kind === 'refused' && outcome.temporary);
    await other.close();
  });

  test('one-tap and zero-tap messages use the templates of their button', async () => {
    for (const button of ['one_tap', 'zero_tap'] as const) {
      const supported_apps = [{ package_name: 'com.example.app', signature_hash: 'K8a/AINcGX7' }];
      const changes = { button, supported_apps, zero_tap_terms_accepted: true };
      meta.approve(['en'], changes);
      const other = await open(changes);
      assert.equal((await other.send(outgoing(), inTime())).kind, 'accepted');
      assert.equal(meta.accepted.at(-1)?.name, `otp_${button}_5min_expiry_security`);
      await other.close();
    }
  });

  test('no code, number or token was logged', () => {
    assert.doesNotMatch(logged.join(''), /482913|12015553931|ABCDE|test-token|stale-token|659111/);
    assert.match(logged.join(''), /fbtraceId/);
  });
});

describe('settings of the WhatsApp Cloud API', () => {
  const good = {
    phone_number_id: '106540352242922',
    waba_id: '102290129340398',
    access_token: 'token',
    app_secret: 'secret',
    verify_token: 'verify',
  };
  const faultsOf = (changes: object): string[] => {
    const read = whatsappCloud.settings.safeParse({ ...good, ...changes });
    return read.success ? [] : read.error.issues.map(({ path }) => path.join('.'));
  };
  const supported_apps = [{ package_name: 'com.example.app', signature_hash: 'K8a/AINcGX7' }];

  test('five values suffice', () => {
    const { api_url, button, default_language } = whatsappCloud.settings.parse(good);
    assert.deepEqual([api_url, button, default_language], ['https://graph.facebook.com', 'copy_code', 'en']);
  });

  test('one-tap needs apps; zero-tap needs apps and the accepted terms', () => {
    assert.deepEqual(faultsOf({ button: 'one_tap' }), ['supported_apps']);
    assert.deepEqual(faultsOf({ button: 'one_tap', supported_apps }), []);
    assert.deepEqual(faultsOf({ button: 'zero_tap', supported_apps }), ['zero_tap_terms_accepted']);
    assert.deepEqual(faultsOf({ button: 'zero_tap', supported_apps, zero_tap_terms_accepted: true }), []);
  });

  test('each wrong value is named', () => {
    for (const [path, value] of [
      ['phone_number_id', '+15550783881'],
      ['waba_id', ''],
      ['api_url', 'graph.facebook.com'],
      ['api_version', 'v24'],
      ['access_token', 'two words'],
      ['template_prefix', 'Otp-'],
      ['default_language', 'en-US'],
    ] as const)
      assert.deepEqual(faultsOf({ [path]: value }), [path]);
    assert.deepEqual(faultsOf({ supported_apps: [{ package_name: 'app', signature_hash: 'x' }] }), [
      'supported_apps.0.package_name',
      'supported_apps.0.signature_hash',
    ]);
  });
});
