/** The ledger counted into rollups: every entry once, whoever counts, whatever commits late and whoever is cut off. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { acceptedAttempts } from '../delivery/index.ts';
import { appendEvents, type EventDraft } from '../events/index.ts';
import { messageFacts } from '../messages/index.ts';
import type { Db } from '../platform/db.ts';
import { createLog } from '../platform/log.ts';
import { openPostgres } from '../platform/postgres.ts';
import { sql } from '../platform/sql.ts';
import { onEachEngine } from '../testing/database.ts';
import { untilLedgerIsSettled } from '../testing/horizon.ts';
import { verificationMessages } from '../verifications/index.ts';
import { readCountedUntil, readSums, type SumRow } from './read-store.ts';
import { countChunk, findUncounted, sweepRollups } from './rollup-store.ts';

const relations = { facts: messageFacts(), acceptances: acceptedAttempts(), verifications: verificationMessages() };
const year = 366 * 86_400_000;

onEachEngine('counting the ledger into rollups', (get) => {
  let applications = 0;
  let messages = 100;
  let id = '';
  const newApplication = (): string => String(2_000 + ++applications);
  const chunk = (db: Db, limit: number) => countChunk(db, id, limit, relations);

  before(() => get().clock.freeze());

  async function sums(application = id): Promise<Partial<SumRow>> {
    const [from, until] = [new Date(get().clock.now() - year), new Date(get().clock.now() + year)];
    const span = { from, daysFrom: from, daysUntil: from, until };
    return (await readSums(get().db, application, span, {}, [], 1))[0] ?? {};
  }

  /** A message accepted now, with what happened to it. */
  async function told(
    entries: readonly Partial<EventDraft>[],
    application = id,
    db: Pick<Db, 'query'> = get().db,
    code = false,
  ) {
    const messageId = String(++messages);
    await db.query(sql`
      insert into messages (application_id, id, kind, recipient, template_id, template_revision, language, country, verification_id, created_at)
      values (${application}, ${messageId}, 'otp', '+6598120044', 'login', 1, 'en', 'SG',
        ${code ? messageId : null}, clock_now())`);
    if (code)
      await db.query(sql`
        insert into verifications (application_id, id, target, template_id, code_type, code_hashes, code_expiries, expires_at,
          max_attempts, target_attempts, target_window, counted, message_ids)
        values (${application}, ${messageId}, 't', 'login', 1, '{}', '{}', clock_now(), 5, 10, '1 hour', true, array[${messageId}::bigint])`);
    await appendEvents(
      db,
      entries.map(
        (entry): EventDraft => ({
          ...{ applicationId: application, messageId, cause: 'upstream_accepted', channel: 'sms', sequence: 1 },
          ...entry,
        }),
      ),
    );
  }
  const plan = { status: 'plan' };
  const sent = { status: 'sent', step: 1, attempt: 1, data: { billing: { cost: 0.0412 } } };
  const resent = { cause: 'resent', step: 1, attempt: 2 } as const;
  const story = [plan, sent, { ...sent, status: 'delivered' }, resent, { ...sent, attempt: 2 }];
  const follow = async (): Promise<void> => {
    await untilLedgerIsSettled(get().db);
    assert.ok((await findUncounted(get().db)).includes(id));
  };

  test('in chunks of any size, with what is told and what is not in one order', async () => {
    id = newApplication();
    for (let i = 0; i < 4; i++) await told(story);
    await follow();
    const read: number[] = [];
    for (let i = 0; i < 8; i++) read.push((await chunk(get().db, 3)).read);
    assert.deepEqual(read, [3, 3, 3, 3, 3, 3, 2, 0]);
    const { messages: count, steps_sent, delivered, resends, fallbacks, cost_micros } = await sums();
    assert.deepEqual([count, steps_sent, delivered, resends, fallbacks], ['4', '8', '4', '4', '0']);
    assert.equal(cost_micros, String(8 * 41_200));
    assert.ok(!(await findUncounted(get().db)).includes(id));
  });

  test('by several at the same time, on two nodes where there can be two', async () => {
    const { db, url } = get();
    id = newApplication();
    for (let i = 0; i < 20; i++) await told(story);
    await follow();
    const other = url === undefined ? db : openPostgres({ url, log: createLog('silent') });
    const count = async (node: Db): Promise<void> => {
      for (let tries = 0; tries < 40; tries++) await chunk(node, 3);
    };
    await Promise.all([count(db), count(other), count(other)]);
    await count(db);
    if (other !== db) await other.close();
    const { messages: all, steps_sent, resends } = await sums();
    assert.deepEqual([all, steps_sent, resends], ['20', '40', '20']);
  });

  test('a node that dies in the middle of a chunk has counted nothing of it', async () => {
    const { db } = get();
    id = newApplication();
    for (let i = 0; i < 3; i++) await told(story);
    await follow();
    await chunk(db, 4);
    const dying = db.transaction(async (tx) => {
      assert.equal((await countChunk(tx, id, 4, relations)).read, 4);
      throw new Error('cut off');
    });
    await assert.rejects(dying, /cut off/);
    while ((await chunk(db, 4)).read > 0);
    const { messages: all, steps_sent, delivered } = await sums();
    assert.deepEqual([all, steps_sent, delivered], ['3', '6', '3']);
  });

  test('the other step of a message is a fallback once, of the same step a repetition', async () => {
    id = newApplication();
    const other = { ...sent, step: 2, channel: 'whatsapp' };
    await told([plan, sent, { ...other, attempt: 2 }, { ...other, attempt: 3 }, { ...sent, attempt: 4 }]);
    await told([plan, sent, { ...sent, attempt: 2 }]);
    await follow();
    while ((await chunk(get().db, 2)).read > 0);
    assert.deepEqual([(await sums()).fallbacks, (await sums()).steps_sent], ['1', '6']);
  });

  test('a code verified before its hand-over is written counts once as sent and once as verified', async () => {
    const { db } = get();
    id = newApplication();
    const verified = { cause: 'verified', status: 'verified', step: 1, attempt: 1 } as const;
    await told([plan, { cause: 'wrong_code' }, verified, sent, { ...sent, attempt: 2 }], id, db, true);
    await told([plan, sent, { cause: 'wrong_code' }, verified], id, db, true);
    await follow();
    while ((await chunk(db, 1)).read > 0);
    const { verifications, verified: right, wrong_codes, steps_sent } = await sums();
    assert.deepEqual([verifications, right, wrong_codes, steps_sent], ['2', '2', '1', '3']);
  });

  test('what nobody is told of, what is forgotten and what is of others counts nothing', async () => {
    id = newApplication();
    const other = newApplication();
    await told(story);
    await told([{ step: 1, attempt: 1 }, resent, { cause: 'wrong_code' }]);
    await appendEvents(get().db, [
      { applicationId: id, messageId: '99', cause: 'accepted', status: 'plan', sequence: 1 },
    ]);
    await told([plan, { ...sent, status: 'delivered' }], other);
    await follow();
    await chunk(get().db, 100);
    await countChunk(get().db, other, 100, relations);
    const { messages: all, resends, wrong_codes, delivered } = await sums();
    assert.deepEqual([all, resends, wrong_codes, delivered], ['1', '1', '0', '1']);
    const others = await sums(other);
    assert.deepEqual([others.messages, others.delivered], ['1', '0']);
  });

  test('tells up to when it has counted', async () => {
    const { db, clock } = get();
    id = newApplication();
    assert.equal((await readCountedUntil(db, id)).getTime(), clock.now());
    await told(story);
    const toldAt = clock.now();
    await clock.travel(10_000);
    assert.equal((await readCountedUntil(db, id)).getTime(), toldAt);
    await follow();
    await chunk(db, 100);
    assert.equal((await readCountedUntil(db, id)).getTime(), clock.now());
  });

  test('is forgotten after 400 days, and not a day before', async () => {
    const { db, clock } = get();
    id = newApplication();
    await told(story);
    await follow();
    await chunk(db, 100);
    await clock.travel(399 * 86_400_000);
    assert.equal(await sweepRollups(db, 1_000), 0);
    await clock.travel(2 * 86_400_000);
    assert.ok((await sweepRollups(db, 1)) === 1);
    while ((await sweepRollups(db, 1_000)) > 0);
    const rest = await db.query(sql`select from insight_rollups where application_id = ${id}`);
    assert.equal(rest.length, 0);
  });
});
