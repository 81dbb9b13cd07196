/** What people write back, through the whole app: who is told, who is not written to any more, and what a repeat changes. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { publicSandboxApplicationId } from '../accounts/index.ts';
import { listEvents } from '../events/index.ts';
import { messageIdOf } from '../platform/ids.ts';
import { createKeyring } from '../platform/seal.ts';
import { sql } from '../platform/sql.ts';
import { onEachApp } from '../testing/app.ts';
import {
  assertRefused,
  bodyOf,
  newNumber,
  openApplication,
  type TestApplication,
  useApplication,
} from '../testing/application.ts';
import { newUpstreamId, openUplinks, sender, virtual } from './fixture.ts';
import type { Uplinks } from './index.ts';

const hourMs = 3_600_000;

onEachApp('what people write back', (get) => {
  let app: TestApplication;
  let other: TestApplication;
  let uplinks: Uplinks;
  const lines: string[] = [];
  before(async () => {
    const note = {
      template_id: 'note',
      verify_code_config: undefined,
      sms_config: {
        template_type: 2,
        template_custom_config: { custom_sub_type: 'utility', custom_content: 'Ready' },
      },
    };
    const reuse = { template_id: 'reuse', resend: { mode: 'reuse', resend_after: 0 } };
    const chain = { ...reuse, template_id: 'chain', send_channel_strategy: 'sms|email' };
    const mailFirst = { ...reuse, template_id: 'mail-first', send_channel_strategy: 'email|sms' };
    app = await openApplication(get(), { templates: [{}, note, reuse, chain, mailFirst] });
    other = await openApplication(get());
    uplinks = openUplinks(get(), lines);
  });

  async function write(from: string, body: string, upstreamId = newUpstreamId(), provider = virtual): Promise<string> {
    await uplinks.take(provider, { upstreamId, from, to: sender, body });
    return upstreamId;
  }

  /** What an application is told, by message. */
  async function told({ id }: TestApplication, messageId = '0') {
    const events = await listEvents(get().database.db, id, messageId);
    return events.filter(({ cause }) => cause === 'uplink').map(({ status, data }) => ({ status, ...data }));
  }

  interface KeptUplink {
    application_id: string | null;
    from_address: string;
    to_address: string;
    body: Buffer;
  }
  const keptUplinks = (upstreamId: string): Promise<KeptUplink[]> =>
    get().database.db.query<KeptUplink>(
      sql`select application_id, from_address, to_address, body from uplinks where upstream_id = ${upstreamId}`,
    );

  const refuses = async (to: string, more: Record<string, unknown> = {}): Promise<void> => {
    const reply = await get().expectNothingHappened(() => app.send(to, more));
    assert.deepEqual([reply.status, reply.body.code, reply.body.message], [400, 5019, 'Unsubscribed']);
  };

  test('an answer is told to the application that wrote last, with its message, and kept sealed', async () => {
    const to = newNumber();
    bodyOf(await other.send(to));
    const { messageId } = await app.sendCode(to);
    const id = await write(to, 'Who is this? 🙂');
    const data = { message_sid: id, account_sid: virtual, from: to, to: sender, body: 'Who is this? 🙂' };
    assert.deepEqual(await told(app, messageId), [{ status: 'uplink_message', ...data }]);
    const [kept, ...more] = await keptUplinks(id);
    assert.deepEqual([kept?.application_id, kept?.from_address, kept?.to_address, more], [app.id, to, sender, []]);
    assert.ok(kept && !kept.body.includes('Who'));
    const keyring = createKeyring(Buffer.alloc(32, 7));
    assert.equal(keyring.open('uplink', kept.body, `${virtual}:${id}`), 'Who is this? 🙂');
    const { timeline } = await app.story(messageId);
    const shown = timeline.at(-1);
    assert.deepEqual([shown.event, shown.cause, shown.text], ['uplink_message', 'uplink', 'The person wrote back.']);
    assert.ok(!JSON.stringify(timeline).includes('Who is this'));
  });

  test('after STOP every kind of send answers 5019 and nothing happens, in this application alone', async () => {
    const to = newNumber();
    await app.sendCode(to);
    await write(to, ' stop\n');
    await refuses(to);
    await refuses(to, { template: { id: 'reuse' } });
    const own = await get().expectNothingHappened(() =>
      app.call({ path: '/v1/codes', body: { to, code: '4829', template: { id: 'login' } } }),
    );
    assert.equal(own.body.code, 5019);
    const custom = await get().expectNothingHappened(() =>
      app.call({ path: '/v1/custom-messages', body: { to, template: { id: 'note' } } }),
    );
    assert.equal(custom.body.code, 5019);
    bodyOf(await other.send(to));
  });

  test('START lets messages through again', async () => {
    const to = newNumber();
    bodyOf(await app.send(to, { template: { id: 'reuse' } }));
    await write(to, 'STOP');
    await refuses(to, { template: { id: 'reuse' } });
    await write(to, 'start');
    bodyOf(await app.send(to, { template: { id: 'reuse' } }));
  });

  test('of many recipients only the one who unsubscribed fails, with and without a key of repetition', async () => {
    const [stopped, free] = [newNumber(), newNumber()];
    bodyOf(await app.send(stopped));
    await write(stopped, 'QUIT');
    for (const headers of [{}, { 'idempotency-key': 'many' }] as Record<string, string>[]) {
      const body = { to: [stopped, free], template: { id: 'note' } };
      const { messages } = bodyOf(await app.call({ path: '/v1/custom-messages', body, headers }));
      assert.deepEqual(
        messages.map((one: { code?: number }) => one.code ?? 'sent'),
        [5019, 'sent'],
      );
    }
  });

  test('a chain goes by e-mail when only the phone is unsubscribed, the step skipped in the ledger alone', async () => {
    const to = newNumber();
    bodyOf(await app.send(to));
    await write(to, 'STOP');
    const more = { template: { id: 'chain' }, alternate_to: { email: 'ana@example.com' } };
    const sent = bodyOf(await app.send(to, more));
    assert.equal(sent.send_channel, 'email');
    const { steps, timeline } = await app.story(sent.message_id);
    assert.deepEqual(
      steps.map((step: { state: string }) => step.state === 'skipped'),
      [true, false],
    );
    const skipped = timeline.find((entry: { cause: string }) => entry.cause === 'step_skipped');
    assert.deepEqual([skipped.event, skipped.channel], [null, 'sms']);
    assert.equal(skipped.text, 'SMS was skipped: the person has unsubscribed.');
    const events = await listEvents(get().database.db, app.id, sent.message_id);
    assert.deepEqual(events.find(({ cause }) => cause === 'step_skipped')?.data, { reason: 'unsubscribed' });
    assert.deepEqual(await app.inbox(to).then((all) => all.filter((one) => one.message_id === sent.message_id)), []);
    await refuses(to, { template: { id: 'chain' } });
  });

  test('an e-mail address unsubscribes as well, and an address that no step uses does not matter', async () => {
    const email = 'Bea@Example.com';
    bodyOf(await app.send(email, { template: { id: 'chain' } }));
    await write('Bea@example.COM', 'Unsubscribe');
    await refuses(email, { template: { id: 'chain' } });
    const to = newNumber();
    const sent = bodyOf(await app.send(to, { template: { id: 'chain' }, alternate_to: { email } }));
    assert.equal(sent.send_channel, 'sms');
    bodyOf(await app.send(newNumber(), { alternate_to: { email } }));
  });

  test('who was written to at their other address is known by it', async () => {
    const phone = newNumber();
    const more = { template: { id: 'chain' }, alternate_to: { phone } };
    const sent = bodyOf(await app.send('cleo@example.com', more));
    await write(phone, 'STOP');
    assert.equal((await told(app, sent.message_id)).length, 1);
    await refuses(phone);
  });

  test('an opt-out is told before the rules behind it, and a fault of form before the opt-out', async () => {
    const to = newNumber();
    bodyOf(await app.send(to));
    await write(to, 'STOP');
    await app.changePolicy({ countries: { mode: 'deny', list: ['SG'] } });
    await refuses(to);
    assertRefused(await app.send(to, { ttl_seconds: 60 }), 3003, 'override_not_allowed');
    assertRefused(await app.send(newNumber()), 3003, 'country_not_enabled');
    await app.changePolicy({ countries: { mode: 'all', list: [] } });
  });

  test('a repeated uplink has no second effect, also when it comes after START or at the same moment', async () => {
    const to = newNumber();
    const { messageId } = await app.sendCode(to);
    const stop = newUpstreamId();
    await Promise.all(Array.from({ length: 8 }, () => write(to, 'STOP', stop)));
    await refuses(to);
    await write(to, 'START');
    await write(to, 'STOP', stop);
    assert.equal((await keptUplinks(stop)).length, 1);
    assert.equal((await told(app, messageId)).length, 2);
    bodyOf(await app.send(to, { template: { id: 'reuse' } }));
    await write(to, 'STOP', stop, 'another');
    bodyOf(await app.send(to, { template: { id: 'reuse' } }));
  });

  test('of sends at the moment of a STOP those accepted come before it, and none comes after', async () => {
    const to = newNumber();
    bodyOf(await app.send(to, { template: { id: 'reuse' } }));
    const sends = Array.from({ length: 8 }, () => app.send(to, { template: { id: 'reuse' } }));
    const stopped = write(to, 'STOP');
    const later = Array.from({ length: 8 }, () => app.send(to, { template: { id: 'reuse' } }));
    const replies = await Promise.all([...sends, ...later]);
    const id = await stopped;
    const { db } = get().database;
    const entries = await Promise.all(
      [...replies.flatMap(({ body }) => body.message_id ?? [])].map((messageId) => listEvents(db, app.id, messageId)),
    );
    const [uplink] = await db.query<{ position: string }>(
      sql`select position from events where application_id = ${app.id} and data->>'message_sid' = ${id}`,
    );
    for (const [first] of entries) assert.ok(first && BigInt(first.position) < BigInt(uplink?.position ?? 0));
    for (const { status, body } of replies) assert.ok(status === 200 || body.code === 5019, JSON.stringify(body));
    await refuses(to, { template: { id: 'reuse' } });
  });

  test('HELP only reports; STOP in a sentence does too', async () => {
    const to = newNumber();
    const { messageId } = await app.sendCode(to);
    await write(to, 'HELP');
    await write(to, 'please STOP');
    assert.equal((await told(app, messageId)).length, 2);
    bodyOf(await app.send(to, { template: { id: 'reuse' } }));
  });

  test('neither a resend nor the next channel goes to an address unsubscribed since', async () => {
    const phone = newNumber();
    const { messageId } = await app.sendCode(phone, { template: { id: 'reuse' } });
    const more = { alternate_to: { phone } };
    const mailFirst = bodyOf(await app.send('dan@example.com', { template: { id: 'mail-first' }, ...more })).message_id;
    const email = { alternate_to: { email: 'dora@example.com' } };
    const smsFirst = bodyOf(await app.send(phone, { template: { id: 'chain' }, ...email })).message_id;
    await get().settle();
    await write(phone, 'STOP');
    const refusals: [string, 'resend' | 'next-channel', object][] = [
      [messageId, 'resend', {}],
      [smsFirst, 'resend', { channel: 'sms' }],
      [mailFirst, 'resend', { channel: 'sms' }],
      [mailFirst, 'next-channel', {}],
    ];
    for (const [id, action, body] of refusals) {
      const reply = await get().expectNothingHappened(() => app.act(id, action, body));
      assert.deepEqual([reply.status, reply.body.code], [400, 5019], `${action} ${JSON.stringify(body)}`);
    }
    assert.equal(bodyOf(await app.act(smsFirst, 'resend')).send_channel, 'email');
    assert.equal(bodyOf(await app.act(mailFirst, 'resend')).send_channel, 'email');
    assertRefused(await app.act(smsFirst, 'resend', { channel: 'voice' }), 3003, 'channel_not_in_template');
  });

  test('a late STOP is still meant for the last application that wrote; other late answers are kept for nobody', async () => {
    const to = newNumber();
    bodyOf(await other.send(to));
    bodyOf(await app.send(to));
    await get().database.clock.travel(25 * hourMs);
    const late = await write(to, 'Hello?');
    const stop = await write(to, 'STOP');
    assert.deepEqual(
      (await told(app))
        .filter((one) => 'from' in one && one.from === to)
        .map((one) => 'message_sid' in one && one.message_sid),
      [stop],
    );
    assert.equal((await keptUplinks(late))[0]?.application_id, null);
    await refuses(to);
    bodyOf(await other.send(to));
  });

  test('an answer of somebody nobody wrote to is kept without an application; an unheard STOP is logged without the number', async () => {
    const to = newNumber();
    const id = await write(to, 'STOP');
    assert.equal((await keptUplinks(id))[0]?.application_id, null);
    bodyOf(await app.send(to));
    assert.ok(lines.some((line) => line.includes('somebody unsubscribed')));
    assert.ok(!lines.some((line) => line.includes(to)));
  });

  test('START finds the opt-out also when every message is forgotten', async () => {
    const to = newNumber();
    bodyOf(await app.send(to, { template: { id: 'reuse' } }));
    await write(to, 'STOP');
    await get().database.clock.travel(31 * 24 * hourMs);
    await get().settle();
    await get().app.retention.sweep();
    await refuses(to);
    await write(to, 'START');
    bodyOf(await app.send(to));
  });

  test('a sandbox is told nothing of what carriers bring', async () => {
    const to = newNumber();
    const sandbox = useApplication(get(), publicSandboxApplicationId, 'sandbox_demo:sandbox_secret');
    const sent = bodyOf(await sandbox.send(to, { template: { id: 'sandbox-otp-tpl' } }));
    const id = await write(to, 'STOP', newUpstreamId(), 'carrier');
    assert.equal((await keptUplinks(id))[0]?.application_id, null);
    assert.deepEqual(await told(sandbox, sent.message_id), []);
  });

  test('recipients of the public sandbox and magic ones are not asked about', async () => {
    const to = newNumber();
    const sandbox = useApplication(get(), publicSandboxApplicationId, 'sandbox_demo:sandbox_secret');
    bodyOf(await sandbox.send(to, { template: { id: 'sandbox-otp-tpl' } }));
    await write(to, 'STOP');
    bodyOf(await sandbox.send(to, { template: { id: 'sandbox-otp-tpl' } }));
    bodyOf(await app.send('+10000000000'));
    await write('+10000000000', 'STOP');
    bodyOf(await app.send('+10000000000'));
  });

  test('what no database text can hold does not stop an uplink', async () => {
    const to = newNumber();
    const { messageId } = await app.sendCode(to);
    await write(to, 'a\u0000b\ud800');
    const [last] = await told(app, messageId);
    assert.equal(last && 'body' in last && last.body, 'ab\ufffd');
    await write('not an address', 'STOP');
  });

  test('uplinks and what the ledger says of them are forgotten with the messages, opt-outs stand', async () => {
    const brief = await openApplication(get(), { policy: { retention_days: 2 } });
    const to = newNumber();
    bodyOf(await brief.send(to));
    await get().database.clock.travel(25 * hourMs);
    const id = await write(to, 'STOP');
    const nobody = await write(newNumber(), 'Hello?');
    while ((await uplinks.forget(brief.id, '1', 10)) > 0);
    const forget = (beforeMs: number) => uplinks.forget(brief.id, messageIdOf(beforeMs, 0, 0), 10);
    const { clock } = get().database;
    assert.equal((await told(brief)).length, 1);
    assert.equal(await forget(clock.now() - hourMs), 0);
    await clock.travel(3 * 24 * hourMs);
    assert.equal(await forget(clock.now() - 2 * 24 * hourMs), 1);
    await get().settle();
    await get().app.retention.sweep();
    assert.deepEqual(await told(brief), []);
    assert.deepEqual(await keptUplinks(id), []);
    assert.equal((await keptUplinks(nobody)).length, 1);
    await clock.travel(28 * 24 * hourMs);
    while ((await forget(clock.now() - 2 * 24 * hourMs)) > 0);
    assert.deepEqual(await keptUplinks(nobody), []);
    assert.equal((await brief.send(to)).body.code, 5019);
  });
});
