/** What reaches a real receiver, in which order, and what the log says of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from '../platform/sql.ts';
import { onEachEngine } from '../testing/database.ts';
import {
  attemptsOf,
  type Event,
  insertEndpoint,
  insertMessage,
  newApplication,
  openDispatcher,
  queueOf,
  tell,
} from '../testing/posts.ts';
import { type Behaviour, openReceiver, type Received } from '../testing/receiver.ts';
import { until } from '../testing/until.ts';

const statusesOf = (all: readonly Received[]): string[] =>
  all.flatMap(({ json }) => json.rows.map((row: { status: { message_status: string } }) => row.status.message_status));
const idsOf = (all: readonly Received[]): unknown[] => all.map(({ headers }) => headers['webhook-id']);

onEachEngine('posting', (get, kind) => {
  interface Scene {
    answer?: Behaviour | ((request: Received, index: number) => Behaviour);
    endpoint?: Partial<Parameters<typeof insertEndpoint>[1]>;
  }

  /** One application with one endpoint at a receiver of its own. */
  async function scene(
    { answer = 200, endpoint = {} }: Scene,
    work: (tools: Awaited<ReturnType<typeof open>>) => Promise<void>,
  ): Promise<void> {
    const tools = await open(answer, endpoint);
    try {
      await work(tools);
    } finally {
      await tools.close();
    }
  }

  async function open(answer: NonNullable<Scene['answer']>, endpoint: NonNullable<Scene['endpoint']>) {
    const { db, clock } = get();
    const receiver = await openReceiver({ answer });
    const applicationId = newApplication();
    const endpointId = await insertEndpoint(db, { applicationId, url: `${receiver.url}/hook`, ...endpoint });
    const { dispatcher, close } = openDispatcher(get());
    return {
      db,
      clock,
      receiver,
      applicationId,
      endpointId,
      dispatcher,
      run: () => dispatcher.runUntilIdle(),
      queue: () => queueOf(db, endpointId),
      attempts: () => attemptsOf(db, endpointId),
      async message(events: readonly Event[], first = 1) {
        const messageId = await insertMessage(db, applicationId);
        await tell(db, { applicationId, messageId }, events, first);
        return messageId;
      },
      tell: (messageId: string, events: readonly Event[], first = 1) =>
        tell(db, { applicationId, messageId }, events, first),
      async close() {
        await close();
        await db.query(sql`delete from callback_endpoints where id = ${endpointId}`);
        await receiver.close();
      },
    };
  }

  test('the events of a message arrive in order, each under its own id, and leave one line of the log each', () =>
    scene({}, async ({ message, run, receiver, queue, attempts }) => {
      await message(['plan', 'target_valid', 'sent', 'delivered', 'verified']);
      assert.equal(await run(), 5);
      assert.deepEqual(statusesOf(receiver.received), ['plan', 'target_valid', 'sent', 'delivered', 'verified']);
      assert.equal(new Set(idsOf(receiver.received)).size, 5);
      for (const id of idsOf(receiver.received)) assert.match(String(id), /^evt_\d{19}$/);
      assert.deepEqual(await queue(), []);
      assert.deepEqual(
        (await attempts()).map(({ status, try: tries, outcome, http_status }) => [status, tries, outcome, http_status]),
        ['plan', 'target_valid', 'sent', 'delivered', 'verified'].map((status) => [status, 1, 'accepted', 200]),
      );
    }));

  test('only chosen events are queued, and only for enabled endpoints of the application', () =>
    scene(
      { endpoint: { eventTypes: ['sent', 'uplink_message'] } },
      async ({ message, tell: tellOwn, run, receiver, db }) => {
        const other = newApplication();
        await insertEndpoint(db, { applicationId: other, url: receiver.url, enabled: false });
        await tell(db, { applicationId: other, messageId: await insertMessage(db, other) }, ['sent']);
        await message(['plan', 'sent', 'delivered']);
        await tellOwn('0', [{ status: 'uplink_message', data: { from: '+1', body: 'hi' } }, { status: 'key_manage' }]);
        assert.equal(await run(), 2);
        assert.deepEqual(receiver.received.map(({ json }) => Object.keys(json.rows[0]).at(-1)).sort(), [
          'response',
          'status',
        ]);
      },
    ));

  test('a failed event is tried again with the same id and bytes; the later ones of its message wait, other messages do not', () =>
    scene({ answer: ({ json }) => (json.rows[0].status.message_status === 'sent' ? 500 : 200) }, async (tools) => {
      const { message, tell, run, receiver, queue, clock, db } = tools;
      await clock.freeze();
      const messageId = await message(['plan', 'sent', 'delivered']);
      await message(['plan']);
      assert.equal(await run(), 3);
      await tell(messageId, ['verified'], 4);
      assert.equal(await run(), 0, 'an event that comes while an earlier one waits');
      assert.deepEqual(
        (await queue()).map(({ status, tries, wait_s }) => [status, tries, Math.round(wait_s ?? 0)]),
        [
          ['sent', 1, 60],
          ['delivered', 0, 60],
          ['verified', 0, 60],
        ],
      );
      // Neither an upgrade nor anything else may change the body between two tries.
      await db.query(sql`update messages set template_id = 'another' where id = ${messageId}`);
      await clock.travel(59_000);
      assert.equal(await run(), 0);
      await clock.travel(1_500);
      assert.equal(await run(), 1);
      receiver.answerWith(200);
      await clock.travel(600_000);
      assert.equal(await run(), 3);
      const tries = receiver.received.filter(({ json }) => json.rows[0].status.message_status === 'sent');
      assert.equal(tries.length, 3);
      assert.equal(new Set(idsOf(tries)).size, 1);
      for (const { raw } of tries) assert.deepEqual(raw, tries[0]?.raw);
      assert.equal(new Set(tries.map(({ headers }) => headers['webhook-timestamp'])).size, 3, 'signed anew');
      assert.deepEqual(statusesOf(receiver.received.slice(-3)), ['sent', 'delivered', 'verified']);
      assert.deepEqual(await queue(), []);
    }));

  test('given up, an event stays as a dead letter and lets the next one go', () =>
    scene(
      { answer: (_request, index) => (index === 0 ? 500 : 200), endpoint: { retrySchedule: 'none' } },
      async (tools) => {
        const { message, run, receiver, queue, attempts } = tools;
        await message(['plan', 'sent']);
        assert.equal(await run(), 2);
        assert.deepEqual(statusesOf(receiver.received), ['plan', 'sent']);
        assert.deepEqual(
          (await queue()).map(({ status, wait_s, given_up }) => [status, wait_s, given_up]),
          [['plan', null, true]],
        );
        assert.deepEqual(
          (await attempts()).map(({ outcome, next_s }) => [outcome, next_s]),
          [
            ['given_up', null],
            ['accepted', null],
          ],
        );
      },
    ));

  test('all retries of the contract are made, then it is given up', () =>
    scene({ answer: 500 }, async ({ message, run, receiver, queue, clock, db, endpointId }) => {
      await message(['plan']);
      let posts = await run();
      for (let days = 0; days < 25; days++) {
        // What fails for five days is switched off; here somebody switches it on again each time.
        await db.query(sql`update callback_endpoints set enabled = true, failing_since = null, disabled_because = null,
          version = version + 1 where id = ${endpointId}`);
        for (let hours = 0; hours < 24; hours++) {
          await clock.travel(3_600_000);
          posts += await run();
        }
      }
      assert.equal(posts, 25);
      assert.equal(receiver.received.length, 25);
      assert.deepEqual(
        (await queue()).map(({ given_up, tries }) => [given_up, tries]),
        [[true, 25]],
      );
    }));

  test('what can no longer be told is dropped', () =>
    scene({}, async ({ message, run, queue, receiver, db }) => {
      const messageId = await message(['plan', 'sent']);
      await db.query(sql`delete from messages where id = ${messageId}`);
      await run();
      assert.deepEqual([receiver.received.length, await queue()], [0, []]);
    }));

  test('429 with Retry-After rests the endpoint and every event of it', () =>
    scene(
      { answer: (_r, index) => (index === 0 ? { status: 429, headers: { 'retry-after': '300' } } : 200) },
      async (tools) => {
        const { message, run, attempts, clock, receiver, dispatcher } = tools;
        await message(['plan']);
        assert.equal(await run(), 1);
        assert.deepEqual(
          (await attempts()).map(({ outcome, http_status, next_s }) => [outcome, http_status, next_s]),
          [['retry', 429, 300]],
        );
        await message(['plan']);
        await clock.travel(200_000);
        assert.equal(await dispatcher.runUntilIdle(), 0);
        await clock.travel(101_000);
        await run();
        assert.equal(receiver.received.length, 3);
      },
    ));

  test('410 switches the endpoint off and says so to the others; its events wait until it is switched on again', () =>
    scene({ answer: (_r, index) => (index === 0 ? 410 : 200) }, async (tools) => {
      const { message, run, receiver, db, endpointId, applicationId, clock, queue } = tools;
      const witness = await openReceiver();
      await insertEndpoint(db, { applicationId, url: witness.url, eventTypes: ['callback_endpoint_disabled'] });
      await message(['plan', 'sent']);
      await run();
      await clock.travel(86_400_000);
      await run();
      assert.equal(receiver.received.length, 1);
      const [told] = witness.rows();
      assert.deepEqual(told.notification.event, 'callback_endpoint_disabled');
      const { endpoint_id, because, host } = told.notification.notification_data;
      assert.deepEqual([endpoint_id, because, host], [endpointId, 'gone', `127.0.0.1:${receiver.port}`]);
      await message(['plan']);
      assert.deepEqual(
        (await queue()).map(({ status }) => status),
        ['plan', 'sent'],
        'nothing is queued for a disabled endpoint',
      );
      await db.query(sql`update callback_endpoints set enabled = true, disabled_because = null, version = version + 1
        where id = ${endpointId}`);
      await run();
      assert.deepEqual(statusesOf(receiver.received), ['plan', 'plan', 'sent']);
      await witness.close();
    }));

  test('five days of failure switch the endpoint off; one success in between begins anew', () =>
    scene({ answer: 503 }, async ({ message, run, receiver, db, endpointId, clock }) => {
      const state = async () => {
        const [row] = await db.query(sql`select enabled, disabled_because, failing_since is not null as failing
          from callback_endpoints where id = ${endpointId}`);
        return row;
      };
      await message(['plan']);
      const day = async (): Promise<void> => {
        for (let hours = 0; hours < 24; hours++) {
          await clock.travel(3_600_000);
          await run();
        }
      };
      await run();
      for (let days = 0; days < 4; days++) await day();
      assert.deepEqual(await state(), { enabled: true, disabled_because: null, failing: true });
      receiver.answerWith(200);
      await day();
      assert.deepEqual(await state(), { enabled: true, disabled_because: null, failing: false });
      receiver.answerWith(503);
      await message(['plan']);
      for (let days = 0; days < 7; days++) await day();
      assert.deepEqual(await state(), { enabled: false, disabled_because: 'failing', failing: true });
    }));

  test('batches: up to so many rows, the same rows under the same id at the next try, order kept', () =>
    scene({ answer: (_r, index) => (index === 0 ? 500 : 200), endpoint: { batchRows: 3 } }, async (tools) => {
      const { message, run, receiver, clock, queue, attempts } = tools;
      await message(['plan', 'target_valid', 'sent', 'delivered']);
      assert.equal(await run(), 1);
      assert.deepEqual(statusesOf(receiver.received), ['plan', 'target_valid', 'sent']);
      assert.equal(receiver.received[0]?.json.total, 3);
      await message(['plan']);
      assert.equal(await run(), 1, 'another message goes on');
      await clock.travel(61_000);
      await run();
      const [first, , again, last] = receiver.received;
      assert.deepEqual(again?.raw, first?.raw);
      assert.deepEqual(idsOf([again as Received]), idsOf([first as Received]));
      assert.deepEqual(statusesOf([last as Received]), ['delivered']);
      assert.deepEqual(await queue(), []);
      assert.deepEqual(
        (await attempts()).map(({ status, outcome, rows }) => `${status} ${outcome} ${rows}`),
        [
          'plan retry 3',
          'target_valid retry 3',
          'sent retry 3',
          'plan accepted 1',
          'plan accepted 3',
          'target_valid accepted 3',
          'sent accepted 3',
          'delivered accepted 1',
        ],
      );
    }));

  test('the format `standard` has one event per request', () =>
    scene({ endpoint: { format: 'standard' } }, async ({ message, tell, run, receiver }) => {
      const messageId = await message([{ status: 'delivered_failed', errorCode: 5018, attempt: 1 }]);
      await tell('0', [{ status: 'template_audit_result', data: { template_id: 'login', status: 2, reason: '' } }]);
      await run();
      const bodies = receiver.received.map(({ json }) => json).sort((a, b) => (a.type < b.type ? -1 : 1));
      assert.deepEqual(
        bodies.map(({ type }) => type),
        ['message.delivered_failed', 'notification.template_audit_result'],
      );
      assert.equal(bodies[0].data.message_id, messageId);
      assert.deepEqual(bodies[0].data.error, { code: 5018, message: 'handset unavailable' });
    }));

  test('an endpoint that hangs keeps nobody else waiting', async () => {
    const { db } = get();
    const hanging = await openReceiver({ answer: 'hang' });
    const quick = await openReceiver();
    const applicationId = newApplication();
    await insertEndpoint(db, { applicationId, url: hanging.url, timeoutMs: 30_000, concurrency: 2 });
    await insertEndpoint(db, { applicationId, url: quick.url });
    const { dispatcher, close } = openDispatcher(get());
    await dispatcher.start();
    for (let i = 0; i < 20; i++) {
      const messageId = await insertMessage(db, applicationId);
      await tell(db, { applicationId, messageId }, ['plan', 'sent']);
    }
    await quick.until(40);
    assert.equal(hanging.received.length, 2, 'no more than may be under way');
    await hanging.close();
    await close();
    await quick.close();
    await db.query(sql`delete from callback_endpoints where application_id = ${applicationId}`);
  });

  /** Four endpoints of one application and no others, while two nodes count for live. */
  async function amongTwoNodes() {
    const { db } = get();
    await db.query(sql`delete from callback_endpoints`);
    const receiver = await openReceiver();
    const applicationId = newApplication();
    for (let i = 0; i < 4; i++) await insertEndpoint(db, { applicationId, url: `${receiver.url}/${i}` });
    await db.query(sql`insert into nodes (node, holder, expires_at)
      select n, n::text, clock_now() + interval '1 day' from generate_series(1, 2) n`);
    return { receiver, applicationId };
  }

  test('a node that counts for live while it is dead leaves no endpoint unserved', async () => {
    const { db } = get();
    const { receiver, applicationId } = await amongTwoNodes();
    await tell(db, { applicationId, messageId: await insertMessage(db, applicationId) }, ['plan']);
    const { dispatcher, close } = openDispatcher(get());
    assert.equal(await dispatcher.runUntilIdle(), 4);
    await close();
    await receiver.close();
    await db.query(sql`delete from nodes where node in (1, 2)`);
    await db.query(sql`delete from callback_endpoints where application_id = ${applicationId}`);
  });

  if (kind === 'postgres')
    test('two nodes share the endpoints, post everything once, and one takes over what the other leaves', async () => {
      const { db } = get();
      const { receiver, applicationId } = await amongTwoNodes();
      const [one, two] = [openDispatcher(get()), openDispatcher(get())];
      await one.dispatcher.start();
      await two.dispatcher.start();
      const holders = async (): Promise<number[]> => {
        const rows = await db.query<{ n: number }>(sql`
          select count(*)::integer as n from callback_leases where expires_at > clock_now() group by holder order by 1`);
        return rows.map(({ n }) => n);
      };
      await until('each has its part', async () => JSON.stringify(await holders()) === '[2,2]');
      for (let i = 0; i < 10; i++)
        await tell(db, { applicationId, messageId: await insertMessage(db, applicationId) }, [
          'plan',
          'sent',
          'delivered',
        ]);
      await receiver.until(120);
      await one.close();
      await db.query(sql`delete from nodes where node = 1`);
      await until('the other has them all', async () => JSON.stringify(await holders()) === '[4]');
      await tell(db, { applicationId, messageId: await insertMessage(db, applicationId) }, ['plan']);
      await receiver.until(124);
      await two.close();
      assert.equal(receiver.received.length, 124);
      const byPath = Map.groupBy(receiver.received, ({ path, json }) => `${path} ${json.rows[0].message_id}`);
      for (const [key, all] of byPath)
        assert.deepEqual(statusesOf(all), ['plan', 'sent', 'delivered'].slice(0, all.length), key);
      await receiver.close();
      await db.query(sql`delete from nodes where node = 2`);
      await db.query(sql`delete from callback_endpoints where application_id = ${applicationId}`);
    });
});
