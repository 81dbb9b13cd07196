/** What may be posted when, over random histories: SEED repeats one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Endpoint } from '../callbacks/index.ts';
import type { Verdict } from './judge.ts';
import { Lane, type Unit } from './lane.ts';
import type { QueuedRow } from './queue-store.ts';

const endpointOf = (change: Partial<Endpoint> = {}): Endpoint =>
  ({ id: '1', concurrency: 4, ratePerSecond: null, batchRows: 1, ...change }) as Endpoint;

const rowOf = (messageId: string, position: number, change: Partial<QueuedRow> = {}): QueuedRow => ({
  endpointId: '1',
  applicationId: '7',
  messageId,
  position: String(position),
  eventId: String(position),
  status: 'sent',
  tries: 0,
  replayed: false,
  body: null,
  others: [],
  told: null,
  blocked: false,
  ...change,
});

const verdict = (change: Partial<Verdict> = {}): Verdict => ({
  outcome: 'accepted',
  httpStatus: 200,
  detail: null,
  response: null,
  nextInMs: null,
  pauseMs: 0,
  slowDown: false,
  gone: false,
  ...change,
});
const failed = verdict({ outcome: 'retry', slowDown: true });

const positions = (unit: Unit | null): string[] => unit?.rows.map(({ position }) => position) ?? [];

test('the next event of a message waits for the one before; other messages do not', () => {
  const lane = new Lane(endpointOf());
  lane.offer([rowOf('a', 1), rowOf('a', 2), rowOf('b', 3)], 0);
  const first = lane.take(0, false);
  assert.deepEqual([positions(first), positions(lane.take(0, false)), lane.take(0, false)], [['1'], ['3'], null]);
  lane.ended(verdict(), 0);
  assert.equal(lane.take(0, false), null, 'accepted, and not yet written down');
  lane.settled(first as Unit, false);
  assert.deepEqual(positions(lane.take(0, false)), ['2']);
});

test('a failure sends the later events of its message back to the database, and what an older look saw does not bring them', () => {
  const lane = new Lane(endpointOf());
  lane.offer([rowOf('a', 1), rowOf('a', 2)], 0);
  const first = lane.take(0, false) as Unit;
  lane.beginLook();
  lane.ended(failed, 0);
  lane.settled(first, true);
  assert.deepEqual([...lane.held()], []);
  assert.deepEqual(lane.offer([rowOf('a', 1), rowOf('a', 2)], 0), { taken: 0, blocked: [] });
  lane.beginLook();
  const later = rowOf('a', 3, { blocked: true });
  assert.deepEqual(lane.offer([later], 0), { taken: 0, blocked: [later] });
});

test('events of no message go side by side', () => {
  const lane = new Lane(endpointOf());
  lane.offer([rowOf('0', 1), rowOf('0', 2)], 0);
  assert.deepEqual([positions(lane.take(0, false)), positions(lane.take(0, false))], [['1'], ['2']]);
});

test('a batch waits a second for company, and goes at once when full or in a hurry', () => {
  const batching = (): Lane => {
    const lane = new Lane(endpointOf({ batchRows: 3 }));
    lane.offer([rowOf('a', 1), rowOf('a', 2)], 0);
    return lane;
  };
  const waiting = batching();
  assert.equal(waiting.take(999, false), null);
  assert.deepEqual(positions(waiting.take(1_000, false)), ['1', '2']);
  assert.deepEqual(positions(batching().take(0, true)), ['1', '2']);
  const full = batching();
  full.offer([rowOf('b', 3), rowOf('b', 4)], 0);
  assert.deepEqual(positions(full.take(0, false)), ['1', '2', '3']);
  assert.equal(full.take(0, true), null, 'a message of the batch under way');
});

test('what was posted before, and what is asked for again, is posted by itself', () => {
  const lane = new Lane(endpointOf({ batchRows: 3 }));
  lane.offer([rowOf('a', 1, { body: '{}', tries: 1 }), rowOf('b', 2, { replayed: true }), rowOf('c', 3)], 0);
  assert.deepEqual(
    [1, 2, 3].map(() => positions(lane.take(0, true))),
    [['1'], ['2'], ['3']],
  );
});

test('failures halve what goes at once down to one, successes bring it back', () => {
  const lane = new Lane(endpointOf({ concurrency: 8 }));
  lane.offer(
    Array.from({ length: 60 }, (_, i) => rowOf('0', i)),
    0,
  );
  const begin = (): number => {
    let count = 0;
    while (lane.take(0, false)) count++;
    return count;
  };
  assert.equal(begin(), 8);
  for (let i = 0; i < 8; i++) lane.ended(failed, 0);
  assert.equal(begin(), 1);
  lane.ended(verdict(), 0);
  assert.equal(begin(), 2);
  for (let i = 0; i < 2; i++) lane.ended(verdict(), 0);
  assert.equal(begin(), 4);
});

test('an endpoint that asked for rest gets it', () => {
  const lane = new Lane(endpointOf());
  lane.offer([rowOf('a', 1), rowOf('b', 2)], 0);
  lane.take(0, false);
  lane.ended(verdict({ outcome: 'retry', pauseMs: 30_000 }), 0);
  assert.equal(lane.take(29_999, false), null);
  assert.deepEqual(positions(lane.take(30_000, false)), ['2']);
});

test('a rate is kept', () => {
  const lane = new Lane(endpointOf({ concurrency: 200, ratePerSecond: 20 }));
  lane.offer(
    Array.from({ length: 200 }, (_, i) => rowOf('0', i)),
    0,
  );
  let begun = 0;
  for (let ms = 0; ms < 3_000; ms += 10) while (lane.take(ms, false)) begun++;
  assert.ok(begun >= 58 && begun <= 62, String(begun));
});

test('a closed lane begins nothing and keeps only what is under way', () => {
  const lane = new Lane(endpointOf());
  lane.offer([rowOf('a', 1), rowOf('a', 2), rowOf('b', 3)], 0);
  const unit = lane.take(0, false) as Unit;
  lane.close();
  assert.deepEqual([[...lane.held()], lane.take(0, false), lane.room()], [['1'], null, 0]);
  lane.ended(verdict(), 0);
  lane.settled(unit, false);
  assert.deepEqual([...lane.held()], []);
});

/** What happens next in a random history. */
const happening = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('event' as const), message: fc.constantFrom('0', 'a', 'b', 'c') }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('take' as const), hurry: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      which: fc.nat(20),
      ok: fc.boolean(),
      cut: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('look' as const) }) },
);

