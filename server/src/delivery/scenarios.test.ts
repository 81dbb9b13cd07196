/** The listings of contract §7.4 and the rules around them, end to end on both engines, with time travelled. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { onEachEngine, type TestDatabase } from '../testing/database.ts';
import {
  accept,
  check,
  createNode,
  draftOf,
  email,
  keyring,
  type Node,
  phone,
  received,
  refused,
  rowsOf,
} from './fixtures.ts';
import type { Draft, Ids } from './index.ts';

/** What a scenario can do to its message. */
class Scene {
  readonly database: TestDatabase;
  readonly node: Node;
  readonly ids: Ids;
  constructor(database: TestDatabase, node: Node, ids: Ids) {
    this.database = database;
    this.node = node;
    this.ids = ids;
  }

  static async begin(
    database: TestDatabase,
    draft: Draft,
    prepare: (node: Node) => void = () => undefined,
  ): Promise<Scene> {
    const node = createNode(database.db, database.clock);
    prepare(node);
    const scene = new Scene(database, node, await accept(database.db, node, draft));
    await node.delivery.runUntilIdle();
    return scene;
  }

  async passes(seconds: number): Promise<void> {
    await this.database.clock.travel(seconds * 1_000);
    await this.node.delivery.runUntilIdle();
  }

  async receipt(attempt: number, errorCode?: 5012 | 5018 | 5020): Promise<void> {
    assert.equal(await received(this.node, this.ids, attempt, errorCode), true);
    await this.node.delivery.runUntilIdle();
  }

  async verified(): Promise<void> {
    await check(this.database.db, this.node, this.ids);
  }

  async expires(): Promise<void> {
    await this.passes(300);
    const { applicationId, messageId } = this.ids;
    await this.database.db.transaction((tx) =>
      this.node.delivery.expire(tx, [{ applicationId, messageIds: [messageId] }]),
    );
    await this.node.delivery.runUntilIdle();
  }

  async ends(reason: 'cancelled' | 'superseded'): Promise<void> {
    await this.database.db.transaction((tx) => this.node.delivery.end(tx, { ...this.ids, reason }));
  }

  async asksNext(): Promise<string> {
    const { channel } = await this.database.db.transaction((tx) => this.node.delivery.nextChannel(tx, this.ids));
    await this.node.delivery.runUntilIdle();
    return channel;
  }

  async asksAgain(channel?: 'sms' | 'email'): Promise<{ channel: string; attempt: number }> {
    const { delivery } = this.node;
    const answer = await this.database.db.transaction((tx) => delivery.restart(tx, { ids: this.ids, channel }));
    await delivery.runUntilIdle();
    return answer;
  }

  view = () => this.node.delivery.find(this.ids.applicationId, this.ids.messageId);

  async shows(rows: string, state: string, steps: string): Promise<void> {
    assert.equal(await rowsOf(this.database.db, this.ids), rows);
    const view = await this.view();
    assert.equal(view?.state, state);
    assert.equal(view?.steps.map((step) => step.state).join(' '), steps);
  }

  handed = (): string[] => this.node.upstream.handed.map((message) => message.channel);
}

const refuses =
  (errorCode: 5001 | 5020, ...channels: string[]) =>
  ({ upstream }: Node): void => {
    const usual = upstream.answer;
    upstream.answer = (message, signal) =>
      channels.includes(message.channel) ? refused(errorCode) : usual(message, signal);
  };

