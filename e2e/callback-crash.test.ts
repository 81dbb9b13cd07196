/**
 * Killed while ten thousand callbacks are on their way, several times: each event reaches the receiver at least once, the events of a
 * message in order, and what comes twice comes under the same id with the same body.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sql } from '../server/src/platform/sql.ts';
import { openReceiver, type Received } from '../server/src/testing/receiver.ts';
import { until } from '../server/src/testing/until.ts';
import { firstApplication, keyClient, liftThrottle, newRecipient, operatorClient, sendLogin } from './client.ts';
import { openSite } from './site.ts';

const messages = Number(process.env['E2E_CALLBACK_MESSAGES'] ?? 2_500);
const kills = 3;
const statusesPerMessage = 4;

interface Told {
  id: string;
  body: string;
  messageId: string;
  sequence: number;
}

function toldOf({ headers, raw, json }: Received): Told {
  const [row] = json.rows;
  return {
    id: String(headers['webhook-id']),
    body: raw.toString(),
    messageId: row.message_id,
    sequence: row.status.status_data.sequence,
  };
}

/** In which order the events of each message came first, and that repetitions repeat. */
function arrivals(all: readonly Received[]): Map<string, number[]> {
  const byId = new Map<string, string>();
  const order = new Map<string, number[]>();
  for (const { id, body, messageId, sequence } of all.map(toldOf)) {
    const before = byId.get(id);
    if (before !== undefined) assert.equal(body, before, `${id} came with another body`);
    else order.set(messageId, [...(order.get(messageId) ?? []), sequence]);
    byId.set(id, body);
  }
  return order;
}

describe('killed in the middle of callbacks', { concurrency: true }, () => {
  for (const kind of ['pglite', 'postgres'] as const) {
    test(`every event arrives, in order per message, repetitions under the same id (${kind})`, async (t) => {
      const receiver = await openReceiver();
      t.after(() => receiver.close());
      const site = await openSite(t, kind);
      const env = { OUTBOUND_ALLOW: '127.0.0.0/8' };
      let server = await site.start(env);
      await liftThrottle(server.address);
      const path = `/admin/v1/applications/${await firstApplication(server.address)}/callback-endpoints`;
      const made = await operatorClient(server.address).call('POST', path, {
        body: { url: receiver.url, description: 'crash', retry_schedule: 'fast', events: ['message_status'] },
      });
      assert.equal(made.status, 200, JSON.stringify(made.body));
      const isEvent = ({ json }: Received): boolean => json.total > 0;
      const events = (): Received[] => receiver.received.filter(isEvent);

      const client = keyClient(server.address);
      const acknowledged: string[] = [];
      for (let i = 0; i < messages; i += 50) {
        const replies = await Promise.all(Array.from({ length: 50 }, () => sendLogin(client, newRecipient())));
        for (const { status, body } of replies) {
          assert.equal(status, 200, JSON.stringify(body));
          acknowledged.push(body.message_id);
        }
        // The first death comes among the sends, the others while the rest is posted.
        if (i === messages / 2) break;
      }
      for (let kill = 1; kill <= kills; kill++) {
        const seen = events().length;
        await until('more callbacks', () => events().length >= seen + 100 || kill > 1, 20_000);
        await server.kill();
        server = await site.start(env);
        const next = keyClient(server.address);
        const part = Math.floor(messages / 2 / kills);
        for (let i = 0; i < part; i += 50) {
          const replies = await Promise.all(
            Array.from({ length: Math.min(50, part - i) }, () => sendLogin(next, newRecipient())),
          );
          for (const { body } of replies) acknowledged.push(body.message_id);
        }
      }
      const wanted = acknowledged.length * statusesPerMessage;
      const ids = new Set<unknown>();
      let counted = 0;
      await until(
        `${wanted} events`,
        () => {
          const all = events();
          for (const { headers } of all.slice(counted)) ids.add(headers['webhook-id']);
          counted = all.length;
          return ids.size >= wanted;
        },
        90_000,
      );
      const complete = arrivals(events());
      await server.stop();

      for (const [messageId, sequences] of complete)
        assert.deepEqual(
          sequences,
          [...sequences].sort((a, b) => a - b),
          `order of ${messageId}`,
        );
      const ledger = await site.withDb((db) =>
        db.query<{ message_id: string; sequences: number[] }>(sql`
          select message_id::text, array_agg(sequence order by sequence) as sequences from events
          where sequence is not null group by 1`),
      );
      assert.ok(ledger.length >= acknowledged.length);
      for (const { message_id, sequences } of ledger) assert.deepEqual(complete.get(message_id), sequences, message_id);
      const waiting = await site.withDb((db) => db.query(sql`select from callback_queue`));
      assert.deepEqual(waiting, []);
      const posts = events().length;
      t.diagnostic(
        `${acknowledged.length} messages, ${wanted} events, ${posts} posts, ${posts - wanted} repetitions, ${kills} kills`,
      );
    });
  }
});
