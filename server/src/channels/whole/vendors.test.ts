/**
 * What each vendor may do with a message, seen from outside: the story the customer reads and what arrived at the vendor. The table
 * is vendors/: one object per adapter, which says in comments where a vendor is different.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { engines } from '../../testing/database.ts';
import { type AdapterId, adapterIds, type Market, openMarket } from './vendors/fixture.ts';
import type { ReportKind } from './vendors/vendor.ts';

const price = 0.0412;

for (const engine of engines) {
  describe(`every vendor (${engine})`, () => {
    let opened: Market | undefined;
    before(async () => {
      opened = await openMarket(engine);
      // A slow machine must not let a planned retry fall due by itself.
      await opened.whole.database.clock.freeze();
    });
    after(() => opened?.[Symbol.asyncDispose]());
    const get = (): Market => {
      if (!opened) throw new Error('opened in a before hook');
      return opened;
    };
    for (const adapter of adapterIds) declareVendor(adapter, get);

    test('an attempt nobody answers is unknown, counts as 5016 and the next channel goes out', () => hangAll(get()));

    test('of all that was logged nothing names a recipient or a secret of the settings', () => {
      const { whole, recipients, vendor } = get();
      const told = whole.logged();
      assert.ok(told.length > 0 && recipients.length > 0);
      for (const secret of [...recipients, ...adapterIds.flatMap((adapter) => vendor(adapter).secrets)])
        assert.ok(!told.includes(secret), 'a recipient or secret was logged');
    });
  });
}

function declareVendor(adapter: AdapterId, get: () => Market): void {
  test(`${adapter}: what arrives is delivered, with its id, its cost and its receipt`, async () => {
    const { whole, vendor, hookUrl } = get();
    const { channel, newAddress, taken, report } = vendor(adapter);
    const { to } = newAddress();
    const id = await whole.send(to, channel);
    assert.equal((await whole.story(id)).state, 'sent');
    await report(to, 'delivered', hookUrl(adapter));
    const story = await whole.settledStory(id, 'delivered');
    assert.deepEqual(story.steps, [{ step: 1, channel, state: 'delivered' }]);
    assert.deepEqual(
      story.attempts.map(({ provider, outcome, upstream_id, cost, receipt }) => [
        ...[provider, outcome, upstream_id, cost.amount],
        ...[receipt?.state, receipt?.error_code],
      ]),
      [[adapter, 'accepted', taken(to)[0], price, 'delivered', undefined]],
    );
    assert.equal(taken(to).length, 1);
    assert.equal(story.cost.amount, price);
  });

  test(`${adapter}: what is refused for good is not sent again, and the story names the vendor's code`, async () => {
    const { whole, vendor } = get();
    const { channel, newAddress, refuse, refusal, taken } = vendor(adapter);
    const { to } = newAddress();
    refuse(to);
    const id = await whole.send(to, channel);
    const health = await whole.box.operator({ path: `/admin/v1/providers/${adapter}/health` });
    assert.equal(health.body.health?.[0]?.circuit, refusal.shuts ? 'open' : 'closed');
    // Longer than any pause of the engine; a provider that was shut is probed again by then.
    await whole.pass(20);
    const story = await whole.story(id);
    const { errorCode, detail, state } = refusal;
    assert.equal(story.state, state);
    assert.deepEqual(story.steps, [{ step: 1, channel, state: 'rejected', error_code: errorCode }]);
    assert.deepEqual(
      story.attempts.map(({ provider, outcome, error_code, upstream_id, cost, receipt }) => [
        ...[provider, outcome, error_code, upstream_id, cost.amount, receipt],
      ]),
      [[adapter, 'refused', errorCode, null, 0, null]],
    );
    assert.match(story.attempts[0]?.detail ?? '', detail);
    assert.deepEqual(taken(to), []);
  });

  test(`${adapter}: what is throttled is tried again by plan, and the same attempt is accepted`, async () => {
    const { whole, vendor } = get();
    const { channel, newAddress, throttle, accept, throttled, taken } = vendor(adapter);
    const { to } = newAddress();
    throttle(to);
    const id = await whole.send(to, channel);
    const planned = await whole.story(id);
    assert.deepEqual([planned.state, planned.steps[0]?.state], ['sending', 'sending']);
    assert.equal(planned.timeline.at(-1)?.cause, 'retry_planned');
    assert.match(planned.attempts[0]?.detail ?? '', throttled.detail);
    accept(to);
    await whole.pass(throttled.waitSeconds - 0.5);
    assert.deepEqual(taken(to), [], 'not before its time');
    await whole.pass(0.5);
    const story = await whole.story(id);
    assert.equal(story.state, 'sent');
    assert.deepEqual(
      story.attempts.map(({ attempt, try: one, outcome, upstream_id }) => [attempt, one, outcome, upstream_id]),
      [
        [1, 1, 'refused', null],
        [1, 2, 'accepted', taken(to)[0]],
      ],
    );
    assert.equal(taken(to).length, 1);
  });

  for (const order of ['delivered, then failed', 'failed, then delivered'] as const)
    test(`${adapter}: late receipts stand in the ledger once each however often they come, ${order}`, () =>
      reportLate(get(), adapter, order.split(', then ') as [ReportKind, ReportKind]));
}

/** The chain has moved on; then both are reported, each twice, and the first once more. */
async function reportLate(
  market: Market,
  adapter: AdapterId,
  [first, second]: [ReportKind, ReportKind],
): Promise<void> {
  const { whole, vendor, hookUrl } = market;
  const { channel, next, newAddress, report, failure, failureIsFinal } = vendor(adapter);
  const { to, more } = newAddress();
  const id = await whole.send(to, `${channel}-${next.channel}`, more);
  await whole.pass(120);
  const ledger = (): Promise<string[]> => whole.box.statusesOf(id, whole.application.id);
  const before = await ledger();
  assert.deepEqual(before.slice(2), [`sent(${channel})`, `sent(${next.channel})`]);
  await report(to, first, hookUrl(adapter));
  const heard = (await whole.story(id)).attempts[0]?.receipt;
  assert.equal(heard?.state, first === 'failed' ? 'undelivered' : 'delivered');
  if (first === 'failed') assert.match(heard?.detail ?? '', failure.detail);
  for (const kind of [first, second, second, first]) await report(to, kind, hookUrl(adapter));

  const delivered = `delivered(${channel}, L)`;
  const failed = `delivered_failed(${channel}, ${failure.errorCode}, L)`;
  const isFinal = first === 'failed' && failureIsFinal === true;
  const late = first === 'delivered' ? [delivered] : isFinal ? [failed] : [failed, delivered];
  assert.deepEqual(await ledger(), [...before, ...late]);
  const story = await whole.story(id);
  assert.equal(story.state, isFinal ? 'sent' : 'delivered');
  assert.deepEqual(
    story.steps.map(({ state }) => state),
    [isFinal ? 'undelivered' : 'delivered', 'sent'],
  );
  assert.deepEqual(
    story.attempts.map(({ outcome, cost }) => [outcome, cost.amount]),
    [
      ['accepted', price],
      ['accepted', price],
    ],
  );
}

