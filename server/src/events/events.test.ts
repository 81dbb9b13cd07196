import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachEngine } from '../testing/database.ts';
import { appendEvents, listEvents } from './index.ts';

onEachEngine('the ledger', (get) => {
  test('entries of a message come back in the order written, with the time of the database clock', async () => {
    const { db, clock } = get();
    await appendEvents(db, [
      { applicationId: '1', messageId: '10', cause: 'accepted', status: 'plan', sequence: 1, channel: 'sms' },
      { applicationId: '1', messageId: '10', cause: 'wrong_code', data: { remaining: 4 } },
      { applicationId: '1', messageId: '11', cause: 'accepted', status: 'plan', sequence: 1 },
    ]);
    await clock.travel(3_600_000);
    await appendEvents(db, [
      { applicationId: '1', messageId: '10', cause: 'expired', status: 'verified_timeout', sequence: 2 },
    ]);
    const events = await listEvents(db, '1', '10');
    assert.deepEqual(
      events.map((event) => [event.cause, event.sequence, event.data]),
      [
        ['accepted', 1, undefined],
        ['wrong_code', undefined, { remaining: 4 }],
        ['expired', 2, undefined],
      ],
    );
    const first = events[0]?.at.getTime() ?? 0;
    assert.ok((events[2]?.at.getTime() ?? 0) - first >= 3_600_000);
    assert.deepEqual(await listEvents(db, '2', '10'), []);
  });
});
