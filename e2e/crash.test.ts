/**
 * Killed at random moments under load, on both databases: what was acknowledged exists, ends, and arrives once unless its attempt
 * was unknown. E2E_KILLS sets how often each database's server is killed, E2E_SEED repeats the moments of a run.
 */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { sql } from '../server/src/platform/sql.ts';
import { until } from '../server/src/testing/until.ts';
import { type Client, isFinal, keyClient, liftThrottle } from './client.ts';
import { type Load, startLoad } from './load.ts';
import { openSite, type Site } from './site.ts';

const kills = Number(process.env['E2E_KILLS'] ?? 20);
const seed = Number(process.env['E2E_SEED'] ?? Date.now() % 1_000_000);
const connections = 12;
/** Leases of attempts last 15 s, of receipts 30 s; then the machine needs its time. */
const finalWithinMs = 90_000;

// At once: most of the time is waiting for leases to lapse.
describe('crashes', { concurrency: true }, () => {
  for (const kind of ['pglite', 'postgres'] as const) {
    test(`nothing acknowledged is lost and nothing arrives twice over ${kills} kills under load (${kind})`, async (t) => {
      t.diagnostic(`seed ${seed}`);
      const random = randomFrom(seed);
      const site = await openSite(t, kind);
      let server = await site.start();
      await liftThrottle(server.address);
      const load = startLoad(connections);
      t.after(() => load.stop());
      for (let kill = 0; kill < kills; kill++) {
        load.use(server.address);
        await load.more(1 + Math.floor(random() * 150));
        await server.kill();
        server = await site.start();
      }
      await load.stop();

      const client = keyClient(server.address);
      await allFinal(client, load.acknowledged);
      await allVerified(client, load.verified);
      assert.deepEqual([...load.refusals], [], 'a server that runs refuses nothing');
      assert.equal(await server.stop(), 0);
      await arrivedOnce(t, site, load);
    });
  }

  test('a node that is killed is replaced: the other one finishes its messages when the leases lapse', async (t) => {
    const site = await openSite(t, 'postgres');
    const first = await site.start();
    await liftThrottle(first.address);
    const second = await site.start();
    const load = startLoad(connections);
    t.after(() => load.stop());
    load.use(first.address);
    await load.more(200);
    await first.kill();
    await load.stop();

    const client = keyClient(second.address);
    await allFinal(client, load.acknowledged);
    await allVerified(client, load.verified);
    assert.equal(await second.stop(), 0);
    await arrivedOnce(t, site, load);
  });
});

/** Every message exists and has come to its end. */
async function allFinal(client: Client, ids: readonly string[]): Promise<void> {
  let left = [...ids];
  await until(
    'every acknowledged message is final',
    async () => {
      const views = await inTurns(left, (id) => view(client, id));
      left = left.filter((_, i) => !isFinal(views[i]));
      if (left.length > 0)
        throw new Error(
          `${left.length} are not, such as ${left[0]}: ${JSON.stringify(views.find((one) => !isFinal(one)))}`,
        );
      return true;
    },
    finalWithinMs,
  );
}

async function view(client: Client, id: string) {
  const reply = await client.call('GET', `/v1/messages/${id}`);
  assert.equal(reply.status, 200, `the acknowledged message ${id} is gone: ${JSON.stringify(reply.body)}`);
  return reply.body;
}

async function allVerified(client: Client, ids: readonly string[]): Promise<void> {
  for (const message of await inTurns(ids, (id) => view(client, id))) {
    assert.equal(message.verification.state, 'verified', `${message.message_id} had been answered as verified`);
  }
}

interface Arrival {
  message_id: string;
  arrivals: number;
  unknowns: number;
}

async function arrivedOnce(t: TestContext, site: Site, load: Load): Promise<void> {
  const rows = await site.withDb((db) =>
    db.query<Arrival>(sql`
      select m.id as message_id,
        (select count(*)::int from handset_messages h where h.application_id = m.application_id
          and h.recipient = m.recipient and h.message_id = m.id) as arrivals,
        (select count(*)::int from events e where e.application_id = m.application_id and e.message_id = m.id
          and e.cause = 'attempt_unknown') as unknowns
      from messages m`),
  );
  const stored = new Map(rows.map((row) => [row.message_id, row]));
  for (const id of load.acknowledged) {
    const row = stored.get(id);
    assert.ok(row, `the acknowledged message ${id} is not stored`);
    assert.ok(row.arrivals >= 1 || row.unknowns >= 2, `the acknowledged message ${id} never arrived`);
  }
  const repeated = rows.filter(({ arrivals }) => arrivals > 1);
  const unknown = rows.filter(({ unknowns }) => unknowns > 0);
  for (const { message_id, arrivals, unknowns } of repeated) {
    assert.ok(arrivals <= 1 + unknowns, `${message_id} arrived ${arrivals} times with ${unknowns} unknown attempts`);
  }
  t.diagnostic(
    `${load.acknowledged.length} acknowledged, ${load.verified.length} verified, ${rows.length} stored, ` +
      `${unknown.length} with an unknown attempt, ${repeated.length} arrived again`,
  );
}

/** Some at once, in order. */
async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i] as T);
    }),
  );
  return results;
}

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
