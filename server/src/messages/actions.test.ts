import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { onEachApp } from '../testing/app.ts';
import {
  assertRefused,
  bodyOf,
  newNumber,
  openApplication,
  type TestApplication,
  wrongFor,
} from '../testing/application.ts';
import type { AttemptStory } from './attempts.ts';

interface Entry {
  at: string;
  event: string | null;
  sequence: number | null;
  cause: string;
  text: string;
}

onEachApp('one message, its story and its actions; lists (contract §11.1–11.3)', (get) => {
  let app: TestApplication;
  before(async () => {
    await get().database.clock.freeze();
    app = await openApplication(get(), {
      policy: { resend_policy: { resend_after: 0, max_sends: 1000 } },
      templates: [
        {},
        { template_id: 'chain', send_channel_strategy: 'whatsapp|sms|voice' },
        {
          template_id: 'note',
          verify_code_config: undefined,
          sms_config: {
            template_type: 2,
            template_custom_config: { custom_sub_type: 'utility', custom_content: 'Order {{order}} left' },
          },
        },
      ],
    });
  });
  const live = (seconds: number) => get().live(seconds);
  const travel = async (seconds: number): Promise<void> => {
    await get().database.clock.travel(seconds * 1000);
    await get().settle();
  };
  const by = (id: string) => ({ template: { id } });
  const note = async (to: string): Promise<string> =>
    bodyOf(
      await app.call({ path: '/v1/custom-messages', body: { to, template: { id: 'note', params: { order: 'A-1' } } } }),
    ).message_id;

  test('the story has the contract’s fields, one plain sentence per entry, and never the code', async () => {
    const to = newNumber();
    await app.script(to, { whatsapp: { receipt: 'undelivered', receipt_error_code: 5018, receipt_after_ms: 2000 } });
    const start = new Date(get().database.clock.now()).toISOString();
    const more = { ...by('chain'), purpose: 'login', custom_args: { order: 'A-17' } };
    const { messageId, code } = await app.sendCode(to, more);
    await live(4);
    bodyOf(await app.verify(messageId, wrongFor(code)));
    const { timeline, steps, attempts, explanation, decision, ...story } = await app.story(messageId);
    assert.deepEqual(story, {
      message_id: messageId,
      kind: 'otp',
      to,
      template_id: 'chain',
      language: 'default',
      country: 'SG',
      purpose: 'login',
      state: 'delivered',
      send_channel: 'sms',
      created_at: start,
      expires_at: new Date(Date.parse(start) + 300_000).toISOString(),
      cost: { amount: 0, currency: 'USD' },
      custom_args: { order: 'A-17' },
      verification: { state: 'pending', attempts: 1, attempts_remaining: 4, verified_at: null },
    });
    assert.deepEqual(steps, [
      { step: 1, channel: 'whatsapp', state: 'undelivered', error_code: 5018 },
      { step: 2, channel: 'sms', state: 'delivered' },
      { step: 3, channel: 'voice', state: 'waiting' },
    ]);
    assert.deepEqual(
      (attempts as AttemptStory[]).map(({ step, provider, outcome, receipt }) => [
        step,
        provider,
        outcome,
        receipt?.state,
      ]),
      [
        [1, 'virtual', 'accepted', 'undelivered'],
        [2, 'virtual', 'accepted', 'delivered'],
      ],
    );
    assert.equal((attempts as AttemptStory[])[0]?.receipt?.error_code, 5018);
    assert.deepEqual(decision, { limits: [], rules: [], budgets: [], hook: null, monitored: false });
    assert.deepEqual(explanation, {
      cause: 'SMS was delivered.',
      next_step: 'Ask the person to enter the code; resend only when it cannot be found.',
    });
    bodyOf(await app.verify(messageId, code));
    assert.equal(((await app.story(messageId)).explanation as { cause: string }).cause, 'The right code was entered.');
    const entries = (await app.story(messageId)).timeline as Entry[];
    assert.deepEqual(timeline[0], {
      at: start,
      event: 'plan',
      sequence: 1,
      step: null,
      channel: 'whatsapp',
      cause: 'accepted',
      text: 'Accepted and queued.',
    });
    assert.deepEqual(
      entries.map(({ event, cause }) => [event, cause]),
      [
        ['plan', 'accepted'],
        ['target_valid', 'target_checked'],
        ['sent', 'upstream_accepted'],
        ['delivered_failed', 'receipt_negative'],
        [null, 'step_started'],
        ['sent', 'upstream_accepted'],
        ['delivered', 'receipt_positive'],
        [null, 'wrong_code'],
        ['verified', 'verified'],
        [null, 'fallback_cancelled'],
      ],
    );
    for (const { event, sequence, text } of entries) {
      assert.equal(event === null, sequence === null);
      assert.match(text, /^[A-Z][^\n]{5,200}\.$/);
    }
    assert.deepEqual(entries.map(({ sequence }) => sequence).filter(Boolean), [1, 2, 3, 4, 5, 6, 7]);
    assert.ok(!JSON.stringify(await app.story(messageId)).includes(code));
    assert.ok((await app.story(messageId)).verification.verified_at);
  });

  test('a message of another application, an unknown id and text that is no id are all message not found', async () => {
    const { messageId } = await app.sendCode(newNumber());
    for (const id of [messageId, '1', 'x', '99999999999999999999']) {
      const replies = [
        await get().call({ path: `/v1/messages/${id}` }),
        await get().call({ path: `/v1/messages/${id}/resend`, method: 'POST' }),
        await get().call({ path: `/v1/messages/${id}/next-channel`, method: 'POST' }),
        await get().call({ path: `/v1/messages/${id}/cancel`, method: 'POST' }),
      ];
      for (const { status, body } of replies)
        assert.deepEqual([status, body.code, body.message], [400, 4001, 'message not found']);
    }
    assert.equal((await app.story(messageId)).verification.state, 'pending');
  });

  test('an ended code refuses resend and next channel with the words of the check', async () => {
    const verified = await app.sendCode(newNumber());
    bodyOf(await app.verify(verified.messageId, verified.code));
    const spent = await app.sendCode(newNumber());
    for (let i = 0; i < 5; i++) bodyOf(await app.verify(spent.messageId, wrongFor(spent.code)));
    const cancelled = await app.sendCode(newNumber());
    bodyOf(await app.act(cancelled.messageId, 'cancel'));
    const expired = await app.sendCode(newNumber());
    await travel(300);
    const cases = [
      [verified, 'already_verified'],
      [spent, 'too_many_attempts'],
      [cancelled, 'cancelled'],
      [expired, 'expired'],
    ] as const;
    for (const [{ messageId }, reason] of cases) {
      const refuse = async (action: 'resend' | 'next-channel') =>
        assertRefused(await get().expectNothingHappened(() => app.act(messageId, action)), 3003, reason);
      await refuse('resend');
      await refuse('next-channel');
    }
  });

  test('a resend starts the chain again or takes the named channel of it; one outside it is refused', async () => {
    const to = newNumber();
    const { messageId, expiresAt } = await app.sendCode(to, by('chain'));
    await live(1);
    const named = bodyOf(await app.act(messageId, 'resend', { channel: 'voice' }));
    assert.deepEqual(named, { message_id: messageId, send_channel: 'voice', attempt: 2, expires_at: expiresAt });
    await live(1);
    assert.equal(bodyOf(await app.act(messageId, 'resend', {})).send_channel, 'whatsapp');
    const outside = await get().expectNothingHappened(() => app.act(messageId, 'resend', { channel: 'email' }));
    assertRefused(outside, 3003, 'channel_not_in_template');
    assert.equal((await app.act(messageId, 'resend', { channel: 'pigeon' })).body.code, 3002);
    await get().settle();
    assert.deepEqual(
      (await app.inbox(to)).map(({ channel }) => channel),
      ['whatsapp', 'voice', 'whatsapp'],
    );
  });

  test('next-channel walks the chain to its end and may move on after delivered', async () => {
    const { messageId } = await app.sendCode(newNumber(), by('chain'));
    await live(1);
    assert.equal((await app.story(messageId)).state, 'delivered');
    for (const channel of ['sms', 'voice']) {
      assert.deepEqual(bodyOf(await app.act(messageId, 'next-channel')), {
        message_id: messageId,
        send_channel: channel,
      });
      await live(1);
    }
    const none = await app.act(messageId, 'next-channel');
    assertRefused(none, 3003, 'no_further_channel');
    assert.equal(none.body.message, 'no further channel');
  });

  test('cancel is repeatable, leaves no row, and refuses what is verified or expired', async () => {
    const to = newNumber();
    const { messageId, code } = await app.sendCode(to, by('chain'));
    for (let i = 0; i < 2; i++)
      assert.deepEqual(bodyOf(await app.act(messageId, 'cancel')), { message_id: messageId, state: 'cancelled' });
    const story = await app.story(messageId);
    assert.deepEqual([story.state, story.verification.state], ['cancelled', 'cancelled']);
    assert.equal(story.timeline.filter(({ cause }: Entry) => cause === 'cancelled').length, 1);
    assertRefused(await app.verify(messageId, code), 3003, 'cancelled');
    const verified = await app.sendCode(to, by('chain'));
    bodyOf(await app.verify(verified.messageId, verified.code));
    assertRefused(await app.act(verified.messageId, 'cancel'), 3003, 'already_verified');
    const expired = await app.sendCode(newNumber());
    await travel(300);
    assertRefused(await app.act(expired.messageId, 'cancel'), 3003, 'expired');
    bodyOf(await app.act(messageId, 'cancel'));
  });

  test('a message without a code: resent within 24 hours, cancelled repeatably, expired afterwards', async () => {
    const to = newNumber();
    const id = await note(to);
    await get().settle();
    const story = await app.story(id);
    assert.deepEqual([story.kind, story.expires_at, story.verification], ['custom', null, null]);
    await travel(86_399);
    assert.deepEqual(bodyOf(await app.act(id, 'resend')), { message_id: id, send_channel: 'sms', attempt: 2 });
    await get().settle();
    assert.deepEqual(
      (await app.inbox(to)).map(({ text }) => text),
      ['Order A-1 left', 'Order A-1 left'],
    );
    await travel(1);
    assertRefused(await app.act(id, 'resend'), 3003, 'expired');
    assertRefused(await app.act(id, 'cancel'), 3003, 'expired');
    const second = await note(to);
    for (let i = 0; i < 2; i++) bodyOf(await app.act(second, 'cancel'));
    assertRefused(await app.act(second, 'next-channel'), 3003, 'cancelled');
  });

  test('actions meet their Idempotency-Key: the replay changes nothing', async () => {
    const { messageId } = await app.sendCode(newNumber(), by('chain'));
    const resend = () =>
      app.call({ path: `/v1/messages/${messageId}/resend`, method: 'POST', headers: { 'idempotency-key': messageId } });
    const first = bodyOf(await resend());
    const again = await get().expectNothingHappened(resend);
    assert.deepEqual([bodyOf(again), again.headers['idempotent-replayed']], [first, 'true']);
  });

  test('lists: newest first, every filter, pages without gaps or doubles, other applications unseen', async () => {
    const lists = await openApplication(get(), {
      policy: { resend_policy: { resend_after: 0 } },
      templates: [{}, { template_id: 'chain', send_channel_strategy: 'whatsapp|sms' }],
    });
    const ids: string[] = [];
    const send = async (to: string, more = {}) => {
      ids.push(String(bodyOf(await lists.send(to, more)).message_id));
      await get().settle();
      await get().database.clock.travel(1000);
    };
    const start = Math.floor(get().database.clock.now() / 1000);
    const [ana, bo] = [newNumber(), newNumber()];
    await send(ana);
    await send(bo, by('chain'));
    await send('+14155550132');
    await send(ana, by('chain'));
    await send(bo);
    bodyOf(await lists.verify(ids[0] ?? '', await lists.codeAt(ana, ids[0])));
    bodyOf(await lists.act(ids[4] ?? '', 'cancel'));
    const list = async (
      query: string,
    ): Promise<{ ids: number[]; next: string | null; rows: Record<string, unknown>[] }> => {
      const body = bodyOf(await lists.call({ path: `/v1/messages?${query}` }));
      const rows = body.messages as { message_id: string }[];
      return { ids: rows.map(({ message_id: id }) => ids.indexOf(id)), next: body.next_cursor, rows };
    };
    assert.deepEqual((await list('')).ids, [4, 3, 2, 1, 0]);
    const cases: [string, number[]][] = [
      [`to=${encodeURIComponent(ana)}`, [3, 0]],
      [`to=${ana.replace('+', '%20').replace(/(\d{4})$/, '-$1')}`, [3, 0]],
      ['template=chain', [3, 1]],
      ['status=verified', [0]],
      ['status=cancelled', [4]],
      ['status=pending&channel=whatsapp', [3, 1]],
      ['channel=sms', [4, 2, 0]],
      ['country=US', [2]],
      ['country=SG&template=login', [4, 0]],
      [`from=${start + 1}&until=${start + 3}`, [2, 1]],
      [`from=${new Date((start + 3) * 1000).toISOString()}`, [4, 3]],
      ['until=4102444800', [4, 3, 2, 1, 0]],
      ['from=4102444800', []],
      ['template=unknown', []],
    ];
    for (const [query, wanted] of cases) {
      assert.deepEqual((await list(query)).ids, wanted, query);
    }
    const walked: number[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = await list(`limit=2${cursor && `&cursor=${cursor}`}`);
      walked.push(...page.ids);
      cursor = page.next;
    }
    assert.deepEqual(walked, [4, 3, 2, 1, 0]);
    const [first] = (await list(`to=${encodeURIComponent(ana)}&status=verified`)).rows;
    assert.deepEqual(Object.keys(first ?? {}).sort(), [
      'cost',
      'country',
      'created_at',
      'kind',
      'message_id',
      'send_channel',
      'state',
      'template_id',
      'to',
      'verification_state',
    ]);
    await get().database.clock.travel(86_400_000);
    assert.deepEqual((await list('')).ids, []);
    assert.deepEqual((await list(`from=${start}`)).ids, [4, 3, 2, 1, 0]);
    for (const bad of [
      'status=lost',
      'channel=fax',
      'country=sg',
      'limit=0',
      'limit=101',
      'from=soon',
      'until=2026-99-99',
      'cursor=x',
      'to=x',
      'to=a@b',
    ])
      assert.deepEqual((await lists.call({ path: `/v1/messages?${bad}` })).body.code, 3002, bad);
  });
});
