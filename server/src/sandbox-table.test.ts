import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { publicSandboxApplicationId } from './accounts/index.ts';
import { listEvents } from './events/index.ts';
import { raw } from './platform/sql.ts';
import { onEachApp } from './testing/app.ts';
import {
  assertRefused,
  bodyOf,
  newNumber,
  openApplication,
  type TestApplication,
  useApplication,
  wrongFor,
} from './testing/application.ts';

const phone = (ending: string) => `+10000000${ending}`;
const stranger = '+6591239999';

/** Contract §13: the channel of the answer, then each row behind plan and target_valid with its second, then the channel at the end. */
const accepted: Record<string, { channel: string; rows: [string, number][]; last: string }> = {
  [phone('000')]: {
    channel: 'sms',
    rows: [
      ['sent(sms)', 1],
      ['delivered(sms)', 2],
    ],
    last: 'sms',
  },
  [phone('005')]: {
    channel: 'sms',
    rows: [
      ['sent(sms)', 1],
      ['delivered(sms)', 2],
    ],
    last: 'sms',
  },
  [phone('010')]: {
    channel: 'sms',
    rows: [
      ['sent(sms)', 0],
      ['delivered(sms)', 0],
    ],
    last: 'sms',
  },
  'sandbox@example.com': {
    channel: 'email',
    rows: [
      ['sent(email)', 1],
      ['delivered(email)', 3],
    ],
    last: 'email',
  },
  [phone('002')]: {
    channel: 'sms',
    rows: [
      ['sent(sms)', 1],
      ['delivered_failed(sms, 5012)', 3],
    ],
    last: 'sms',
  },
  [phone('018')]: {
    channel: 'sms',
    rows: [
      ['sent(sms)', 1],
      ['delivered_failed(sms, 5018)', 3],
    ],
    last: 'sms',
  },
  [phone('004')]: {
    channel: 'whatsapp',
    rows: [
      ['sent(whatsapp)', 1],
      ['delivered_failed(whatsapp, 5012, P)', 8],
      ['sent(sms)', 10],
      ['delivered(sms)', 15],
    ],
    last: 'sms',
  },
  [phone('014')]: {
    channel: 'whatsapp',
    rows: [
      ['sent(whatsapp)', 1],
      ['delivered_failed(whatsapp, 5012, P)', 8],
      ['sent(sms)', 10],
      ['delivered_failed(sms, 5018, P)', 15],
      ['sent(voice)', 17],
      ['delivered_failed(voice, 5012)', 22],
    ],
    last: 'voice',
  },
  [phone('024')]: {
    channel: 'whatsapp',
    rows: [
      ['sent(whatsapp)', 1],
      ['delivered(whatsapp)', 3],
    ],
    last: 'whatsapp',
  },
};
const silent = phone('003');
const refused: [string, number, string][] = [
  [phone('001'), 5011, 'Invalid phone number'],
  [phone('011'), 5013, 'Blacklisted'],
  [phone('012'), 5019, 'Unsubscribed'],
  [phone('099'), 3004, 'Rate limited'],
];

