/** Idempotency-Key (contract §5.7) on both engines, with its races and the death of a process in between. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { pino } from 'pino';
import { z } from 'zod';
import { ApiError } from '../errors.ts';
import { DatabaseUnavailable } from '../platform/db.ts';
import { raw, relation, sql } from '../platform/sql.ts';
import { onEachEngine } from '../testing/database.ts';
import { good, keyring, type OpenDoor, openDoor, operatorToken, other } from '../testing/open-door.ts';
import { createIdempotency, storeAnswer } from './claim-key.ts';
import { canonicalJson } from './idempotency.ts';
import { defineOperation, type Operation } from './operation.ts';
import { finishRows } from './store.ts';

const body = z.object({ to: z.string(), mode: z.string().optional() });
const shape = { method: 'POST', tag: 'x', auth: 'key', permission: 'send', summary: 'x', errors: [] } as const;
const log = pino({ level: 'silent' });

onEachEngine('a request under an Idempotency-Key', (get) => {
  let open: OpenDoor;
  /** What the handlers have done, by recipient. */
  const ran: string[] = [];
  let gate: { wait: Promise<void>; open(): void } | undefined;

  before(async () => {
    await get().db.query(raw('create table deeds (id bigint generated always as identity, who text not null)'));
    open = openDoor(get(), { operations: operations() });
  });
  after(() => open.door.close());

  function operations(): Operation[] {
    const input = { body };
    return [
      defineOperation(
        { ...shape, id: 'send', path: '/v1/messages', input, output: z.object({ id: z.string() }) },
        async ({ body: { to, mode } }) => {
          ran.push(to);
          await gate?.wait;
          if (mode === 'refused') throw new ApiError(5011);
          if (mode === 'bug') throw new TypeError('bug');
          return { id: String(ran.length) };
        },
      ),
      defineOperation(
        { ...shape, id: 'deed', path: '/v1/deeds/{name}', input, output: z.object({ id: z.string() }) },
        async ({ body: { to, mode }, idempotency }) =>
          get().db.transaction(async (tx) => {
            const [row] = await tx.query<{ id: string }>(sql`insert into deeds (who) values (${to}) returning id`);
            const answer = { id: row?.id ?? '' };
            if (idempotency) await storeAnswer(tx, idempotency, answer);
            if (mode === 'rolled back') throw new ApiError(5011);
            return answer;
          }),
      ),
      defineOperation(
        {
          ...shape,
          id: 'verify',
          path: '/v1/verifications',
          input,
          output: z.object({ to: z.string(), ok: z.boolean() }),
          notStored: ['to'],
        },
        ({ body: { to } }) => ({ to, ok: true }),
      ),
      defineOperation(
        {
          ...shape,
          auth: 'operator',
          id: 'admin',
          path: '/admin/v1/x',
          permission: 'any',
          input,
          output: z.object({ id: z.string() }),
        },
        () => ({
          id: randomUUID(),
        }),
      ),
      defineOperation(
        { ...shape, method: 'PUT', id: 'put', path: '/v1/messages', input, output: z.object({ id: z.string() }) },
        () => ({ id: randomUUID() }),
      ),
    ];
  }

  async function post(
    key: string,
    sent: object | string,
    { path = '/v1/messages', auth = good, method = 'POST' as 'POST' | 'PUT' } = {},
  ) {
    const reply = await open.door.inject({
      method,
      url: path,
      headers: { authorization: auth, 'content-type': 'application/json', 'idempotency-key': key },
      payload: typeof sent === 'string' ? sent : JSON.stringify(sent),
    });
    return {
      status: reply.statusCode,
      body: reply.json(),
      headers: reply.headers,
      replayed: reply.headers['idempotent-replayed'],
    };
  }

  const countRan = (to: string): number => ran.filter((who) => who === to).length;
  function shut(): void {
    let openGate = (): void => undefined;
    const wait = new Promise<void>((resolve) => {
      openGate = resolve;
    });
    gate = { wait, open: openGate };
  }

  test('runs once and is answered again from what was stored, whatever the order of its fields', async () => {
    const first = await post('k1', '{"to":"a","mode":"x"}');
    const again = await post('k1', '{ "mode":"x", "to":"a" }', { path: '/v1/messages/' });
    assert.deepEqual([first.status, first.replayed], [200, undefined]);
    assert.deepEqual([again.status, again.replayed, again.body], [200, 'true', first.body]);
    assert.equal((await post('"k1"', { to: 'a', mode: 'x' })).replayed, 'true');
    assert.equal(countRan('a'), 1);
  });

  test('another body, path or parameter under its key is 422; another application has keys of its own', async () => {
    await post('k2', { to: 'b' });
    for (const reply of [
      await post('k2', { to: 'c' }),
      await post('k2', { to: 'b' }, { path: '/v1/deeds/one' }),
      await post('k2', { nonsense: true }),
    ])
      assert.deepEqual(
        [reply.status, reply.body.code, reply.body.message],
        [422, 3002, 'Idempotency-Key: reused with another request'],
      );
    await post('k2b', { to: 'b' }, { path: '/v1/deeds/one' });
    assert.equal((await post('k2b', { to: 'b' }, { path: '/v1/deeds/two' })).status, 422);
    assert.deepEqual([(await post('k2', { to: 'c' }, { auth: other })).status, countRan('c')], [200, 1]);
  });

  test('while it runs, a repetition is told to wait; of 100 at once one runs', async () => {
    shut();
    const all = Array.from({ length: 100 }, () => post('k3', { to: 'd' }));
    const early = await Promise.race(all);
    assert.deepEqual(
      [early.status, early.body.code, early.body.message],
      [409, 3002, 'Idempotency-Key: request in progress'],
    );
    assert.equal(early.headers['retry-after'], '1');
    gate?.open();
    gate = undefined;
    const replies = await Promise.all(all);
    assert.equal(countRan('d'), 1);
    const fresh = replies.filter(({ status, replayed }) => status === 200 && replayed === undefined);
    assert.equal(fresh.length, 1);
    assert.ok(replies.every(({ status }) => status === 200 || status === 409));
    assert.deepEqual((await post('k3', { to: 'd' })).body, fresh[0]?.body);
  });

  test('an error of any kind frees the key', async () => {
    for (const mode of ['refused', 'bug']) {
      const [first, second] = [await post('k4', { to: mode, mode }), await post('k4', { to: mode, mode })];
      assert.deepEqual([first.replayed, second.replayed, first.status === second.status], [undefined, undefined, true]);
      assert.equal(countRan(mode), 2);
    }
    assert.equal((await post('k4', { to: 7 })).body.message, 'to: must be a string');
    assert.equal((await post('k4', { to: 'e' })).status, 200);
  });

  test('a deed and its stored answer stand or fall together', async () => {
    const path = '/v1/deeds/x';
    assert.equal((await post('k5', { to: 'f', mode: 'rolled back' }, { path })).status, 400);
    const first = await post('k5', { to: 'f' }, { path });
    const again = await post('k5', { to: 'f' }, { path });
    assert.deepEqual([first.replayed, again.replayed, again.body], [undefined, 'true', first.body]);
    assert.equal((await get().db.query(sql`select from deeds where who = 'f'`)).length, 1);
  });

  test('after a deed has committed, its answer is replayed even though its process died before answering', async () => {
    const keys = createIdempotency({ db: get().db, keyring, log });
    const asked = { applicationId: '11', key: 'k6', identity: 'x' };
    const claimed = await keys.claim(asked);
    assert.ok(claimed.kind === 'fresh');
    await get().db.transaction((tx) => storeAnswer(tx, claimed.ticket, { id: '9' }));
    assert.deepEqual(await keys.claim(asked), { kind: 'replay', answer: { id: '9' } });
  });

  test('the claim of a process that died is taken over by the same request after a minute, by one of many', async () => {
    const keys = createIdempotency({ db: get().db, keyring, log });
    const asked = { applicationId: '11', key: 'k7', identity: 'x' };
    const dead = await keys.claim(asked);
    assert.ok(dead.kind === 'fresh');
    await assert.rejects(keys.claim(asked), { status: 409 });
    await get().clock.travel(60_001);
    await assert.rejects(keys.claim({ ...asked, identity: 'y' }), { status: 422 });
    const nodes = Array.from({ length: 5 }, () => createIdempotency({ db: get().db, keyring, log }));
    const outcomes = await Promise.allSettled(nodes.map((node) => node.claim(asked)));
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    // The dead comes back: it neither frees nor answers what another holds now.
    await keys.release(dead.claim);
    await keys.finish(dead.claim, { id: 'late' });
    await assert.rejects(keys.claim(asked), { status: 409 });
  });

  test('a deed that lost its key to another process rolls back', async () => {
    const keys = createIdempotency({ db: get().db, keyring, log });
    const claimed = await keys.claim({ applicationId: '11', key: 'k8', identity: 'x' });
    assert.ok(claimed.kind === 'fresh');
    const { ticket } = claimed;
    await keys.finish(claimed.claim, { id: 'other' });
    const late = get().db.transaction(async (tx) => {
      await tx.query(sql`insert into deeds (who) values ('late')`);
      await storeAnswer(tx, ticket, { id: 'mine' });
    });
    await assert.rejects(late, { status: 409 });
    assert.deepEqual(
      [ticket.stored, (await get().db.query(sql`select from deeds where who = 'late'`)).length],
      [false, 0],
    );
  });

  test('the answers of a whole batch are stored by one statement, requests without a key among them', async () => {
    const keys = createIdempotency({ db: get().db, keyring, log });
    const asked = ['k9', 'k10'].map((key) => ({ applicationId: '11', key, identity: 'x' }));
    const claimed = await Promise.all(asked.map((request) => keys.claim(request)));
    const [one, two] = claimed.map((claim) => (claim.kind === 'fresh' ? claim.ticket : null));
    assert.ok(one && two);
    const rows = relation([one, null, two], {
      application_id: ['bigint', () => '11'],
      idempotency_key: ['text', (ticket) => ticket?.key],
      answer: ['jsonb', (ticket) => ticket?.seal({ key: ticket.key })],
    });
    await get().db.query(sql`with finished as (${finishRows(rows)}) select count(*) from finished`);
    for (const request of asked)
      assert.deepEqual(await keys.claim(request), { kind: 'replay', answer: { key: request.key } });
  });

  test('a field that may not rest is not stored and comes from the repeated body', async () => {
    const path = '/v1/verifications';
    const first = await post('k11', { to: '482913' }, { path });
    const again = await post('k11', { to: '482913' }, { path });
    assert.deepEqual([again.replayed, again.body], ['true', first.body]);
    const rows = await get().db.query(sql`select * from idempotency_keys where key = 'k11'`);
    assert.doesNotMatch(JSON.stringify(rows), /482913/);
  });

  test('has its answer kept for its own key alone, sealed', async () => {
    const { db } = get();
    const deed = { path: '/v1/deeds/x' };
    const body = { to: 'n' };
    const answers = new Map<string, unknown>();
    for (const [key, options] of [
      ['k16', {}],
      ['k17', {}],
      ['k18', deed],
      ['k19', deed],
    ] as const)
      answers.set(key, (await post(key, body, options)).body);
    const kept = await db.query<{ type: string }>(
      sql`select jsonb_typeof(answer) as type from idempotency_keys where key in ('k16', 'k17', 'k18', 'k19')`,
    );
    assert.deepEqual(kept, Array(4).fill({ type: 'string' }));
    await db.query(
      sql`update idempotency_keys set answer = (select answer from idempotency_keys where key = 'k16') where key = 'k17'`,
    );
    const moved = await post('k17', body);
    assert.deepEqual([moved.status, moved.replayed], [500, undefined]);
    assert.deepEqual((await post('k16', body)).body, answers.get('k16'));
    assert.deepEqual((await post('k18', body, deed)).body, answers.get('k18'));
    assert.notDeepEqual(answers.get('k18'), answers.get('k19'));
  });

  test('that was answered by a release which kept answers in clear is replayed all the same', async () => {
    await post('k20', { to: 'o' });
    await get().db.query(sql`update idempotency_keys set answer = '{"id":"of old"}' where key = 'k20'`);
    for (let i = 0; i < 2; i++) {
      const { status, replayed, body: answer } = await post('k20', { to: 'o' });
      assert.deepEqual([status, replayed, answer], [200, 'true', { id: 'of old' }]);
    }
    assert.equal(countRan('o'), 1);
  });

  test('is forgotten after 24 hours, and swept', async () => {
    await post('k12', { to: 'g' });
    await get().clock.travel(86_400_001);
    assert.deepEqual([(await post('k12', { to: 'h' })).replayed, countRan('h')], [undefined, 1]);
    await post('k13', { to: 'h' });
    await get().clock.travel(86_000_000);
    assert.equal((await post('k13', { to: 'h' })).replayed, 'true');
    await get().clock.travel(400_001);
    assert.ok((await open.door.sweep()) >= 2);
    assert.deepEqual(await get().db.query(sql`select from idempotency_keys`), []);
  });

  test('the operator has keys too; other methods than POST ignore them', async () => {
    const admin = { path: '/admin/v1/x', auth: operatorToken };
    const [first, again] = [await post('k14', { to: 'i' }, admin), await post('k14', { to: 'i' }, admin)];
    assert.deepEqual([again.replayed, again.body], ['true', first.body]);
    assert.equal((await post('k14', { to: 'i' }, { method: 'PUT' })).replayed, undefined);
    assert.equal((await post('k14', { to: 'j' }, { method: 'PUT' })).status, 200);
  });

  test('a key is 1 to 255 printable ASCII characters', async () => {
    for (const key of ['""', 'ä', '\u0001', 'x'.repeat(256)]) {
      const reply = await post(key, { to: 'k' });
      assert.deepEqual([reply.status, reply.body.code], [400, 3002], JSON.stringify(key));
    }
    for (const key of ['x'.repeat(255), ' !~,"'.trim(), '"', 'a, b'])
      assert.equal((await post(key, { to: 'l' })).status, 200);
  });

  test('an answer that could not be stored is given all the same: its deed is done', async () => {
    const { db } = get();
    const broken = openDoor(
      {
        ...get(),
        db: {
          ...db,
          batch: (spec) =>
            db.batch({
              ...spec,
              run: async (on, items) => {
                if (items.some((item) => 'answer' in (item as object)))
                  throw new DatabaseUnavailable(new Error('gone'));
                return spec.run(on, items);
              },
            }),
        },
      },
      { operations: operations() },
    );
    const reply = await broken.door.inject({
      method: 'POST',
      url: '/v1/messages',
      headers: { authorization: good, 'content-type': 'application/json', 'idempotency-key': 'k15' },
      payload: { to: 'm' },
    });
    assert.equal(reply.statusCode, 200);
    assert.match(broken.lines.join(''), /not stored/);
    await broken.door.close();
  });
});

test('canonical JSON is one text for one value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const reversed = JSON.parse(JSON.stringify(value), (_key, part: unknown) =>
        typeof part === 'object' && part !== null && !Array.isArray(part)
          ? Object.fromEntries(Object.entries(part).reverse())
          : part,
      );
      assert.equal(canonicalJson(reversed), canonicalJson(value));
      assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)));
    }),
  );
});
