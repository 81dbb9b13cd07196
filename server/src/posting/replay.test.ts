import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { eventIdOf, type LedgerEntry, listEvents } from '../events/index.ts';
import { sql } from '../platform/sql.ts';
import { onEachApp } from '../testing/app.ts';
import { bodyOf, newNumber, openApplication, type TestApplication } from '../testing/application.ts';
import { useEndpoints } from '../testing/callback-endpoints.ts';

const url = 'https://localhost/hook';
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const all = ['plan', 'target_valid', 'sent', 'delivered'];

interface Row {
  message_id: string;
  position: string;
  event_id: string;
  tries: number;
  replayed: boolean;
  batch: string | null;
  body: string | null;
  due_at: Date | null;
  given_up_at: Date | null;
}

onEachApp('a replay', (get) => {
  let app: TestApplication;
  let endpoints: ReturnType<typeof useEndpoints>;
  before(async () => {
    await get().database.clock.freeze();
    app = await openApplication(get());
    endpoints = useEndpoints(get(), app.id);
  });

  const query = <T extends object>(statement: ReturnType<typeof sql>) => get().database.db.query<T>(statement);
  const now = (): number => get().database.clock.now();
  const iso = (ms: number): string => new Date(ms).toISOString();

  async function send(application = app): Promise<string> {
    const { message_id } = bodyOf(await application.send(newNumber()));
    await get().live(2);
    return message_id;
  }

  /** An endpoint that was made after everything happened, so that nothing is queued for it. */
  const late = async (events: string[] = ['message_status']): Promise<string> =>
    (await endpoints.make({ url, events })).id;

  const rowsOf = (id: string): Promise<Row[]> =>
    query<Row>(sql`select message_id, position, event_id, tries, replayed, batch, body, due_at, given_up_at
      from callback_queue where endpoint_id = ${id} order by message_id, position`);

  const entriesOf = async (messageId: string, statuses: readonly string[] = all): Promise<LedgerEntry[]> =>
    (await listEvents(get().database.db, app.id, messageId)).filter(({ status }) => statuses.includes(status ?? ''));

  /** As a replay puts it. */
  const fresh = (entry: LedgerEntry): Row => ({
    message_id: entry.messageId,
    position: entry.position,
    event_id: eventIdOf(entry),
    tries: 0,
    replayed: true,
    batch: null,
    body: null,
    due_at: new Date(now()),
    given_up_at: null,
  });

  async function queued(id: string, body: object): Promise<number> {
    const reply = bodyOf(await endpoints.replay(id, body));
    assert.deepEqual(Object.keys(reply), ['queued']);
    return reply.queued;
  }

  test('of a message queues what its endpoint is told, in the order of the ledger, under the ids it had', async () => {
    const messageId = await send();
    await send();
    const early = await late();
    const next = await send();
    // As the statement that wrote the event had queued it.
    const byTrigger = await rowsOf(early);
    assert.deepEqual(
      byTrigger.map(({ event_id }) => event_id),
      (await entriesOf(next)).map(eventIdOf),
    );
    const id = await late(['sent', 'delivered', 'uplink_message']);
    assert.equal(await queued(id, { message_id: messageId }), 2);
    assert.deepEqual(await rowsOf(id), (await entriesOf(messageId, ['sent', 'delivered'])).map(fresh));
    assert.equal(await queued(id, { message_id: '7' }), 0);
    for (const one of [early, id]) bodyOf(await endpoints.remove(one));
  });

  test('lets what waits or was given up begin anew', async () => {
    const id = await late();
    const messageId = await send();
    await query(sql`update callback_queue set tries = 3, body = '{}', due_at = clock_now() + interval '1 day'
      where endpoint_id = ${id}`);
    await query(sql`update callback_queue set due_at = null, given_up_at = clock_now(), batch = position
      where endpoint_id = ${id} and position = (select min(position) from callback_queue where endpoint_id = ${id})`);
    await get().database.clock.travel(1000);
    assert.equal(await queued(id, { message_id: messageId }), 4);
    assert.deepEqual(await rowsOf(id), (await entriesOf(messageId)).map(fresh));
    bodyOf(await endpoints.remove(id));
  });

  test('leaves what waits in a batch there: the body of the batch holds it', async () => {
    const id = await late();
    const messageId = await send();
    await query(sql`update callback_queue set tries = 1, due_at = clock_now() + interval '1 day',
      batch = (select min(position) from callback_queue where endpoint_id = ${id}) where endpoint_id = ${id}`);
    const before = await rowsOf(id);
    assert.equal(await queued(id, { message_id: messageId }), 0);
    assert.deepEqual(await rowsOf(id), before);
    bodyOf(await endpoints.remove(id));
  });

  test('of single events queues those that the endpoint was told of before, and no other’s', async () => {
    const messageId = await send();
    const entries = await entriesOf(messageId);
    const [id, other] = [await late(), await late()];
    const log = (endpoint: string, entry: LedgerEntry, number: number) =>
      query(sql`insert into callback_attempts (endpoint_id, application_id, message_id, position, event_id, status, try, rows,
          outcome, latency_ms)
        values (${endpoint}, ${app.id}, ${messageId}, ${entry.position}, ${eventIdOf(entry)}, ${entry.status}, ${number}, 1,
          'accepted', 5)`);
    const [plan, valid, sent] = entries;
    assert.ok(plan && valid && sent);
    for (const number of [1, 2]) await log(id, sent, number);
    await log(id, plan, 1);
    await log(other, valid, 1);
    const event_ids = entries.map((entry) => `evt_${eventIdOf(entry)}`);
    assert.equal(await queued(id, { event_ids }), 2);
    assert.deepEqual(await rowsOf(id), [plan, sent].map(fresh));
    for (const one of [id, other]) bodyOf(await endpoints.remove(one));
  });

  test('of a time queues what happened in it: of messages, and of none', async () => {
    const { clock } = get().database;
    await clock.travel(10 * dayMs);
    const first = await send();
    await clock.travel(hourMs);
    const from = now();
    const second = await send();
    const template = { template_id: 'in_time', send_channel_strategy: 'sms' };
    await app.addTemplate(template);
    const until = now() + 1;
    await clock.travel(hourMs);
    await send();
    const id = await late(['message_status', 'template_audit_result']);
    const range = { from: iso(from), until: iso(until) };
    const reviewed = (await entriesOf('0', ['template_audit_result'])).filter(({ at }) => at.getTime() >= from);
    assert.equal(reviewed.length, 1);
    // The code of the first one ended in this time.
    const ended = await entriesOf(first, ['verified_timeout']);
    assert.equal(await queued(id, range), 6);
    assert.deepEqual(await rowsOf(id), [...reviewed, ...ended, ...(await entriesOf(second))].map(fresh));
    const narrow = await late(['sent', 'template_audit_result']);
    assert.equal(await queued(narrow, { ...range, events: ['notification'] }), 1);
    assert.deepEqual(await rowsOf(narrow), reviewed.map(fresh));
    assert.equal(await queued(narrow, { ...range, events: ['message_status'] }), 1, 'of what the endpoint is told');
    assert.equal(await queued(narrow, { ...range, events: ['uplink_message'] }), 0);
    const open = await late(['plan']);
    assert.equal(await queued(open, { from: iso(from) }), 2, 'until now');
    assert.deepEqual(
      (await rowsOf(open)).some(({ message_id }) => message_id === first),
      false,
    );
    for (const one of [id, narrow, open]) bodyOf(await endpoints.remove(one));
  });

  test('of a time finds events that came up to three days after their message', async () => {
    const { clock } = get().database;
    await clock.travel(10 * dayMs);
    const messageId = await send();
    const madeMs = now();
    const note = async (at: number): Promise<void> => {
      await query(sql`insert into events (application_id, message_id, at, cause, status, sequence)
        values (${app.id}, ${messageId}, ${new Date(at)}, 'receipt_late', 'delivered_failed', 9)`);
    };
    await note(madeMs + 3 * dayMs - hourMs);
    await note(madeMs + 4 * dayMs);
    await clock.travel(5 * dayMs);
    const id = await late();
    const from = iso(madeMs + dayMs);
    assert.equal(await queued(id, { from, until: iso(madeMs + 3 * dayMs) }), 1);
    assert.equal(
      await queued(id, { from: iso(madeMs + 4 * dayMs - 1000) }),
      0,
      'later ones are found by their message',
    );
    assert.equal(await queued(id, { message_id: messageId }), 6);
    bodyOf(await endpoints.remove(id));
  });

  test('of all that failed since a time lets what was given up begin anew, and tries now what would be tried later', async () => {
    const { clock } = get().database;
    const id = await late();
    const messages = [await send(), await send(), await send()];
    const since = now() + hourMs;
    const [longAgo, givenUp, waiting] = messages;
    const rows = await rowsOf(id);
    const of = (messageId: string | undefined) => rows.filter(({ message_id }) => message_id === messageId);
    const fail = (row: Row | undefined, outcome: 'retry' | 'given_up') =>
      query(sql`with logged as (insert into callback_attempts (endpoint_id, application_id, message_id, position, event_id, status,
          try, at, rows, outcome, latency_ms)
          values (${id}, ${app.id}, ${row?.message_id}, ${row?.position}, ${row?.event_id}, 'sent', 1, clock_now(), 1,
            ${outcome}, 5))
        update callback_queue set tries = tries + 1, batch = position, body = '{}',
          due_at = case when ${outcome}::text = 'retry' then clock_now() + interval '10 hours' end,
          given_up_at = case when ${outcome}::text = 'given_up' then clock_now() end
        where endpoint_id = ${id} and message_id = ${row?.message_id} and position = ${row?.position}`);
    await fail(of(longAgo)[0], 'given_up');
    await fail(of(longAgo)[1], 'retry');
    await clock.travel(2 * hourMs);
    for (const row of of(givenUp)) await fail(row, 'given_up');
    await fail(of(waiting)[0], 'retry');
    await clock.travel(hourMs);
    const before = await rowsOf(id);
    assert.equal(await queued(id, { failed_since: iso(since) }), 5);
    const entries = await entriesOf(givenUp ?? '');
    const expected = before.map((row) => {
      const entry = entries.find(({ position }) => position === row.position);
      if (entry) return fresh(entry);
      const hastened = row.position === of(waiting)[0]?.position;
      return hastened ? { ...row, due_at: new Date(now()) } : row;
    });
    assert.deepEqual(await rowsOf(id), expected);
    assert.equal(await queued(id, { failed_since: iso(since) }), 0, 'all of it is due by now');
    bodyOf(await endpoints.remove(id));
  });

  test('queues nothing of another application', async () => {
    const other = await openApplication(get());
    const from = now();
    const theirs = await send();
    const their = useEndpoints(get(), other.id);
    const { id } = await their.make({ url, events: ['message_status'] });
    for (const body of [{ message_id: theirs }, { from: iso(from) }])
      assert.deepEqual(bodyOf(await their.replay(id, body)), { queued: 0 });
    assert.deepEqual(await rowsOf(id), []);
  });
});
