/** The rules by which endpoints are kept: chosen events, defaults, versions, how many there may be, how one begins anew. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventNames, families } from '../events/index.ts';
import { sql } from '../platform/sql.ts';
import { onEachApp, type TestReply } from '../testing/app.ts';
import { bodyOf } from '../testing/application.ts';
import { useEndpoints } from '../testing/callback-endpoints.ts';

const url = 'https://localhost/hook';
const statuses = families.message_status;

onEachApp('a callback endpoint', (get) => {
  const another = async () => useEndpoints(get(), (await get().makeApplication()).id);

  async function refused(ask: () => Promise<TestReply>, status: number, message: string): Promise<void> {
    const reply = await get().expectNothingHappened(ask);
    assert.deepEqual([reply.status, reply.body.code, reply.body.message], [status, 3002, message]);
  }

  test('events are chosen by name or by family, and shown by name, each once and in one order', async () => {
    const { make, change } = await another();
    const chosen: [given: string[], kept: readonly string[]][] = [
      [
        ['verified', 'sent', 'sent'],
        ['sent', 'verified'],
      ],
      [['message_status'], statuses],
      [
        ['uplink_message', 'message_status', 'plan'],
        [...statuses, 'uplink_message'],
      ],
      [['response'], ['uplink_message']],
      [['system_event'], ['account_login', 'key_manage', 'template_manage', 'api_call', 'msg_history']],
      [['api_call'], ['api_call']],
      [['message_status', 'notification', 'response', 'system_event'], eventNames],
    ];
    const { id } = await make({ url });
    for (const [given, kept] of chosen) {
      assert.deepEqual(bodyOf(await change(id, { events: given })).events, kept);
      assert.deepEqual((await make({ url, events: given })).events, kept);
    }
    assert.deepEqual(bodyOf(await change(id, { description: 'kept' })).events, eventNames);
  });

  test('an endpoint gets what it chose, from then on, while it is enabled', async () => {
    const { makeApplication, call } = get();
    const { id: application, credential } = await makeApplication({ policy: { template_review: 'auto' } });
    const { make, change, deliveries } = useEndpoints(get(), application);
    const chosen = await make({ url, events: ['template_audit_result'] });
    const off = await make({ url, enabled: false });
    let count = 0;
    const saveTemplate = async (): Promise<void> => {
      const sms_config = {
        template_type: 2,
        template_custom_config: { custom_sub_type: 'utility', custom_content: 'Hi' },
      };
      const body = { template_id: `note_${++count}`, send_channel_strategy: 'sms', sms_config };
      bodyOf(await call({ path: '/v1/template-configs', body, credential }));
    };
    const eventsOf = async ({ id }: { id: string }): Promise<string[]> =>
      bodyOf(await deliveries(id)).deliveries.map(({ event }: { event: string }) => event);
    await saveTemplate();
    assert.deepEqual([await eventsOf(chosen), await eventsOf(off)], [['template_audit_result'], []]);
    bodyOf(await change(off.id, { enabled: true, events: ['template_manage'] }));
    await saveTemplate();
    assert.deepEqual((await eventsOf(chosen)).length, 2);
    assert.deepEqual(await eventsOf(off), ['template_manage']);
  });

  test('with the format standard more time is given, unless told otherwise', async () => {
    const { make, change } = await another();
    assert.equal((await make({ url, format: 'standard' })).timeout_ms, 15_000);
    assert.equal((await make({ url, format: 'standard', timeout_ms: 2000 })).timeout_ms, 2000);
    const vendor = await make({ url, batch_rows: 100 });
    await refused(
      () => change(vendor.id, { format: 'standard' }),
      400,
      'batch_rows: must be 1 with the format standard',
    );
  });

  test('a change that names a version is refused where the endpoint has another', async () => {
    const { make, change } = await another();
    const { id } = await make({ url });
    assert.equal(bodyOf(await change(id, { description: 'second', version: 1 })).version, 2);
    await refused(() => change(id, { description: 'third', version: 1 }), 409, 'version: is 2 by now');
  });

  test('changes at once all count, each in its turn', async () => {
    const { ask, make, change } = await another();
    const { id } = await make({ url });
    await Promise.all([
      change(id, { description: 'changed' }),
      change(id, { concurrency: 3 }),
      change(id, { timeout_ms: 3000 }),
    ]);
    const { description, concurrency, timeout_ms, version } = bodyOf(await ask(`/${id}`));
    assert.deepEqual([description, concurrency, timeout_ms, version], ['changed', 3, 3000, 4]);
  });

  test('an application has at most 20 endpoints, also when many are made at once', async () => {
    const { ask } = await another();
    const replies = await Promise.all(Array.from({ length: 25 }, () => ask('', { method: 'POST', body: { url } })));
    const statusOf = (status: number): TestReply[] => replies.filter((reply) => reply.status === status);
    assert.deepEqual([statusOf(200).length, statusOf(409).length], [20, 5]);
    const message = 'application_id: has 20 callback endpoints, and may have no more';
    assert.equal(statusOf(409)[0]?.body.message, message);
  });

  test('one that the platform switched off begins without a past when it is enabled, or has another address', async () => {
    const { ask, make, change } = await another();
    const { id } = await make({ url });
    const fail = (enabled: boolean) =>
      get().database.db.query(sql`update callback_endpoints set enabled = ${enabled}, failing_since = clock_now(),
        disabled_because = case when ${enabled}::boolean then null else 'failing' end where id = ${id}`);
    const past = async () => {
      const { enabled, disabled_because, failing_since } = bodyOf(await ask(`/${id}`));
      return [enabled, disabled_because, failing_since !== null];
    };
    await fail(false);
    bodyOf(await change(id, { description: 'still off' }));
    assert.deepEqual(await past(), [false, 'failing', true]);
    bodyOf(await change(id, { enabled: true }));
    assert.deepEqual(await past(), [true, null, false]);
    await fail(true);
    bodyOf(await change(id, { enabled: true, url }));
    assert.deepEqual(await past(), [true, null, true], 'it was on');
    bodyOf(await change(id, { url: 'https://localhost/other' }));
    assert.deepEqual(await past(), [true, null, false]);
  });
});