test('over any history: one post of a message at a time, in order, never more than allowed, nothing lost', (t) => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  t.diagnostic(`SEED=${seed}`);
  const history = fc.array(happening, { minLength: 20, maxLength: 200 });
  fc.assert(
    fc.property(history, fc.constantFrom(1, 3), (steps, batchRows) => {
      const lane = new Lane(endpointOf({ batchRows, concurrency: 2 }));
      const waiting = new Map<string, QueuedRow>();
      const posted = new Map<string, number>();
      const under: Unit[] = [];
      let last = 0;
      const end = (unit: Unit, ok: boolean): void => {
        lane.ended(ok ? verdict() : failed, 0);
        if (ok) for (const row of unit.rows) waiting.delete(row.position);
        lane.settled(unit, !ok);
      };
      const begin = (hurry: boolean): void => {
        const unit = lane.take(10_000, hurry);
        if (!unit) return;
        for (const row of unit.rows.filter(({ messageId }) => messageId !== '0')) {
          const busy = under.flatMap(({ rows }) => rows).some(({ messageId }) => messageId === row.messageId);
          assert.ok(!busy, 'two posts of one message');
          const earlier = [...waiting.values()].filter(
            (other) => other.messageId === row.messageId && Number(other.position) < Number(row.position),
          );
          assert.ok(
            earlier.every((other) => unit.rows.includes(other)),
            'posted before an earlier event of its message',
          );
        }
        for (const row of unit.rows) posted.set(row.position, (posted.get(row.position) ?? 0) + 1);
        under.push(unit);
        assert.ok(under.length <= 2);
      };
      for (const step of steps) {
        if (step.kind === 'event') {
          const row = rowOf(step.message, ++last);
          waiting.set(row.position, row);
        } else if (step.kind === 'look') {
          lane.beginLook();
          lane.offer([...waiting.values()], 0);
        } else if (step.kind === 'take') begin(step.hurry);
        else {
          const [unit] = under.splice(step.which % Math.max(1, under.length), 1);
          if (unit) end(unit, step.ok);
        }
      }
      for (let round = 0; waiting.size > 0; round++) {
        assert.ok(round < 1_000, 'something is never posted');
        lane.beginLook();
        lane.offer([...waiting.values()], 0);
        begin(true);
        for (const unit of under.splice(0)) end(unit, true);
      }
      for (let position = 1; position <= last; position++) assert.ok(posted.has(String(position)));
      assert.deepEqual([...lane.held()], []);
    }),
    { seed, numRuns: 500 },
  );
});
