import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createLog } from '../../platform/log.ts';
import { openTestPorts, type TestPorts } from '../../testing/upstream-ports.ts';
import type { HookAnswer, Ports, Receipt, Upstream } from '../contract.ts';
import {
  type Accepted,
  changeOf,
  type GraphEmulator,
  metaJson,
  openGraphEmulator,
  postHook,
  secrets,
  signatureOf,
  statusOf,
  webhookOf,
} from './fixture.ts';
import { whatsappCloud } from './whatsapp-cloud.ts';

const message = (wamid: string, changes: Partial<Accepted> = {}): Accepted => ({
  wamid,
  to: '12015553931',
  reference: '2072832692843446272-1-0-k3',
  name: 'otp_copy_code_5min',
  language: 'en',
  code: '482913',
  ...changes,
});

describe('webhook of the WhatsApp Cloud API', () => {
  let meta: GraphEmulator;
  let ports: TestPorts;
  let upstream: Upstream;
  const logged: string[] = [];
  let take: Ports['onReceipt'];
  const taken: Receipt[] = [];

  before(async () => {
    const log = createLog('trace', { write: (line: string) => void logged.push(line) });
    ports = await openTestPorts(log, async (receipt) => {
      taken.push(receipt);
      return take(receipt);
    });
    meta = await openGraphEmulator();
    upstream = await whatsappCloud.open(meta.settings, ports);
    ports.serve(upstream);
  });
  beforeEach(() => {
    taken.length = 0;
    ports.uplinks.length = 0;
    logged.length = 0;
    take = async () => true;
  });
  after(async () => {
    await upstream.close();
    await meta.close();
    await ports.close();
  });

  const post = (what: object | string, signature?: string | null): Promise<number> =>
    postHook(ports.hookUrl(), what, signature);
  const delivered = (wamid: string, reference?: string): Receipt => ({
    upstreamId: wamid,
    ...(reference !== undefined && { reference }),
    outcome: { kind: 'delivered' },
  });
  const reference = '2072832692843446272-1-0-k3';

  describe('handshake', () => {
    const shake = async (query: Record<string, string>): Promise<Response> =>
      fetch(`${ports.hookUrl()}?${new URLSearchParams(query)}`);
    const good = { 'hub.mode': 'subscribe', 'hub.verify_token': secrets.verify_token, 'hub.challenge': '1158201444' };

    test('the right token gets its challenge back as plain text', async () => {
      const response = await shake(good);
      assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'text/plain']);
      assert.equal(await response.text(), '1158201444');
    });

    test('a wrong or missing token, another mode or no challenge gets 403', async () => {
      const { 'hub.verify_token': _, ...withoutToken } = good;
      const { 'hub.challenge': __, ...withoutChallenge } = good;
      const wrong = [{ ...good, 'hub.verify_token': 'guess' }, { ...good, 'hub.mode': 'unsubscribe' }, {}];
      for (const query of [...wrong, withoutToken, withoutChallenge]) {
        const response = await shake(query as Record<string, string>);
        assert.equal(response.status, 403);
        await response.body?.cancel();
      }
    });
  });

  describe('signature', () => {
    const body = metaJson(webhookOf({ statuses: [statusOf(message('wamid.S'), 'delivered')] }));

    test('the current and the previous secret are taken', async () => {
      assert.equal(await post(body), 200);
      assert.equal(await post(body, signatureOf(body, secrets.app_secret_previous)), 200);
      assert.equal(taken.length, 2);
    });

    test('a forged, missing or foreign signature is 401 without effect, also over garbage', async () => {
      const good = signatureOf(body, secrets.app_secret);
      const forged = [null, '', 'sha256=00', good.replace(/.$/, '!'), signatureOf(body, 'guess'), good.slice(7)];
      for (const signature of forged) assert.equal(await post(body, signature), 401);
      assert.equal(await post(body.replace('wamid.S', 'wamid.T'), good), 401);
      assert.equal(await post('{', good), 401);
      assert.deepEqual(taken, []);
    });

    test('characters beyond ASCII, which Meta escapes, do not break it', async () => {
      assert.match(body, /\\u017d/);
      assert.equal(await post(body), 200);
    });

    test('an account without a previous secret does not take the empty one', async () => {
      const { app_secret_previous: _, ...rest } = meta.settings;
      const other = await whatsappCloud.open(rest, ports);
      const answer = await other.hook?.({
        method: 'POST',
        path: '',
        url: ports.hookUrl(),
        query: new URLSearchParams(),
        headers: { 'x-hub-signature-256': signatureOf(body, secrets.app_secret_previous) },
        body: Buffer.from(body),
      });
      assert.equal(answer?.status, 401);
      await other.close();
    });
  });

  describe('statuses', () => {
    test('what was delivered or read is delivered, under id and reference; sent and new words say nothing', async () => {
      const statuses = ['sent', 'delivered', 'read', 'played', 'warning'].map((step) =>
        statusOf(message(`wamid.${step}`), step),
      );
      assert.equal(await post(webhookOf({ statuses })), 200);
      assert.deepEqual(taken, [delivered('wamid.delivered', reference), delivered('wamid.read', reference)]);
    });

    test('read without delivered, twice and before sent, is the same receipt each time', async () => {
      for (const step of ['read', 'read', 'sent', 'delivered'])
        assert.equal(await post(webhookOf({ statuses: [statusOf(message('wamid.R'), step)] })), 200);
      assert.deepEqual(taken, Array(3).fill(delivered('wamid.R', reference)));
    });

    test('failed is undelivered with the reason of its code', async () => {
      const steps: [code: number, reason: string, errorCode: number][] = [
        [131026, 'not_on_channel', 5020],
        [131049, 'carrier_filtered', 5015],
        [131042, 'funds', 5016],
        [987_654, 'upstream_error', 5016],
      ];
      const statuses = steps.map(([failed]) => statusOf(message(`wamid.${failed}`), { failed }));
      assert.equal(await post(webhookOf({ statuses })), 200);
      assert.deepEqual(
        taken.map(({ outcome }) => outcome.kind === 'undelivered' && [outcome.reason, outcome.errorCode]),
        steps.map(([, ...rest]) => rest),
      );
      assert.equal(logged.filter((line) => line.includes('unmapped code')).length, 1);
    });

    test('failed without an error, or with one of an unknown form, is undelivered all the same', async () => {
      const bare = { ...statusOf(message('wamid.F'), { failed: 1 }), errors: undefined };
      const odd = { ...statusOf(message('wamid.G'), { failed: 1 }), errors: ['odd'] };
      assert.equal(await post(webhookOf({ statuses: [bare, odd] })), 200);
      assert.deepEqual(
        taken.map(({ outcome }) => outcome.kind === 'undelivered' && outcome.reason),
        ['upstream_error', 'upstream_error'],
      );
    });

    test('batches are read on all three levels, whole', async () => {
      const entry = (from: number): unknown => {
        const value = (start: number): object =>
          webhookOf({ statuses: [start, start + 1].map((n) => statusOf(message(`wamid.${n}`), 'delivered')) });
        const changes = [from, from + 2].flatMap((n) => (value(n) as { entry: { changes: object[] }[] }).entry);
        return { id: meta.settings.waba_id, changes: changes.flatMap((one) => one.changes) };
      };
      assert.equal(await post({ object: 'whatsapp_business_account', entry: [entry(0), entry(4)] }), 200);
      assert.deepEqual(
        taken.map(({ upstreamId }) => upstreamId),
        [0, 1, 2, 3, 4, 5, 6, 7].map((n) => `wamid.${n}`),
      );
    });

    test('a batch of 1,000 is taken whole', async () => {
      const statuses = Array.from({ length: 1_000 }, (_, n) => statusOf(message(`wamid.${n}`), 'delivered'));
      assert.equal(await post(webhookOf({ statuses })), 200);
      assert.equal(new Set(taken.map(({ upstreamId }) => upstreamId)).size, 1_000);
    });

    test('one that is not known yet gets 503 for the batch; the others are taken', async () => {
      take = async ({ upstreamId }) => upstreamId !== 'wamid.1';
      const statuses = [0, 1, 2].map((n) => statusOf(message(`wamid.${n}`), 'delivered'));
      assert.equal(await post(webhookOf({ statuses })), 503);
      assert.equal(taken.length, 3);
      take = async () => true;
      assert.equal(await post(webhookOf({ statuses })), 200);
    });

    test('an error of the port is passed on after all have ended, so that Meta repeats', async () => {
      take = async ({ upstreamId }) => {
        if (upstreamId === 'wamid.0') throw new Error('the ledger is away');
        return true;
      };
      const statuses = [0, 1, 2].map((n) => statusOf(message(`wamid.${n}`), 'delivered'));
      assert.equal(await post(webhookOf({ statuses })), 503);
      assert.equal(taken.length, 3);
    });

    test('a status without a reference goes by its id; one with the reference of another program is not ours', async () => {
      take = async () => false;
      const without = message('wamid.W', { reference: undefined });
      const foreign = message('wamid.X', { reference: 'campaign:summer' });
      assert.equal(await post(webhookOf({ statuses: [statusOf(foreign, 'read')] })), 200);
      assert.deepEqual(taken, []);
      assert.equal(await post(webhookOf({ statuses: [statusOf(without, 'read')] })), 503);
      assert.deepEqual(taken, [delivered('wamid.W')]);
    });

    test('what another number of the account sent or got is ignored', async () => {
      const statuses = [statusOf(message('wamid.O'), 'delivered')];
      const messages = [{ from: '420601123456', id: 'wamid.P', type: 'text', text: { body: 'hello' } }];
      assert.equal(await post(webhookOf({ statuses, messages }, '999999999999999')), 200);
      assert.deepEqual([taken, ports.uplinks], [[], []]);
    });

    test('a hand-over, then its late, doubled and disordered reports: each arrives as the same receipt', async () => {
      meta.approve(['en']);
      meta.plan('+12015553931', ['read', 'sent', 'delivered'], 2);
      const outcome = await upstream.send(
        {
          applicationId: '42',
          messageId: '2072832692843446272',
          step: 1,
          attempt: 1,
          reference,
          channel: 'whatsapp',
          to: '+12015553931',
          content: { text: '', language: 'en' },
          code: '482913',
          expiresAtMs: Date.now() + 300_000,
        },
        AbortSignal.timeout(5_000),
      );
      assert.ok(outcome.kind === 'accepted');
      for (let round = 0; round < 3; round++) assert.equal(await meta.report(ports.hookUrl()), 200);
      assert.deepEqual(taken, Array(4).fill(delivered(outcome.upstreamId, reference)));
    });
  });

  describe('messages of people', () => {
    test('texts and pressed buttons arrive with both numbers in international form', async () => {
      const messages = [
        { from: '420601123456', id: 'wamid.A', timestamp: '1', type: 'text', text: { body: 'Žádný kód 🙂' } },
        { from: '420601123456', id: 'wamid.B', type: 'button', button: { text: 'Stop', payload: 'stop' } },
        { from: '420601123456', id: 'wamid.C', type: 'image', image: { id: '1' } },
        { from: 'someone', id: 'wamid.D', type: 'text', text: { body: 'without a number' } },
        { id: 'wamid.E', type: 'text', text: { body: 'without a sender' } },
        { from: '420601123456', id: 'wamid.F', type: 'text' },
      ];
      assert.equal(await post(webhookOf({ messages })), 200);
      const numbers = { from: '+420601123456', to: '+15550783881' };
      assert.deepEqual(ports.uplinks, [
        { upstreamId: 'wamid.A', ...numbers, body: 'Žádný kód 🙂' },
        { upstreamId: 'wamid.B', ...numbers, body: 'Stop' },
      ]);
      assert.doesNotMatch(logged.join(''), /420601123456|kód/);
    });

    test('receipts and messages in one batch are both taken', async () => {
      const messages = [{ from: '420601123456', id: 'wamid.Z', type: 'text', text: { body: 'hi' } }];
      assert.equal(await post(webhookOf({ messages, statuses: [statusOf(message('wamid.Y'), 'read')] })), 200);
      assert.deepEqual([taken.length, ports.uplinks.length], [1, 1]);
    });
  });

  describe('other reports', () => {
    const update = (event: string): object => ({
      event,
      message_template_id: 1689556908129832,
      message_template_name: 'otp_copy_code_5min',
      message_template_language: 'en',
      reason: 'NONE',
    });

    test('a change of a template is told to the operator and has no effect', async () => {
      assert.equal(await post(changeOf('message_template_status_update', update('PAUSED'))), 200);
      assert.equal(await post(changeOf('message_template_status_update', update('APPROVED'))), 200);
      const lines = logged.map((line) => JSON.parse(line) as Record<string, unknown>);
      assert.deepEqual(
        lines.map(({ level, template, event }) => [level, template, event]),
        [
          [40, 'otp_copy_code_5min', 'PAUSED'],
          [30, 'otp_copy_code_5min', 'APPROVED'],
        ],
      );
      assert.deepEqual([taken, ports.uplinks], [[], []]);
    });

    test('a template of another account is no news', async () => {
      const [entry] = (changeOf('message_template_status_update', update('PAUSED')) as { entry: object[] }).entry;
      assert.equal(await post({ object: 'whatsapp_business_account', entry: [{ ...entry, id: '1' }] }), 200);
      assert.deepEqual(logged, []);
    });

    test('fields and objects that are not ours are taken without effect', async () => {
      assert.equal(await post(changeOf('account_update', { event: 'VERIFIED_ACCOUNT' })), 200);
      assert.equal(await post({ object: 'page', entry: [] }), 200);
      assert.equal(await post({ object: 'whatsapp_business_account', entry: [] }), 200);
      assert.deepEqual([taken, ports.uplinks, logged], [[], [], []]);
    });

    test('signed garbage is 400 and never a throw', async () => {
      const garbage = ['', '{', 'null', '[]', '"text"', '42', '{}', '{"object":1,"entry":[]}', '{"object":"page"}'];
      for (const body of [...garbage, '{"object":"whatsapp_business_account","entry":{}}'])
        assert.equal(await post(body), 400, body);
    });

    test('an item of an unknown form costs only itself', async () => {
      const good = statusOf(message('wamid.good'), 'delivered');
      const odd = [null, 7, 'text', [], {}, { id: '', status: 'read' }, { id: 5, status: 'read' }, { id: 'wamid.x' }];
      const value = { ...odd, statuses: [...odd, good], messages: { not: 'a list' } } as never;
      assert.equal(await post(webhookOf(value)), 200);
      const webhook = webhookOf({ statuses: [good] }) as { entry: { changes: unknown[] }[] };
      webhook.entry[0]?.changes.unshift(null, {}, { field: 'messages' }, { field: 'messages', value: {} });
      webhook.entry.unshift(null as never, {} as never);
      assert.equal(await post(webhook), 200);
      assert.deepEqual(taken, Array(2).fill(delivered('wamid.good', reference)));
    });
  });

  test('a closed upstream takes nothing and asks for a repetition', async () => {
    const other = await whatsappCloud.open(meta.settings, ports);
    await other.close();
    const body = metaJson(webhookOf({ statuses: [statusOf(message('wamid.L'), 'delivered')] }));
    const answer: HookAnswer | undefined = await other.hook?.({
      method: 'POST',
      path: '',
      url: ports.hookUrl(),
      query: new URLSearchParams(),
      headers: { 'x-hub-signature-256': signatureOf(body, secrets.app_secret) },
      body: Buffer.from(body),
    });
    assert.equal(answer?.status, 503);
    assert.deepEqual(taken, []);
  });
});