onEachApp('the sandbox table (contract §13)', (get) => {
  let pairs: TestApplication[];
  let owned: TestApplication;
  let virtual: TestApplication;
  let organization: string;
  const travel = async (seconds: number): Promise<void> => {
    await get().database.clock.travel(seconds * 1000);
    await get().settle();
  };
  const template = { template: { id: 'sandbox-otp-tpl' } };

  before(async () => {
    const box = get();
    await box.database.clock.freeze();
    pairs = ['engagelab_sandbox_demo:engagelab_sandbox_secret', 'sandbox_demo:sandbox_secret'].map((credential) =>
      useApplication(box, publicSandboxApplicationId, credential),
    );
    organization = bodyOf(await box.operator({ path: '/admin/v1/organizations', body: { name: 'CI' } })).id;
    const path = `/admin/v1/organizations/${organization}/sandbox-keys`;
    const made = bodyOf(await box.operator({ path, method: 'POST', body: {} }));
    owned = useApplication(box, made.application.id, `${made.api_key.dev_key}:${made.api_key.dev_secret}`);
    virtual = await openApplication(box, {
      templates: [{ template_id: 'sandbox-otp-tpl', send_channel_strategy: 'sms|email' }],
    });
  });

  /** Each status row with its seconds since the acceptance. */
  async function rowsOf(app: TestApplication, messageId: string): Promise<[string, number][]> {
    const events = await listEvents(get().database.db, app.id, messageId);
    const start = events[0]?.at.getTime() ?? 0;
    const statuses = await app.statuses(messageId);
    const times = events.filter(({ status }) => status !== undefined).map(({ at }) => (at.getTime() - start) / 1000);
    return statuses.map((status, i) => [status, times[i] ?? -1]);
  }

  test('every recipient answers and reports as the table says, to the second, for all kinds of credentials', async () => {
    const everybody = [...pairs, owned, virtual];
    const sends: { app: TestApplication; to: string; id: string }[] = [];
    for (const app of everybody) {
      for (const [to, code, message] of refused) {
        const reply = await get().expectNothingHappened(() => app.send(to, template));
        assert.deepEqual([reply.status, reply.body.code, reply.body.message], [400, code, message]);
      }
      for (const to of [...Object.keys(accepted), silent]) {
        const body = bodyOf(await app.send(to, template));
        assert.equal(body.send_channel, accepted[to]?.channel ?? 'sms', to);
        sends.push({ app, to, id: body.message_id });
      }
    }
    await get().settle();
    await get().live(23);
    const expectRows = async (late: (to: string) => [string, number][]) => {
      for (const { app, to, id } of sends) {
        const entry = accepted[to];
        const opening = entry && [`plan(${entry.channel})`, `target_valid(${entry.channel})`].map((row) => [row, 0]);
        const wanted = entry && opening ? [...opening, ...entry.rows, ...late(to)] : [];
        assert.deepEqual(await rowsOf(app, id), wanted, to);
      }
    };
    await expectRows(() => []);
    await travel(276.5);
    await expectRows(() => []);
    await travel(0.5);
    await expectRows((to) => [[`verified_timeout(${accepted[to]?.last}, 3003)`, 300]]);
  });

  test('any other recipient is …000 in the sandbox and an ordinary handset on the virtual network', async () => {
    const sends: [TestApplication, string, string, number][] = [];
    for (const [to, channel] of [
      [stranger, 'sms'],
      ['a@b.example', 'email'],
    ] as const) {
      for (const app of [...pairs, owned, virtual]) {
        const body = bodyOf(await app.send(to, template));
        assert.equal(body.send_channel, channel);
        sends.push([app, body.message_id, channel, app === virtual ? 0 : 1]);
      }
    }
    await get().settle();
    await get().live(3);
    for (const [app, id, channel, start] of sends) {
      const wanted = [
        [`sent(${channel})`, start],
        [`delivered(${channel})`, start + 1],
      ];
      assert.deepEqual((await rowsOf(app, id)).slice(2), wanted);
    }
  });

  test('…003 emits nothing ever, not even when it is verified or used up', async () => {
    for (const app of [pairs[0], owned, virtual]) {
      assert.ok(app);
      const verified = bodyOf(await app.send(silent, template)).message_id;
      await get().live(1.5);
      const code = await app.codeAt(silent, verified);
      assert.equal(bodyOf(await app.verify(verified, code)).verified, true);
      const spent = bodyOf(await app.send(silent, template)).message_id;
      await get().live(1.5);
      const wrong = wrongFor(await app.codeAt(silent, spent));
      for (let i = 0; i < 5; i++) bodyOf(await app.verify(spent, wrong));
      await travel(301);
      assert.deepEqual([await app.statuses(verified), await app.statuses(spent)], [[], []]);
      assert.equal((await app.story(spent)).verification.state, 'exhausted');
    }
  });

  test('…005 takes 123456 and nothing else, once, within five minutes; the others are read from the handset', async () => {
    for (const app of [...pairs, owned, virtual]) {
      const id = bodyOf(await app.send(phone('005'), template)).message_id;
      assert.equal(bodyOf(await app.verify(id, '654321')).verified, false);
      assert.equal(bodyOf(await app.verify(id, '123456')).verified, true);
      assertRefused(await app.verify(id, '123456'), 3003, 'already_verified');
      const old = bodyOf(await app.send(phone('005'), template)).message_id;
      const ordinary = bodyOf(await app.send(phone('010'), template)).message_id;
      assert.equal(bodyOf(await app.verify(ordinary, await app.codeAt(phone('010'), ordinary))).verified, true);
      await travel(300);
      assertRefused(await app.verify(old, '123456'), 3003, 'expired');
    }
  });

  test('verified early, a script stops before its next sent and later receipts are late', async () => {
    for (const app of [...pairs, owned, virtual]) {
      const chain = bodyOf(await app.send(phone('004'), template)).message_id;
      const plain = bodyOf(await app.send(phone('000'), template)).message_id;
      const unsent = bodyOf(await app.send(phone('005'), template)).message_id;
      assert.equal(bodyOf(await app.verify(unsent, '123456')).verified, true);
      await get().live(1.5);
      for (const [id, to] of [
        [chain, phone('004')],
        [plain, phone('000')],
      ] as const)
        assert.equal(bodyOf(await app.verify(id, await app.codeAt(to, id))).verified, true);
      await get().live(22);
      await travel(300);
      assert.deepEqual((await rowsOf(app, chain)).slice(2), [
        ['sent(whatsapp)', 1],
        ['verified(whatsapp)', 1.5],
        ['delivered_failed(whatsapp, 5012, L)', 8],
      ]);
      assert.deepEqual((await rowsOf(app, plain)).slice(2), [
        ['sent(sms)', 1],
        ['verified(sms)', 1.5],
        ['delivered(sms, L)', 2],
      ]);
      assert.deepEqual((await rowsOf(app, unsent)).slice(2), [['verified(sms)', 0]]);
    }
  });

  test('magic recipients and all of the public sandbox meet no lock, limit or budget of a target', async () => {
    const [app] = pairs;
    assert.ok(app);
    const attempt = async (of: TestApplication, to: string) => {
      const codes = [];
      for (let i = 0; i < 12; i++) codes.push(bodyOf(await of.send(to, template)).message_id);
      for (const id of codes.slice(0, 3)) for (let n = 0; n < 4; n++) bodyOf(await of.verify(id, 'wrong'));
      assert.equal(bodyOf(await of.verify(codes[11], 'wrong')).attempts_remaining, 4);
    };
    await attempt(app, stranger);
    await attempt(owned, phone('000'));
    await attempt(virtual, phone('000'));
    const to = newNumber();
    bodyOf(await owned.send(to, template));
    assertRefused(await owned.send(to, template), 3004, 'code_still_valid');
  });

  test('spellings of a magic number are that number; on live providers the magic numbers do not exist', async () => {
    assert.equal((await virtual.send('+1 (000) 000-0011', template)).body.code, 5013);
    assert.equal((await virtual.send('sandbox@EXAMPLE.com', template)).body.send_channel, 'email');
    const live = await openApplication(get(), { network: 'live' });
    for (const to of [...Object.keys(accepted), silent, ...refused.map(([number]) => number)].filter(
      (t) => t[0] === '+',
    )) {
      const reply = await get().expectNothingHappened(() => live.send(to));
      assert.deepEqual([reply.status, reply.body.code], [400, 5011], to);
    }
  });

  test('the public sandbox knows three templates and lets nobody write any; a sandbox key’s own application does', async () => {
    for (const app of pairs) {
      const unknown = await app.send(stranger, { template: { id: 'login' } });
      assert.deepEqual([unknown.status, unknown.body.code, unknown.body.message], [400, 4001, 'template not found']);
      const list = bodyOf(await app.call({ path: '/v1/template-configs' })) as { template_id: string }[];
      assert.deepEqual(list.map(({ template_id: id }) => id).sort(), [
        'sandbox-custom-tpl',
        'sandbox-otp-tpl',
        'sandbox-otp-tpl-wa',
      ]);
      const writes = [
        { path: '/v1/template-configs', method: 'POST' },
        { path: '/v1/template-configs/sandbox-otp-tpl', method: 'PUT' },
        { path: '/v1/template-configs/sandbox-otp-tpl', method: 'DELETE' },
        { path: '/v1/template-configs/sandbox-otp-tpl/preview', method: 'POST' },
      ] as const;
      for (const write of writes) {
        const reply = await app.call({ ...write, ...(write.method !== 'DELETE' && { body: {} }) });
        assert.deepEqual([reply.status, reply.body.code], [403, 2004], write.path);
      }
      const custom = { to: stranger, template: { id: 'sandbox-custom-tpl', params: { code: '77' } } };
      assert.equal(bodyOf(await app.call({ path: '/v1/custom-messages', body: custom })).send_channel, 'sms');
      assert.equal(
        bodyOf(await app.send(stranger, { template: { id: 'sandbox-otp-tpl-wa' } })).send_channel,
        'whatsapp',
      );
      const scripted = { path: `/v1/sandbox/recipients/${encodeURIComponent(stranger)}`, method: 'PUT' } as const;
      assert.equal((await app.call({ ...scripted, body: { channels: { sms: {} } } })).status, 403);
    }
    await owned.addTemplate({ template_id: 'mine' });
    assert.equal(bodyOf(await owned.send(newNumber(), { template: { id: 'mine' } })).send_channel, 'sms');
  });

  test('a sandbox message disappears exactly 24 hours after its creation', async () => {
    for (const app of [pairs[0], owned]) {
      assert.ok(app);
      const id = bodyOf(await app.send(phone('000'), template)).message_id;
      const listed = async () =>
        (bodyOf(await app.call({ path: '/v1/messages?limit=100&from=0' })).messages as { message_id: string }[]).some(
          (message) => message.message_id === id,
        );
      await travel(86_400 - 0.001);
      assert.equal((await app.call({ path: `/v1/messages/${id}` })).status, 200);
      assert.ok(await listed());
      await travel(0.001);
      const gone = [
        await app.call({ path: `/v1/messages/${id}` }),
        await app.verify(id, '123456'),
        await app.act(id, 'resend'),
        await app.act(id, 'cancel'),
        await app.act(id, 'next-channel'),
      ];
      for (const reply of gone) assert.deepEqual([reply.status, reply.body.code], [400, 4001]);
      assert.ok(!(await listed()));
    }
  });

  test('500 requests a day per address, 5,000 per key, counted anew at 00:00 UTC', async () => {
    const { clock, db } = get().database;
    const dayMs = 86_400_000;
    await clock.travel(dayMs - (clock.now() % dayMs) + 1);
    const ask = (app: TestApplication) => app.call({ path: '/v1/template-configs' });
    const [first, second] = pairs;
    assert.ok(first && second);
    // One count for both public pairs of one address; another one per key.
    assert.deepEqual(
      [(await ask(first)).status, (await ask(second)).status, (await ask(owned)).status],
      [200, 200, 200],
    );
    await db.query(raw('update sandbox_quotas set used = case when used = 2 then 499 else 4999 end'));
    assert.deepEqual([(await ask(second)).status, (await ask(owned)).status], [200, 200]);
    for (const app of [first, second, owned]) {
      const reply = await ask(app);
      assert.deepEqual([reply.status, reply.body.code, reply.body.message], [429, 3004, 'quota exceeded']);
      assert.equal(reply.headers['retry-after'], '86400');
    }
    assert.equal((await ask(virtual)).status, 200);
    await clock.travel(dayMs - 2);
    assert.equal((await ask(first)).headers['retry-after'], '1');
    await clock.travel(1);
    for (const app of [first, second, owned]) assert.equal((await ask(app)).status, 200);
  });
});