onEachEngine('a delivery, contract §7.4', (get) => {
  before(() => get().clock.freeze());
  const begin = (chain: string, prepare?: (node: Node) => void, changes?: Partial<Draft>): Promise<Scene> =>
    Scene.begin(get(), draftOf(chain, changes), prepare);

  test('happy path', async () => {
    const scene = await begin('sms');
    await scene.receipt(1);
    await scene.verified();
    await scene.shows('sent(sms) delivered(sms) verified(sms)', 'delivered', 'delivered');
  });

  test('whatsapp undelivered: sms follows', async () => {
    const scene = await begin('whatsapp|sms');
    await scene.receipt(1, 5018);
    await scene.receipt(2);
    await scene.verified();
    const rows = 'sent(wa) delivered_failed(wa, 5018, P) sent(sms) delivered(sms) verified(sms)';
    await scene.shows(rows, 'delivered', 'undelivered delivered');
  });

  test('whatsapp refused at hand-over: sms follows', async () => {
    const scene = await begin('whatsapp|sms', refuses(5001, 'whatsapp'));
    await scene.receipt(2);
    await scene.verified();
    const rows = 'sent_failed(wa, 5001, P) sent(sms) delivered(sms) verified(sms)';
    await scene.shows(rows, 'delivered', 'rejected delivered');
  });

  test('whatsapp circuit open at acceptance: sms is first', async () => {
    const draft = draftOf('whatsapp|sms');
    const [first, ...others] = draft.steps;
    assert.ok(first);
    const scene = await Scene.begin(get(), {
      ...draft,
      steps: [{ ...first, skip: 'circuit_open', content: null }, ...others],
    });
    assert.equal((await scene.view())?.channel, 'sms');
    await scene.receipt(1);
    await scene.shows('sent(sms) delivered(sms)', 'delivered', 'skipped delivered');
  });

  test('no receipt in time: sms starts after the wait of whatsapp, without a row', async () => {
    const scene = await begin('whatsapp|sms');
    await scene.passes(19);
    await scene.shows('sent(wa)', 'sent', 'sent waiting');
    await scene.passes(1.1);
    await scene.receipt(2);
    await scene.verified();
    await scene.shows('sent(wa) sent(sms) delivered(sms) verified(sms)', 'delivered', 'no_receipt delivered');
  });

  test('verified before the receipt: sms never starts, the receipt is late', async () => {
    const scene = await begin('whatsapp|sms');
    await scene.verified();
    await scene.passes(60);
    await scene.shows('sent(wa) verified(wa)', 'sent', 'sent cancelled');
    await scene.receipt(1);
    await scene.shows('sent(wa) verified(wa) delivered(wa, L)', 'delivered', 'delivered cancelled');
  });

  test('a late receipt after the fallback is called back once', async () => {
    const scene = await begin('whatsapp|sms|voice');
    await scene.passes(21);
    await scene.receipt(1);
    await scene.receipt(1);
    await scene.receipt(2);
    await scene.passes(120);
    await scene.verified();
    const rows = 'sent(wa) sent(sms) delivered(wa, L) delivered(sms) verified(sms)';
    await scene.shows(rows, 'delivered', 'delivered delivered cancelled');
  });

  test('receipt while sms still waits: sms never starts', async () => {
    const scene = await begin('whatsapp|sms');
    await scene.receipt(1);
    await scene.passes(60);
    await scene.verified();
    await scene.shows('sent(wa) delivered(wa) verified(wa)', 'delivered', 'delivered cancelled');
    assert.deepEqual(scene.handed(), ['whatsapp']);
  });

  test('all undelivered: the resend lock is lifted, the code still times out', async () => {
    const scene = await begin('whatsapp|sms');
    await scene.receipt(1, 5018);
    await scene.receipt(2, 5012);
    assert.deepEqual(scene.node.released, [{ ...scene.ids, target: phone, templateId: 'login' }]);
    await scene.expires();
    const rows = 'sent(wa) delivered_failed(wa, 5018, P) sent(sms) delivered_failed(sms, 5012) verified_timeout(sms)';
    await scene.shows(rows, 'failed', 'undelivered undelivered');
  });

  test('all refused at hand-over: no verified_timeout', async () => {
    const scene = await begin('whatsapp|sms', refuses(5001, 'whatsapp', 'sms'));
    assert.equal(scene.node.released.length, 1);
    await scene.expires();
    await scene.shows('sent_failed(wa, 5001, P) sent_failed(sms, 5001)', 'failed', 'rejected rejected');
  });

  test('never verified', async () => {
    const scene = await begin('sms');
    await scene.receipt(1);
    await scene.expires();
    await scene.expires();
    await scene.shows('sent(sms) delivered(sms) verified_timeout(sms)', 'delivered', 'delivered');
  });

  const slowSms = (changes: Partial<Draft> = {}): Draft => {
    const draft = draftOf('whatsapp|sms', changes);
    return { ...draft, steps: draft.steps.map((step, i) => ({ ...step, startDelayMs: i * 600_000 })) };
  };

  test('expired between two steps after a hand-over: verified_timeout keeps the promise', async () => {
    const scene = await Scene.begin(get(), slowSms());
    await scene.receipt(1, 5018);
    await scene.expires();
    await scene.passes(900);
    const rows = 'sent(wa) delivered_failed(wa, 5018, P) verified_timeout(wa)';
    await scene.shows(rows, 'failed', 'undelivered cancelled');
  });

  test('expired between two steps with nothing sent: sent_failed 5001 closes the promise', async () => {
    const scene = await Scene.begin(get(), slowSms(), refuses(5001, 'whatsapp'));
    await scene.expires();
    await scene.passes(900);
    await scene.shows('sent_failed(wa, 5001, P) sent_failed(sms, 5001)', 'failed', 'rejected cancelled');
    assert.deepEqual(scene.handed(), ['whatsapp']);
  });

  test('attempts used up: no verified_timeout', async () => {
    const scene = await begin('sms');
    await scene.receipt(1);
    await check(get().db, scene.node, scene.ids, 'exhausted');
    await scene.expires();
    await scene.shows('sent(sms) delivered(sms) verified_failed(sms)', 'delivered', 'delivered');
  });

  test('the sms upstream proves that the number does not exist: its channels are over, e-mail goes on', async () => {
    const alone = await begin('sms|voice', refuses(5020, 'sms'));
    await alone.shows('target_invalid(sms, 5020)', 'invalid', 'rejected skipped');
    assert.equal(alone.node.released.length, 1);
    const scene = await begin('sms|voice|email', refuses(5020, 'sms'));
    await scene.receipt(2);
    await scene.shows(
      'target_invalid(sms, 5020, P) sent(email) delivered(email)',
      'delivered',
      'rejected skipped delivered',
    );
    assert.equal(scene.node.upstream.handed.at(-1)?.to, email);
  });

  test('user asks for the next channel', async () => {
    const scene = await begin('whatsapp|sms');
    assert.equal(await scene.asksNext(), 'sms');
    await scene.receipt(2);
    await scene.verified();
    await scene.shows('sent(wa) sent(sms) delivered(sms) verified(sms)', 'delivered', 'sent delivered');
  });

  test('there is no next channel behind the last, nor after the end', async () => {
    const scene = await begin('whatsapp|sms');
    await scene.asksNext();
    await assert.rejects(scene.asksNext(), { reason: 'no_further_channel' });
    await scene.ends('cancelled');
    await assert.rejects(scene.asksNext(), { reason: 'cancelled' });
    await assert.rejects(scene.asksAgain(), { reason: 'cancelled' });
  });

  test('resend: the same channel with the next attempt number, and the chain behind it', async () => {
    const scene = await begin('sms|email');
    assert.deepEqual(await scene.asksAgain(), { channel: 'sms', attempt: 2 });
    await scene.receipt(2, 5012);
    await scene.receipt(1, 5012);
    await scene.receipt(3);
    const rows =
      'sent(sms) sent(sms) delivered_failed(sms, 5012, P) sent(email) delivered_failed(sms, 5012, L) delivered(email)';
    await scene.shows(rows, 'delivered', 'undelivered delivered');
    assert.deepEqual(await scene.asksAgain('email'), { channel: 'email', attempt: 4 });
  });

  test('a resend names a channel of the chain that this message can use', async () => {
    const draft = draftOf('sms|email');
    const steps = draft.steps.map((step) =>
      step.channel === 'email' ? { ...step, skip: 'no_address' as const, content: null } : step,
    );
    const scene = await Scene.begin(get(), { ...draft, steps });
    const again = (channel: 'voice' | 'email') =>
      get().db.transaction((tx) => scene.node.delivery.restart(tx, { ids: scene.ids, channel }));
    await assert.rejects(again('voice'), { reason: 'channel_not_in_template' });
    await assert.rejects(again('email'), {
      reason: 'no_usable_channel',
      message: 'no usable channel: email: no_address',
    });
    assert.equal(scene.node.upstream.handed.length, 1);
  });

  test('a resend with a new code hands over the new text and lives as long as the new code', async () => {
    const scene = await begin('sms');
    await scene.passes(299);
    const content = { code: '000111', contents: [{ text: '000111', language: 'en' }] };
    await get().db.transaction((tx) =>
      scene.node.delivery.restart(tx, { ids: scene.ids, content, deadlineMs: 300_000 }),
    );
    await scene.passes(2);
    assert.equal(scene.node.upstream.handed.at(-1)?.content.text, '000111');
    assert.equal((await scene.node.delivery.openContent('7', scene.ids.messageId))?.code, '000111');
    await scene.shows('sent(sms) sent(sms)', 'sent', 'sent');
  });

  test('cancelled: what left may still be delivered late, nothing else comes', async () => {
    const scene = await begin('sms|email');
    await scene.ends('cancelled');
    await scene.ends('cancelled');
    await scene.receipt(1);
    await scene.expires();
    await scene.shows('sent(sms) delivered(sms, L)', 'cancelled', 'delivered cancelled');
    assert.deepEqual(scene.handed(), ['sms']);
  });

  test('a message without a verification ends by itself after its life', async () => {
    const scene = await begin('sms', undefined, { hasVerification: false, deadlineMs: 86_400_000 });
    await scene.receipt(1);
    await scene.passes(86_401);
    await scene.shows('sent(sms) delivered(sms)', 'delivered', 'delivered');
    assert.equal((await scene.view())?.ended, 'expired');
    assert.equal(await scene.node.delivery.openContent('7', scene.ids.messageId), null);
  });

  test('a silent delivery has a timeline but no rows', async () => {
    const scene = await begin('sms', undefined, { silent: true });
    await scene.receipt(1);
    await scene.expires();
    await scene.shows('', 'delivered', 'delivered');
  });

  test('the code is kept sealed while something can be sent and erased at the end', async () => {
    const scene = await begin('sms');
    assert.equal((await scene.node.delivery.openContent('7', scene.ids.messageId))?.code, '482913');
    await scene.verified();
    assert.equal(await scene.node.delivery.openContent('7', scene.ids.messageId), null);
    assert.ok(keyring);
  });

  test('only the newest message of a verification reports the timeout, also when only an older one was sent', async () => {
    const older = await begin('sms');
    const newer = await begin('sms', refuses(5001, 'sms'));
    await older.passes(300);
    const messageIds = [older.ids.messageId, newer.ids.messageId];
    await get().db.transaction((tx) => older.node.delivery.expire(tx, [{ applicationId: '7', messageIds }]));
    await older.shows('sent(sms)', 'sent', 'sent');
    await newer.shows('sent_failed(sms, 5001) verified_timeout(sms)', 'failed', 'rejected');
  });

  test('a step to another address says so', async () => {
    const scene = await begin('email');
    const events = await get().db.transaction((tx) => check(tx, scene.node, scene.ids));
    assert.equal(events[0]?.current_to, email);
  });
});