/** All at the same time: each costs ten real seconds. */
async function hangAll({ whole, vendor }: Market): Promise<void> {
  const sent = await Promise.all(
    adapterIds.map(async (adapter) => {
      const { channel, next, newAddress, hang } = vendor(adapter);
      const { to, more } = newAddress();
      hang(to);
      const { body } = await whole.application.send(to, { template: { id: `${channel}-${next.channel}` }, ...more });
      return { adapter, to, id: body.message_id as string };
    }),
  );
  await whole.box.app.delivery.runUntilIdle();
  for (const { adapter, to, id } of sent) {
    const { channel, next, taken } = vendor(adapter);
    const story = await whole.story(id);
    assert.ok(story.timeline.some(({ cause }) => cause === 'attempt_unknown'));
    assert.deepEqual(taken(to), []);
    assert.deepEqual(
      story.attempts.map(({ provider, outcome, cost }) => [provider, outcome, cost.amount]),
      [
        // Once: no vendor drops a repeated reference, so that another hand-over could mean a second message.
        [adapter, 'unknown', 0],
        [next.adapter, 'accepted', price],
      ],
    );
    assert.deepEqual(story.steps, [
      { step: 1, channel, state: 'rejected', error_code: 5016 },
      { step: 2, channel: next.channel, state: 'sent' },
    ]);
    assert.deepEqual((await whole.box.statusesOf(id, whole.application.id)).slice(2), [
      `sent_failed(${channel}, 5016, P)`,
      `sent(${next.channel})`,
    ]);
  }
}
