import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { z } from 'zod';
import { ApiError } from '../errors.ts';
import { type Application, policySchema } from '../policy.ts';
import { onEachEngine } from '../testing/database.ts';
import type { Webhooks } from './deeds.ts';
import { type Fixture, never, newApplication, noWebhooks, openSandbox, outgoing } from './fixture.ts';

type Kind = Pick<Application, 'network' | 'sandbox'>;
const kinds = {
  publicSandbox: { network: 'virtual', sandbox: 'public' },
  keySandbox: { network: 'virtual', sandbox: 'key' },
  virtual: { network: 'virtual', sandbox: 'none' },
  live: { network: 'live', sandbox: 'none' },
} as const satisfies Record<string, Kind>;

interface Request {
  params?: unknown;
  query?: unknown;
  body?: unknown;
}

onEachEngine('the sandbox operations', (get) => {
  async function within(work: (fixture: Fixture) => Promise<void>, webhooks = noWebhooks): Promise<void> {
    const fixture = await openSandbox(get(), { webhooks });
    try {
      await work(fixture);
    } finally {
      await fixture.close();
    }
  }

  /** Through the schemas, as the front door would: the answer has passed the output schema. */
  async function call(
    { sandbox }: Fixture,
    id: string,
    kind: Kind,
    request: Request,
    applicationId: string,
  ): Promise<unknown> {
    const operation = sandbox.operations.find(({ spec }) => spec.id === id);
    assert.ok(operation, id);
    const { input, output } = operation.spec;
    const read = (schema: z.ZodType | undefined, value: unknown) => schema?.parse(value ?? {});
    const application = {
      id: applicationId,
      organizationId: '1',
      name: 'Acme',
      policy: policySchema.parse({}),
      ...kind,
    };
    const answer = await operation.handle({
      params: read(input.params, request.params),
      query: read(input.query, request.query),
      body: read(input.body, request.body),
      requestId: 'req_1',
      ip: '198.51.100.1',
      signal: never(),
      header: () => undefined,
      idempotency: null,
      caller: { keyId: '1', devKey: 'dk', permissions: new Set(), application, agent: null, limits: [] },
    });
    return output.parse(answer);
  }
  const refusedWith = (code: number) => (error: unknown) => error instanceof ApiError && error.code === code;

  test('handsets answer sandbox credentials and applications on the virtual network, nobody else', () =>
    within(async (fixture) => {
      for (const kind of [kinds.publicSandbox, kinds.keySandbox, kinds.virtual]) {
        const applicationId = newApplication();
        await fixture.upstream.send(outgoing({ applicationId }), never());
        // The plus sign as many clients send it: as a space.
        const answer = await call(
          fixture,
          'listSandboxMessages',
          kind,
          { query: { to: ' 6591234567' } },
          applicationId,
        );
        assert.equal((answer as { messages: unknown[] }).messages.length, 1);
      }
      const refused = call(fixture, 'listSandboxMessages', kinds.live, { query: { to: '+6591234567' } }, '1');
      await assert.rejects(refused, refusedWith(2004));
    }));

  test('a query outside its ranges, or without a recipient, is invalid', () =>
    within(async ({ sandbox }) => {
      const schema = sandbox.operations.find(({ spec }) => spec.id === 'listSandboxMessages')?.spec.input.query;
      const to = '+6591234567';
      for (const bad of [
        {},
        { to, wait: '31' },
        { to, wait: '-1' },
        { to, wait: 'x' },
        { to, after: 'x' },
        { to, limit: '0' },
        { to, limit: '101' },
      ])
        assert.equal(schema?.safeParse(bad).success, false, JSON.stringify(bad));
      assert.deepEqual(schema?.parse({ to, wait: '30', limit: '100', after: '12' }), {
        to,
        wait: 30,
        limit: 100,
        after: '12',
      });
    }));

  test('only sandbox credentials set a webhook, and null removes it', () => {
    const asked: unknown[] = [];
    const webhooks: Webhooks = {
      async set(...given) {
        asked.push(given);
        return { signingSecret: 'whsec_new', reachable: false };
      },
      async remove(...given) {
        asked.push(given);
      },
    };
    return within(async (fixture) => {
      const set = (kind: Kind, body: object) => call(fixture, 'setSandboxWebhook', kind, { body }, '1');
      const url = 'https://hooks.example.com/';
      for (const kind of [kinds.virtual, kinds.live]) await assert.rejects(set(kind, { url }), refusedWith(2004));
      assert.deepEqual(asked, []);
      const success = { code: 0, message: 'success' };
      const answer = { ...success, reachable: false, signing_secret: 'whsec_new' };
      assert.deepEqual(await set(kinds.keySandbox, { url, authorization: 'Bearer t' }), answer);
      assert.deepEqual(await set(kinds.publicSandbox, { url: null }), success);
      const usual = { username: 'sandbox_demo', secret: 'sandbox_webhook_secret' };
      assert.deepEqual(asked, [['1', { url, ...usual, authorization: 'Bearer t' }], ['1']]);
    }, webhooks);
  });

  test('a script is set, shown with its defaults, replaced and removed', () =>
    within(async (fixture) => {
      const applicationId = newApplication();
      const params = { to: '+65 9123-4567' };
      const ask = (id: string, body?: unknown) => call(fixture, id, kinds.virtual, { params, body }, applicationId);
      const refuse = {
        hand_over: 'refuse',
        error_code: 5018,
        lost: false,
        arrive_after_ms: 0,
        receipt: 'none',
        receipt_error_code: 5012,
        receipt_after_ms: 1_000,
        receipt_times: 1,
        receipt_before_answer: false,
      };
      const set = await ask('setSandboxRecipient', {
        channels: { sms: { hand_over: 'refuse', error_code: 5018 }, voice: {} },
      });
      const voice = { ...refuse, hand_over: 'accept', error_code: 5012, receipt: 'delivered' };
      assert.deepEqual(set, { to: '+6591234567', channels: { sms: refuse, voice } });
      assert.deepEqual(await ask('getSandboxRecipient'), set);
      await ask('setSandboxRecipient', { channels: { email: { lost: true } } });
      const shown = (await ask('getSandboxRecipient')) as { channels: object };
      assert.deepEqual(shown.channels, { email: { ...voice, lost: true, receipt: 'none' } });
      await ask('deleteSandboxRecipient');
      assert.deepEqual(await ask('getSandboxRecipient'), { to: '+6591234567', channels: {} });
      await ask('deleteSandboxRecipient');
    }));

  test('nobody scripts a magic recipient, a live application or the public sandbox', () =>
    within(async (fixture) => {
      const body = { channels: { sms: { lost: true } } };
      const set = (kind: Kind, to: string) => call(fixture, 'setSandboxRecipient', kind, { params: { to }, body }, '1');
      await assert.rejects(set(kinds.virtual, '+10000000000'), refusedWith(3002));
      await assert.rejects(set(kinds.virtual, 'sandbox@example.com'), refusedWith(3002));
      await assert.rejects(set(kinds.virtual, 'not-a-number'), refusedWith(5011));
      for (const to of ['a@b', 'a\0@example.com', 'a b@example.com', '@example.com', 'a@exa\0mple.com'])
        await assert.rejects(set(kinds.virtual, to), refusedWith(3002), to);
      for (const kind of [kinds.live, kinds.publicSandbox])
        await assert.rejects(set(kind, '+6591234567'), refusedWith(2004));
    }));

  test('a script that makes no sense is invalid', () =>
    within(async ({ sandbox }) => {
      const schema = sandbox.operations.find(({ spec }) => spec.id === 'setSandboxRecipient')?.spec.input.body;
      const bad = [
        {},
        { channels: {} },
        { channels: { fax: {} } },
        { channels: { sms: { hand_over: 'perhaps' } } },
        { channels: { sms: { hand_over: 'refuse', receipt: 'delivered' } } },
        { channels: { sms: { error_code: 2001 } } },
        { channels: { sms: { arrive_after_ms: -1 } } },
        { channels: { sms: { receipt_after_ms: 86_400_001 } } },
        { channels: { sms: { receipt_times: 6 } } },
      ];
      for (const body of bad) assert.equal(schema?.safeParse(body).success, false, JSON.stringify(body));
    }));
});
