import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { pino } from 'pino';
import { openPostgres } from '../platform/postgres.ts';
import { raw, sql } from '../platform/sql.ts';
import { openTestApp, type TestApp, type TestReply } from '../testing/app.ts';
import {
  bodyOf,
  newNumber,
  openApplication,
  type TestApplication,
  useApplication,
  wrongFor,
} from '../testing/application.ts';
import { engines, openTestDatabase, type TestDatabase } from '../testing/database.ts';

const policy = {
  resend_policy: { mode: 'compat', resend_after: 0, max_sends: 1000 },
  request_rate: 10_000_000,
  target_attempts: 100,
};
const templates = [
  {},
  { template_id: 'rotate', send_channel_strategy: 'whatsapp|sms|voice', resend: { mode: 'rotate' } },
  { template_id: 'reuse', send_channel_strategy: 'whatsapp|sms|voice', resend: { mode: 'reuse' } },
  { template_id: 'grace', send_channel_strategy: 'whatsapp|sms|voice', resend: { mode: 'rotate_with_grace' } },
];
const many = 200;
const times = <T>(count: number, work: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => work(i)));

/** Numbers from a seed, so that a storm can be run again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

for (const kind of engines) {
  describe(`simultaneous checks and sends (${kind})`, () => {
    let database: TestDatabase;
    /** On PostgreSQL two programs over one database; embedded there is one. */
    let boxes: TestApp[];
    let apps: TestApplication[];
    let closeAll: () => Promise<void>;

    before(async () => {
      database = await openTestDatabase(kind, 40);
      const box = await openTestApp(database);
      const app = await openApplication(box, { policy, templates });
      boxes = [box];
      apps = [app];
      closeAll = async () => {
        await box.close();
        await database.close();
      };
      if (database.url === undefined) return;
      const db = openPostgres({ url: database.url, log: pino({ level: 'silent' }), maxConnections: 20 });
      const second = await openTestApp({ ...database, db });
      boxes.push(second);
      apps.push(useApplication(second, app.id, app.credential));
      const closeFirst = closeAll;
      closeAll = async () => {
        await second.close();
        await db.close();
        await closeFirst();
      };
    });
    after(() => closeAll());

    const appAt = (i: number): TestApplication => apps[i % apps.length] as TestApplication;
    const by = (id: string) => ({ template: { id } });
    const summary = (replies: readonly TestReply[]) => {
      const counts = new Map<string, number>();
      for (const { status, body } of replies) {
        const what = status === 200 ? String(body.verified ?? 'accepted') : `${status} ${body.reason ?? body.message}`;
        counts.set(what, (counts.get(what) ?? 0) + 1);
      }
      return Object.fromEntries([...counts].sort());
    };

    test('of 200 simultaneous right checks exactly one is true, the others already verified', async () => {
      const { messageId, code } = await appAt(0).sendCode(newNumber());
      const replies = await times(many, (i) => appAt(i).verify(messageId, code));
      assert.deepEqual(summary(replies), { true: 1, '400 already_verified': many - 1 });
      const statuses = await appAt(0).statuses(messageId);
      assert.equal(statuses.filter((status) => status.startsWith('verified')).length, 1);
    });

    test('the same without gathering: every check a statement of its own on a connection of its own', async () => {
      const { messageId, code } = await appAt(0).sendCode(newNumber());
      const { verifications } = (boxes[0] as TestApp).app;
      const asked = { applicationId: appAt(0).id, messageId, code, purpose: null };
      const results = await times(many, () =>
        verifications.check(asked, database.db).then(
          (result) => String(result.verified),
          (error: { reason?: string }) => error.reason ?? String(error),
        ),
      );
      assert.equal(results.filter((result) => result === 'true').length, 1);
      assert.equal(results.filter((result) => result === 'already_verified').length, many - 1);
    });

    test('the same with an Idempotency-Key each: every check inside a transaction', async () => {
      const { messageId, code } = await appAt(0).sendCode(newNumber());
      const replies = await times(60, (i) =>
        appAt(i).call({
          path: '/v1/verifications',
          body: { message_id: messageId, verify_code: code },
          headers: { 'idempotency-key': `${messageId}-${i}` },
        }),
      );
      assert.deepEqual(summary(replies), { true: 1, '400 already_verified': 59 });
    });

    test('right codes under several ids of one verification: exactly one is true', async () => {
      const to = newNumber();
      const sends: { messageId: string; code: string }[] = [];
      for (let i = 0; i < 4; i++) sends.push(await appAt(i).sendCode(to, by('reuse')));
      const replies = await times(many, (i) =>
        appAt(i >> 2).verify(sends[i % 4]?.messageId ?? '', sends[0]?.code ?? ''),
      );
      assert.deepEqual(summary(replies), { true: 1, '400 already_verified': many - 1 });
    });

    test('200 simultaneous wrong checks use each attempt of the code once and never more', async () => {
      const { messageId, code } = await appAt(0).sendCode(newNumber());
      const replies = await times(many, (i) => appAt(i).verify(messageId, wrongFor(code)));
      assert.deepEqual(summary(replies), { false: 5, '400 too_many_attempts': many - 5 });
      const rests = replies.filter(({ status }) => status === 200).map(({ body }) => body.attempts_remaining);
      assert.deepEqual(rests.sort(), [0, 1, 2, 3, 4]);
      const statuses = await appAt(0).statuses(messageId);
      assert.equal(statuses.filter((status) => status.startsWith('verified_failed')).length, 1);
    });

    test('200 simultaneous wrong checks over four codes of one target never pass the target’s budget', async () => {
      const strict = await openApplication(boxes[0] as TestApp, {
        policy: { ...policy, target_attempts: 10 },
        templates,
      });
      const both = boxes.map((box) => useApplication(box, strict.id, strict.credential));
      const to = newNumber();
      const ids: string[] = [];
      for (const { template_id: id } of templates) ids.push((await strict.sendCode(to, by(id ?? 'login'))).messageId);
      const replies = await times(many, (i) =>
        (both[(i >> 2) % both.length] as TestApplication).verify(ids[i % 4] ?? '', 'x'),
      );
      assert.deepEqual(summary(replies), { false: 10, '400 too_many_attempts': many - 10 });
    });

    test('right and wrong checks at once: at most the budget is wrong, at most one is right, and never right after exhausted', async () => {
      for (let round = 0; round < 5; round++) {
        const { messageId, code } = await appAt(round).sendCode(newNumber());
        const replies = await times(60, (i) => appAt(i).verify(messageId, i % 3 === round % 3 ? code : wrongFor(code)));
        const { true: right = 0, false: wrong = 0, ...rest } = summary(replies) as Record<string, number>;
        assert.ok(right <= 1 && wrong <= 5 && right + wrong >= 1, JSON.stringify({ right, wrong }));
        assert.equal(wrong === 5, right === 0);
        assert.deepEqual(Object.keys(rest), [right === 1 ? '400 already_verified' : '400 too_many_attempts']);
      }
    });

    test('a storm of sends, checks, resends, next channels and cancels on few targets breaks nothing', async (t) => {
      const seed = Number(process.env['STORM_SEED'] ?? Date.now() % 1_000_000);
      t.diagnostic(`STORM_SEED=${seed}`);
      await storm(seed);
      await (boxes[0] as TestApp).settle();
      await checkInvariants();
    });

    async function storm(seed: number): Promise<void> {
      const draw = random(seed);
      const targets = [newNumber(), newNumber()];
      for (const to of targets)
        await appAt(0).script(to, { whatsapp: { receipt: 'none' }, sms: { hand_over: 'refuse' } });
      const ids: string[] = [];
      const act = async (i: number): Promise<TestReply> => {
        const app = appAt(i);
        const to = targets[draw(targets.length)] ?? '';
        const id = ids.length > 0 && draw(4) > 0 ? ids[Math.max(0, ids.length - 1 - draw(6))] : undefined;
        const kindOfAct = id === undefined ? 0 : draw(10);
        if (id !== undefined && kindOfAct === 1) return app.act(id, 'cancel');
        if (id !== undefined && kindOfAct === 2) return app.act(id, 'next-channel');
        if (id !== undefined && kindOfAct <= 4 && kindOfAct > 2) return app.act(id, 'resend');
        if (id !== undefined && kindOfAct > 4) {
          const shown = kindOfAct > 7 ? await app.codeAt(to, id) : '';
          return app.verify(id, shown || 'wrong');
        }
        const reply = await app.send(to, by(templates[draw(templates.length)]?.template_id ?? 'login'));
        if (reply.status === 200) ids.push(reply.body.message_id);
        return reply;
      };
      const replies: TestReply[] = [];
      for (let round = 0; round < 12; round++) replies.push(...(await times(25, act)));
      const failed = replies.filter(({ status }) => status !== 200 && status !== 400);
      assert.deepEqual(
        failed.map(({ status, body }) => [status, body]),
        [],
      );
    }

    async function checkInvariants(): Promise<void> {
      const { db } = database;
      const none = async (why: string, statement: string) => assert.deepEqual(await db.query(raw(statement)), [], why);
      await none(
        'one living code per target and template',
        `select target, template_id from verifications where state = 'pending' and expires_at > clock_now()
         group by application_id, target, template_id having count(*) > 1`,
      );
      await none(
        'a verification is verified or used up once',
        `select v.id from verifications v join events e on e.application_id = v.application_id and e.message_id = any(v.message_ids)
         where e.status in ('verified', 'verified_failed') group by v.application_id, v.id having count(*) > 1`,
      );
      await none(
        'an ended code has no hash left, and its state is told by its events',
        `select v.id from verifications v where (v.state = 'pending') <> (cardinality(v.code_hashes) > 0)
         or (v.state = 'verified') <> exists (select 1 from events e where e.application_id = v.application_id
           and e.message_id = any(v.message_ids) and e.status = 'verified')`,
      );
      await none(
        'callback statuses are numbered 1, 2, 3 …',
        `select message_id from events where status is not null and message_id <> 0
         group by application_id, message_id having max(sequence) <> count(*) or count(distinct sequence) <> count(*)`,
      );
      await none(
        'the delivery of an ended code is ended',
        `select d.message_id from verifications v join deliveries d on d.application_id = v.application_id
           and d.message_id = any(v.message_ids) where v.state <> 'pending' and d.ended is null`,
      );
      await none(
        'every message of a verification knows it',
        `select m.id from messages m left join verifications v on v.application_id = m.application_id and v.id = m.verification_id
         where m.kind = 'otp' and (v.id is null or not m.id = any(v.message_ids))`,
      );
      await none(
        'nothing was handed over after its end',
        `select a.message_id from attempts a join events e on e.application_id = a.application_id and e.message_id = a.message_id
         where e.cause in ('verified', 'attempts_exhausted', 'cancelled', 'superseded')
           and a.started_at > e.at + interval '1 second'`,
      );
    }

    test('opposite lists of recipients at once do not deadlock, with and without Idempotency-Key', async () => {
      const recipients = Array.from({ length: 20 }, newNumber);
      const replies = await times(8, (i) =>
        appAt(i).call({
          path: '/v1/custom-messages',
          body: {
            to: i % 2 ? recipients : [...recipients].reverse(),
            template: { id: 'rotate', params: { code: String(i) } },
          },
          ...(i < 6 && { headers: { 'idempotency-key': `${recipients[0]}-${i}` } }),
        }),
      );
      for (const reply of replies) assert.equal(bodyOf(reply).messages.length, 20);
    });

    test('many cancels of messages without a code finish: none waits for a second connection', async () => {
      const template = {
        template_type: 2,
        template_custom_config: { custom_sub_type: 'utility', custom_content: 'Hi' },
      };
      const { verify_code_config: _, ...note } = {
        verify_code_config: undefined,
        template_id: 'note',
        sms_config: template,
      };
      bodyOf(await appAt(0).call({ path: '/v1/template-configs', body: { send_channel_strategy: 'sms', ...note } }));
      const to = Array.from({ length: 60 }, newNumber);
      const sent = bodyOf(await appAt(0).call({ path: '/v1/custom-messages', body: { to, template: { id: 'note' } } }));
      const ids = (sent.messages as { message_id: string }[]).map(({ message_id: id }) => id);
      const replies = await times(ids.length * 2, (i) => appAt(i).act(ids[i % ids.length] ?? '', 'cancel'));
      assert.deepEqual(summary(replies), { accepted: ids.length * 2 });
    });
  });
}

test('10,000 sends through each engine never give an id twice', async () => {
  for (const kind of engines) {
    const database = await openTestDatabase(kind);
    const env = { ROLES: 'api' };
    const box = await openTestApp(database, { env });
    const other = await openTestApp(database, { env });
    const app = await openApplication(box, { policy });
    const both = [app, useApplication(other, app.id, app.credential)];
    const ids = new Set<string>();
    for (let round = 0; round < 20; round++) {
      const replies = await times(500, (i) => (both[i % 2] as TestApplication).send(newNumber()));
      for (const reply of replies) ids.add(bodyOf(reply).message_id);
    }
    assert.equal(ids.size, 10_000);
    const [row] = await database.db.query<{ count: number }>(
      sql`select count(*)::integer as count from messages where application_id = ${app.id}`,
    );
    assert.equal(row?.count, 10_000);
    await box.close();
    await other.close();
    await database.close();
  }
});
