/**
 * A thousand sends to one target over two processes of which one is killed: never more than the limits are accepted, what was
 * acknowledged is there, and the counters are what was accepted.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from '../server/src/platform/sql.ts';
import { type Client, firstApplication, keyClient, liftThrottle, newRecipient, operatorClient } from './client.ts';
import { openSite } from './site.ts';

const sends = Number(process.env['E2E_LIMIT_SENDS'] ?? 1_000);
const perTarget = 5;
const perAddress = 40;

const limits = [
  { name: 'target', per: 'target', limit: perTarget, window_seconds: 3_600 },
  { name: 'address', per: 'ip', limit: perAddress, window_seconds: 3_600 },
];

interface Sent {
  acknowledged: string[];
  refused: number;
  lost: number;
}

async function storm(
  clients: readonly Client[],
  to: () => string,
  ip: string,
  kill: () => Promise<void>,
): Promise<Sent> {
  const sent: Sent = { acknowledged: [], refused: 0, lost: 0 };
  let killing: Promise<void> | undefined;
  const one = async (i: number): Promise<void> => {
    const body = { to: to(), template: { id: 'login' }, signals: { ip } };
    const reply = await clients[i % clients.length]?.call('POST', '/v1/messages', { body }).catch(() => null);
    if (!reply) sent.lost++;
    else if (reply.status === 200) sent.acknowledged.push(reply.body.message_id);
    else {
      assert.equal(reply.status, 429, JSON.stringify(reply.body));
      sent.refused++;
      // The limit is reached, and sends are under way on both.
      killing ??= kill();
    }
  };
  await Promise.all(Array.from({ length: sends }, (_, i) => one(i)));
  await killing;
  return sent;
}

test('two processes, one of them killed, accept no more than the limits', async (t) => {
  const site = await openSite(t, 'postgres');
  const first = await site.start();
  await liftThrottle(first.address);
  const application = await firstApplication(first.address);
  const policy = {
    limits,
    resend_policy: { mode: 'rotate', resend_after: 0, max_sends: 1_000, window_seconds: 3_600 },
  };
  const patched = await operatorClient(first.address).call('PATCH', `/admin/v1/applications/${application}/policy`, {
    body: policy,
  });
  assert.equal(patched.status, 200, JSON.stringify(patched.body));
  let second = await site.start();
  const clients = [keyClient(first.address), keyClient(second.address)];
  const target = newRecipient();

  const targeted = await storm(clients, () => target, '203.0.113.1', second.kill);
  assert.ok(targeted.acknowledged.length <= perTarget, `${targeted.acknowledged.length} were acknowledged`);
  second = await site.start();
  clients[1] = keyClient(second.address);
  const spread = await storm(clients, newRecipient, '203.0.113.2', second.kill);
  assert.ok(spread.acknowledged.length <= perAddress, `${spread.acknowledged.length} were acknowledged`);

  const later = keyClient(first.address);
  const refused = await later.call('POST', '/v1/messages', {
    body: { to: newRecipient(), template: { id: 'login' }, signals: { ip: '203.0.113.2' } },
  });
  assert.deepEqual([refused.status, refused.body.details?.policy], [429, 'address']);
  await first.stop();

  const stored = await site.withDb((db) =>
    db.query<{ id: string; recipient: string; ip: string }>(
      sql`select id::text, recipient, signals ->> 'ip' as ip from messages where application_id = ${application}`,
    ),
  );
  const toTarget = stored.filter(({ recipient }) => recipient === target);
  const fromAddress = stored.filter(({ ip }) => ip === '203.0.113.2');
  assert.deepEqual([toTarget.length, fromAddress.length], [perTarget, perAddress]);
  const ids = new Set(stored.map(({ id }) => id));
  for (const id of [...targeted.acknowledged, ...spread.acknowledged]) assert.ok(ids.has(id), `${id} is gone`);
  const [counted] = await site.withDb((db) =>
    db.query<{ target: number; addresses: string }>(sql`
      select (select cardinality(send_times) from targets where application_id = ${application} and target = ${target}) as target,
        (select string_agg(counter || ' ' || (select sum(c) from unnest(counts) c), ', ' order by counter) from rate_counters
          where application_id = ${application}) as addresses`),
  );
  assert.deepEqual(counted, {
    target: perTarget,
    addresses: `send:ip:203.0.113.1 ${perTarget}, send:ip:203.0.113.2 ${perAddress}`,
  });
  for (const { acknowledged, refused: told, lost } of [targeted, spread])
    t.diagnostic(`${sends} sends: ${acknowledged.length} acknowledged, ${told} refused, ${lost} cut off`);
});
