import assert from 'node:assert/strict';
import { test } from 'node:test';
import { raw } from '../platform/sql.ts';
import { onEachEngine, type TestDatabase } from '../testing/database.ts';
import {
  type Fixture,
  keyring,
  never,
  newApplication,
  newMessageId,
  onSms,
  openSandbox,
  outgoing,
  upstreamIdOf,
} from './fixture.ts';
import type { Reaction } from './reaction.ts';

const all = { waitMs: 0, after: '0', limit: 100 };
const to = '+6591234567';

onEachEngine('a hand-over to the virtual network', (get) => {
  async function within(work: (fixture: Fixture, database: TestDatabase) => Promise<void>): Promise<void> {
    const fixture = await openSandbox(get());
    try {
      await work(fixture, get());
    } finally {
      await fixture.close();
    }
  }
  const shown = (fixture: Fixture, applicationId: string, recipient = to) =>
    fixture.sandbox.messages(applicationId, { ...all, to: recipient }, never());

  test('is on the handset at once, with everything a person or a test wants to see', () =>
    within(async (fixture) => {
      const applicationId = newApplication();
      const message = outgoing({ applicationId, channel: 'whatsapp', step: 2, attempt: 3 });
      assert.equal((await fixture.upstream.send(message, never())).kind, 'accepted');
      const [seen, ...others] = await shown(fixture, applicationId);
      assert.equal(others.length, 0);
      const { received_at, ...rest } = seen ?? { received_at: '' };
      assert.match(received_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.deepEqual(rest, {
        message_id: message.messageId,
        to,
        channel: 'whatsapp',
        language: 'en',
        text: '482913 is your Acme verification code.',
        code: '482913',
        step: 2,
        attempt: 3,
        segments: 1,
      });
    }));

  test('shows a double send as two messages with two upstream ids', () =>
    within(async (fixture) => {
      const applicationId = newApplication();
      const message = outgoing({ applicationId });
      const ids = await Promise.all([1, 2].map(() => fixture.upstream.send(message, never()).then(upstreamIdOf)));
      assert.equal(new Set(ids).size, 2);
      assert.equal((await shown(fixture, applicationId)).length, 2);
    }));

  test('keeps text and code sealed in the database', () =>
    within(async (fixture, { db }) => {
      const applicationId = newApplication();
      await fixture.upstream.send(
        outgoing({ applicationId, code: '7531902', content: { text: 'use 7531902', language: 'en' } }),
        never(),
      );
      const rows = await db.query<{ row: string }>(
        raw(`select handset_messages::text as row from handset_messages where application_id = ${applicationId}`),
      );
      assert.equal(rows.length, 1);
      const hexCode = Buffer.from('7531902').toString('hex');
      assert.ok(!rows[0]?.row.includes('7531902') && !rows[0]?.row.includes(hexCode));
      assert.throws(() => keyring.open('handset', Buffer.alloc(40), `${applicationId}:1`));
    }));

  test('done many at a time answers each in its own way', () =>
    within(async (fixture) => {
      const applicationId = newApplication();
      await fixture.sandbox.scriptRecipient(
        applicationId,
        '+6590000000',
        onSms({ handOver: 'refuse', errorCode: 5018, receipt: 'none' }),
      );
      const sends = Array.from({ length: 450 }, (_, i) =>
        fixture.upstream.send(
          outgoing({ applicationId, to: i % 3 === 0 ? '+6590000000' : `+659${1_000_000 + i}` }),
          never(),
        ),
      );
      const outcomes = await Promise.all(sends);
      const ids = new Set<string>();
      for (const [i, outcome] of outcomes.entries()) {
        if (i % 3 === 0)
          assert.deepEqual(outcome, {
            kind: 'refused',
            temporary: false,
            errorCode: 5018,
            reason: 'upstream_error',
            detail: 'handset off or suspended',
          });
        else ids.add(upstreamIdOf(outcome));
      }
      assert.equal(ids.size, 300);
      assert.equal((await shown(fixture, applicationId, '+6590000000')).length, 0);
      assert.equal((await shown(fixture, applicationId, `+659${1_000_001}`)).length, 1);
    }));

  const scripted: { title: string; reaction: Partial<Reaction>; outcome: string; onHandset: number }[] = [
    {
      title: 'refused for good',
      reaction: { handOver: 'refuse', errorCode: 5020, receipt: 'none' },
      outcome: 'refused 5020',
      onHandset: 0,
    },
    {
      title: 'refused for now',
      reaction: { handOver: 'refuse_temporarily', errorCode: 5016, receipt: 'none' },
      outcome: 'refused for now 5016',
      onHandset: 0,
    },
    { title: 'lost', reaction: { lost: true, receipt: 'none' }, outcome: 'accepted', onHandset: 0 },
    { title: 'delayed', reaction: { arriveAfterMs: 60_000 }, outcome: 'accepted', onHandset: 0 },
    { title: 'not answered', reaction: { handOver: 'no_answer', receipt: 'none' }, outcome: 'unknown', onHandset: 1 },
    {
      title: 'not answered and lost',
      reaction: { handOver: 'no_answer', lost: true, receipt: 'none' },
      outcome: 'unknown',
      onHandset: 0,
    },
  ];
  for (const { title, reaction, outcome, onHandset } of scripted) {
    test(`by script is ${title}, on its channel alone`, () =>
      within(async (fixture) => {
        const applicationId = newApplication();
        await fixture.sandbox.scriptRecipient(applicationId, to, onSms(reaction));
        const answer = await fixture.upstream.send(
          outgoing({ applicationId }),
          AbortSignal.timeout(reaction.handOver === 'no_answer' ? 40 : 5_000),
        );
        const text =
          answer.kind === 'refused' ? `refused${answer.temporary ? ' for now' : ''} ${answer.errorCode}` : answer.kind;
        assert.equal(text, outcome);
        assert.equal((await shown(fixture, applicationId)).length, onHandset);
        await fixture.upstream.send(outgoing({ applicationId, channel: 'voice' }), never());
        assert.equal((await shown(fixture, applicationId)).length, onHandset + 1);
        const stranger = newApplication();
        await fixture.upstream.send(outgoing({ applicationId: stranger }), never());
        assert.equal((await shown(fixture, stranger)).length, 1);
      }));
  }

  test('that is delayed appears when its time has come', () =>
    within(async (fixture, { clock }) => {
      const applicationId = newApplication();
      await fixture.sandbox.scriptRecipient(applicationId, to, onSms({ arriveAfterMs: 60_000 }));
      await fixture.upstream.send(outgoing({ applicationId }), never());
      await clock.travel(60_000);
      assert.equal((await shown(fixture, applicationId)).length, 1);
    }));

  test('to a refused magic recipient is refused even if it comes this far', () =>
    within(async (fixture) => {
      const answer = await fixture.upstream.send(
        outgoing({ applicationId: newApplication(), to: '+10000000011' }),
        never(),
      );
      assert.deepEqual(answer, {
        kind: 'refused',
        temporary: false,
        errorCode: 5013,
        reason: 'upstream_error',
        detail: 'number on the blacklist',
      });
    }));

  test('while the database is away is unknown, and the network goes on afterwards', () =>
    within(async (fixture, { db }) => {
      const applicationId = newApplication();
      await db.query(raw('alter table handset_messages rename to handset_messages_away'));
      const answer = await fixture.upstream.send(outgoing({ applicationId, messageId: newMessageId() }), never());
      await db.query(raw('alter table handset_messages_away rename to handset_messages'));
      assert.equal(answer.kind, 'unknown');
      assert.equal((await fixture.upstream.send(outgoing({ applicationId }), never())).kind, 'accepted');
    }));
});
