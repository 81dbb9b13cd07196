import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Db } from '../platform/db.ts';
import { createLog } from '../platform/log.ts';
import { openPostgres } from '../platform/postgres.ts';
import { raw } from '../platform/sql.ts';
import { type Application, policySchema } from '../policy.ts';
import { onEachEngine, openTestDatabase, type TestDatabase } from '../testing/database.ts';
import { smsBody } from './fixture.ts';
import { createTemplates, type Templates } from './index.ts';
import { createLookup, type Lookup } from './lookup.ts';

const log = createLog('silent');
const application = (id: string): Application => ({
  id,
  organizationId: '1',
  name: 'Shop',
  network: 'virtual',
  sandbox: 'none',
  policy: policySchema.parse({ template_review: 'auto' }),
});

/** A database whose answers to lookups can be held back after they were read, and counted. */
function gated(db: Db): { db: Db; reads(): number; hold(): { reached: Promise<void>; release(): void } } {
  let reads = 0;
  let gate: { passed: Promise<void>; reach(): void } | undefined;
  return {
    db: {
      ...db,
      query: async (statement) => {
        const rows = await db.query<never>(statement);
        if (statement.strings.join('').includes('t.live, r.body')) {
          reads++;
          gate?.reach();
          await gate?.passed;
        }
        return rows;
      },
    },
    reads: () => reads,
    hold() {
      const reached = Promise.withResolvers<void>();
      const passed = Promise.withResolvers<void>();
      gate = { passed: passed.promise, reach: reached.resolve };
      return {
        reached: reached.promise,
        release() {
          gate = undefined;
          passed.resolve();
        },
      };
    },
  };
}

onEachEngine('the cache of templates', (get) => {
  test('a template is read once for many sends', async () => {
    const { db, reads } = gated(get().db);
    const templates = createTemplates({ db, log });
    await templates.save(application('1'), smsBody());
    await Promise.all(Array.from({ length: 20 }, () => templates.findForSend('1', 'signin_demo')));
    await templates.findForSend('1', 'signin_demo');
    assert.equal(reads(), 1);
  });

  test('a missing or unapproved template is not kept', async () => {
    const { db, reads } = gated(get().db);
    const templates = createTemplates({ db, log });
    for (let i = 0; i < 3; i++) assert.equal((await templates.findForSend('2', 'signin_demo')).kind, 'missing');
    assert.equal(reads(), 3);
    await templates.save(application('2'), smsBody());
    assert.equal((await templates.findForSend('2', 'signin_demo')).kind, 'ok');
  });

  /** A lookup that has read the template when it is deleted, and is answered only after `release`. */
  async function outrun(id: string): Promise<{ templates: Templates; early: Promise<Lookup>; release(): void }> {
    const { db, hold } = gated(get().db);
    const templates = createTemplates({ db, log });
    await templates.save(application(id), smsBody());
    const { reached, release } = hold();
    const early = templates.findForSend(id, 'signin_demo');
    await reached;
    await templates.remove(application(id), 'signin_demo');
    return { templates, early, release };
  }

  test('a load under way during a write serves no send that comes after the write', async () => {
    const { templates, early, release } = await outrun('3');
    const late = templates.findForSend('3', 'signin_demo');
    release();
    assert.equal((await late).kind, 'missing');
    assert.equal((await early).kind, 'ok');
  });

  test('a load under way during a write does not put old data back', async () => {
    const { templates, early, release } = await outrun('5');
    release();
    assert.equal((await early).kind, 'ok');
    assert.equal((await templates.findForSend('5', 'signin_demo')).kind, 'missing');
  });

  test('the number of kept templates is bounded', async () => {
    const { db, reads } = gated(get().db);
    const templates = createTemplates({ db: get().db, log });
    const names = ['a', 'b', 'c'];
    for (const template_id of names) await templates.save(application('4'), smsBody({ template_id }));
    const lookup = createLookup({ db, log, capacity: 2 });
    for (const name of names) await lookup.find('4', name);
    assert.equal(reads(), 3);
    await lookup.find('4', 'b');
    await lookup.find('4', 'c');
    assert.equal(reads(), 3);
    await lookup.find('4', 'a');
    assert.equal(reads(), 4);
  });
});

describe('two nodes on one PostgreSQL database', () => {
  let database: TestDatabase;
  let other: Db;
  let here: Templates;
  let there: Templates;
  const app = application('9');
  before(async () => {
    database = await openTestDatabase('postgres');
    other = openPostgres({ url: database.url ?? '', log });
    here = createTemplates({ db: database.db, log });
    there = createTemplates({ db: other, log });
  });
  after(async () => {
    await other.close();
    await database.close();
  });

  /** Its `told` resolves once the other node was told; its templates listened first, so they know by then. */
  async function listenThere(wanted: string): Promise<{ told: Promise<void> }> {
    const { promise, resolve } = Promise.withResolvers<void>();
    await other.listen('templates', (payload) => {
      if (payload === wanted) resolve();
    });
    return { told: promise };
  }
  const revisionThere = async (): Promise<unknown> => {
    const found = await there.findForSend(app.id, 'signin_demo');
    return found.kind === 'ok' ? found.template.revision : found.kind;
  };
  async function expectThere(deed: () => Promise<unknown>, expected: unknown): Promise<void> {
    await revisionThere();
    const { told } = await listenThere(`${app.id}:signin_demo`);
    await deed();
    await told;
    assert.equal(await revisionThere(), expected);
  }

  test('create, update, verdict, withdrawal and deletion here are seen there as soon as it is told', async () => {
    await expectThere(() => here.save(app, smsBody()), 1);
    await expectThere(() => here.update(app, 'signin_demo', smsBody()), 2);
    await expectThere(() => here.review(app.id, 'signin_demo', { approved: false }), 1);
    const manual = { ...app, policy: policySchema.parse({}) };
    await expectThere(() => here.update(manual, 'signin_demo', { ...smsBody(), withdraw: true }), 'not_approved');
    await expectThere(() => here.review(app.id, 'signin_demo', { approved: true }), 3);
    await expectThere(() => here.remove(app, 'signin_demo'), 'missing');
  });

  test('what changed while the other node could not hear is read anew once it hears again', async () => {
    await here.save(app, smsBody());
    assert.equal(await revisionThere(), 1);
    const { told } = await listenThere('');
    await database.db.query(
      raw(`select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'otp-platform-listen' and datname = current_database()`),
    );
    await here.update(app, 'signin_demo', smsBody());
    await told;
    assert.equal(await revisionThere(), 2);
  });
});
