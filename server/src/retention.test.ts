import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { publicSandboxApplicationId } from './accounts/index.ts';
import { sql } from './platform/sql.ts';
import { createRetention } from './retention.ts';
import { onEachApp } from './testing/app.ts';
import {
  bodyOf,
  newNumber,
  openApplication,
  type TestApplication,
  useApplication,
  wrongFor,
} from './testing/application.ts';

const dayMs = 86_400_000;

onEachApp('retention (contract §12, §13)', (get) => {
  const template = { template: { id: 'chain' } };
  let brief: TestApplication;
  let long: TestApplication;
  before(async () => {
    await get().database.clock.freeze();
    const templates = [
      { template_id: 'chain', send_channel_strategy: 'whatsapp|sms', resend: { mode: 'reuse', resend_after: 0 } },
    ];
    brief = await openApplication(get(), { policy: { retention_days: 2 }, templates });
    long = await openApplication(get(), { policy: { retention_days: 3650 }, templates });
  });

  const travel = (ms: number) => get().database.clock.travel(ms);
  const sweep = (): Promise<number> => get().app.retention.sweep();

  /** Rows about messages, by table. */
  async function kept({ id }: TestApplication): Promise<Record<string, number>> {
    const [row] = await get().database.db.query<Record<string, number>>(sql`select
      (select count(*) from messages where application_id = ${id})::int as messages,
      (select count(*) from deliveries where application_id = ${id})::int as deliveries,
      (select count(*) from attempts where application_id = ${id})::int as attempts,
      (select count(*) from verifications where application_id = ${id})::int as verifications,
      (select count(*) from verification_messages where application_id = ${id})::int as maps,
      (select count(*) from events where application_id = ${id} and message_id > 0)::int as events,
      (select count(*) from targets where application_id = ${id})::int as targets`);
    return row ?? {};
  }
  const nothing = { messages: 0, deliveries: 0, attempts: 0, verifications: 0, maps: 0, events: 0, targets: 0 };

  /** Two messages of one verification, handed over and checked wrong, and an own code. */
  async function send(app: TestApplication): Promise<string[]> {
    const to = newNumber();
    const first = await app.sendCode(to, template);
    const second = await app.sendCode(to, template);
    bodyOf(await app.verify(second.messageId, wrongFor(second.code)));
    const own = bodyOf(await app.call({ path: '/v1/codes', body: { to: newNumber(), code: '1', ...template } }));
    await get().live(2);
    return [first.messageId, second.messageId, own.message_id];
  }
  const states = async (app: TestApplication, ids: readonly string[]) =>
    Promise.all(ids.map(async (id) => (await app.call({ path: `/v1/messages/${id}` })).body.code ?? 'found'));

  test('ids answer 4001 from the retained time on; the sweep then erases every row of theirs and of nobody else', async () => {
    const old = await send(brief);
    const others = await send(long);
    const untouched = await kept(long);
    await travel(dayMs);
    const young = await send(brief);
    await sweep();
    assert.deepEqual(await states(brief, old), ['found', 'found', 'found']);
    await travel(dayMs - 2000);
    assert.deepEqual(await states(brief, old), [4001, 4001, 4001]);
    assert.notEqual((await kept(brief))['messages'], 3);
    await get().settle();
    const before = await kept(long);
    assert.ok((await sweep()) > 0);
    const { messages, deliveries, verifications, maps } = await kept(brief);
    assert.deepEqual(
      { messages, deliveries, verifications, maps },
      { messages: 3, deliveries: 3, verifications: 1, maps: 1 },
    );
    assert.deepEqual(await states(brief, young), ['found', 'found', 'found']);
    assert.deepEqual(await states(long, others), ['found', 'found', 'found']);
    await travel(3 * dayMs);
    await get().settle();
    await sweep();
    assert.deepEqual(await kept(brief), nothing);
    assert.deepEqual({ ...before, targets: 0 }, await kept(long), 'only counters of targets are forgotten early');
    assert.equal(untouched['messages'], 3);
    assert.equal(await sweep(), 0);
  });

  test('a sandbox is forgotten after 24 hours, while its application stays', async () => {
    const sandbox = useApplication(get(), publicSandboxApplicationId, 'sandbox_demo:sandbox_secret');
    bodyOf(await sandbox.send('+10000000000', { template: { id: 'sandbox-otp-tpl' } }));
    await get().live(3);
    await travel(dayMs);
    await get().settle();
    await sweep();
    assert.deepEqual(await kept(sandbox), nothing);
    bodyOf(await sandbox.send('+10000000000', { template: { id: 'sandbox-otp-tpl' } }));
  });

  test('a sweep goes through more rows and applications than it takes at once, and ends when told to stop', async () => {
    const { clock } = get().database;
    const log = { warn: () => undefined } as never;
    const left = new Map([
      ['a', 2500],
      ['b', 1000],
    ]);
    const remove = async (id: string, _below: string, limit: number): Promise<number> => {
      const some = Math.min(limit, left.get(id) ?? 0);
      left.set(id, (left.get(id) ?? 0) - some);
      return some;
    };
    const application = (id: string) => ({ id, sandbox: 'key', policy: {} }) as never;
    const pages: Record<string, string[]> = { '0': ['a'], a: ['b'], b: [] };
    const retention = createRetention({
      clock,
      log,
      applicationsAfter: async (afterId) => (pages[afterId] ?? []).map(application),
      forget: [remove],
      sweepTargets: async () => 0,
      sweepCounters: async () => 0,
    });
    assert.equal(await retention.sweep(), 3500);
    left.set('a', 10_000);
    await retention.stop();
    assert.equal(await retention.sweep(), 0);
  });
});
