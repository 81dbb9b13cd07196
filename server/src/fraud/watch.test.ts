/** What a node knows of the traffic, and up to when it knows it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptedAttempts } from '../delivery/index.ts';
import { appendEvents } from '../events/index.ts';
import { sentCountries } from '../insights/index.ts';
import { messageFacts } from '../messages/index.ts';
import { createLog } from '../platform/log.ts';
import { openPostgres } from '../platform/postgres.ts';
import { sql } from '../platform/sql.ts';
import { onEachApp } from '../testing/app.ts';
import { openApplication } from '../testing/application.ts';
import { onEachEngine } from '../testing/database.ts';
import { untilLedgerIsSettled } from '../testing/horizon.ts';
import { ask, send, under } from '../testing/traffic.ts';
import { until } from '../testing/until.ts';
import { readBeat } from './store.ts';
import { createWatch } from './watch.ts';

const minute = 60_000;
const relations = { facts: messageFacts(), acceptances: acceptedAttempts(), countries: sentCountries() };
const everything = { goOn: () => true, restFactor: 0, atMostMs: Number.POSITIVE_INFINITY };

onEachEngine('watching the ledger', (get, kind) => {
  const newWatch = () => {
    const watch = createWatch({ db: get().db, relations, isExempt: () => false });
    const read = async (): Promise<void> => watch.read(await readBeat(get().db), everything);
    return { watch, read };
  };
  const share = ({ watch }: ReturnType<typeof newWatch>, id: string) => {
    const { book, knownUntilMs } = watch.of(id);
    return book.factsOf(ask(id, '+6591239999'), get().clock.now(), knownUntilMs)('verified_share_of_prefix_30m');
  };

  test('before it has read the past it knows of a send only what the send says', async () => {
    const { watch } = newWatch();
    const { book, knownUntilMs } = watch.of('5001');
    const facts = book.factsOf(ask('5001', '+6591239999'), get().clock.now(), knownUntilMs);
    assert.deepEqual([facts('country'), facts('is_first_country'), facts('sends_to_prefix_30m')], ['SG', null, null]);
  });

  test('reads in chunks, more than one of each application, and leaves none out', async () => {
    const { db } = get();
    for (const id of ['5002', '5003']) await send(db, id, under('659123', 1_200));
    const one = newWatch();
    await one.read();
    for (const id of ['5002', '5003'])
      assert.equal(
        one.watch.of(id).book.factsOf(ask(id, '+6591239999'), get().clock.now())('sends_to_prefix_30m'),
        1_200,
      );
  });

  if (kind === 'postgres')
    test('a long transaction of somebody else hides what is verified: no code counts as unverified meanwhile', async () => {
      const { db, clock, url = '' } = get();
      const id = '5004';
      const ids = await send(db, id, under('659123', 20));
      const one = newWatch();
      await until('the watch knows what was sent', async () => {
        await one.read();
        return (one.watch.of(id).knownUntilMs ?? 0) >= clock.now() - 1_000;
      });
      const holder = openPostgres({ url, log: createLog('silent') });
      await holder.transaction(async (tx) => {
        await tx.query(sql`select pg_current_xact_id()`);
        await appendEvents(
          db,
          ids.map((messageId) => ({
            applicationId: id,
            messageId,
            cause: 'verified',
            status: 'verified',
            sequence: 2,
          })),
        );
        await clock.travel(6 * minute);
        await one.read();
        await one.read();
        assert.ok((one.watch.of(id).knownUntilMs ?? 0) < clock.now() - 5 * minute);
        assert.equal(share(one, id), null);
      });
      await holder.close();
      await untilLedgerIsSettled(db);
      await until('the watch knows what was verified', async () => {
        await one.read();
        return share(one, id) === 1;
      });
    });
});

onEachApp('real sends', (get) => {
  test('teach where they came from, what was verified, and by which provider', async () => {
    const box = get();
    const application = await openApplication(box);
    const verified = 15;
    for (let i = 0; i < 20; i++) {
      const { messageId, code } = await application.sendCode(`+6591230${100 + i}`, {
        signals: { ip: '203.0.113.7', device_id: 'device' },
      });
      if (i < verified) assert.equal((await application.verify(messageId, code)).body.verified, true);
    }
    await box.live(3);
    await box.database.clock.travel(6 * minute);
    await box.settle();
    const watch = createWatch({ db: box.database.db, relations, isExempt: () => false });
    await until('the watch knows all of it', async () => {
      await watch.read(await readBeat(box.database.db), everything);
      return (watch.of(application.id).knownUntilMs ?? 0) > box.database.clock.now() - 5_000;
    });
    const { book, knownUntilMs } = watch.of(application.id);
    const asked = ask(application.id, '+6591230500', { ip: '203.0.113.7', deviceId: 'device' });
    const facts = book.factsOf(asked, box.database.clock.now(), knownUntilMs);
    const told = ['targets_per_ip_1h', 'targets_per_device_1h', 'sends_to_prefix_30m', 'sequential_numbers'] as const;
    assert.deepEqual(told.map(facts), [20, 20, 20, 20]);
    assert.equal(facts('verified_share_of_prefix_30m'), verified / 20);
    assert.equal(facts('is_first_country'), false);
    await box.database.clock.travel(10 * minute);
    const later = book.factsOf(asked, box.database.clock.now());
    assert.equal(later('verified_share_of_country_24h'), verified / 20);
    assert.equal(later('verified_share_of_provider_24h'), verified / 20);
  });
});
