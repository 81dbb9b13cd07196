/**
 * Which texts are addresses (contract §4): everything else is refused before anything is written, and what is the same address
 * in another form is the same target.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { onEachApp } from '../testing/app.ts';

const badPhones = [
  ...['', ' ', '+', '++', '+0', '+00000000', '+0123456789', '0', '6591234567', '006591234567', '00 65 9123 4567'],
  ...['+65', '+659', '+6591', '+659123', '+65912345', '+65912345678901234', '+1234567890123456'],
  ...[
    '+999123456789',
    '+2101234567',
    '+0006591234567',
    '+1',
    '+1202',
    '+120255501',
    '+12025550123456',
    '+44',
    '+44123',
  ],
  ...[
    '+65912345a7',
    '+65O1234567',
    '+6591234567x1',
    '+6591234567;ext=1',
    '+6591234567#',
    '*100#',
    'abc',
    'tel:+6591234567',
  ],
  ...['+65_9123_4567', '+65/9123/4567', '+65,91234567', '+65\u00a09123\u00a04567', '+65\u20119123\u20114567'],
  ...[
    '\uff0b6591234567',
    '+\u0666\u0665\u0669\u0661\u0662\u0663\u0664\u0665\u0666\u0667',
    '+６５９１２３４５６７',
    '+65９1234567',
  ],
  ...['+६५९१२३४५६७', '+𝟼𝟻𝟿𝟷𝟸𝟹𝟺𝟻𝟼𝟽', '+65¹²³⁴⁵⁶⁷⁸', '\u202a+6591234567\u202c', '\ufeff+6591234567', '+6591234567\u200b'],
  ...['+6591234567+', '+65+91234567', '-+6591234567x', '+6591234567,+6598120044', '+6591234567;+6598120044', '(+)'],
  ...[
    '+6.5e9',
    '+1e10',
    '+-6591234567-x',
    '0x1886A4D47',
    '+Infinity',
    '+NaN',
    'null',
    '[]',
    '{}',
    "+65' or 1=1",
    '+6591234567%',
  ],
  ...['sip:ana', '@', '١٢٣', '+1 (800) FLOWERS'],
].filter((text) => !text.includes('@'));

const badMails = [
  ...[
    '@',
    'a@',
    '@b.co',
    'a@b',
    'a@b.',
    'a@.b',
    'a@.co',
    'a@b..co',
    'a@b.co.',
    'a@-b.co',
    'a@b-.co',
    'a@b.-co',
    'a@b.co-',
  ],
  ...['a@@b.co', 'a@b@c.co', '@a@b.co', 'a@b.co@', '@@', 'a@b.co,c@d.co', 'a@b.co;c@d.co', 'a@b.co c@d.co'],
  ...[
    '.a@b.co',
    'a.@b.co',
    'a..b@c.co',
    '..@b.co',
    '.@b.co',
    'a b@c.co',
    ' a@b.co',
    'a@b.co ',
    'a @b.co',
    'a@ b.co',
    'a@b .co',
  ],
  ...['a@b_c.co', 'a@b!.co', 'a@b/c.co', 'a@b:25.co', 'a@[127.0.0.1]', 'a@[IPv6:::1]', 'a@b.co:25', 'mailto:a@b.co'],
  ...[
    '"a"@b.co',
    '"a b"@c.co',
    'a(x)@b.co',
    'a<b@c.co>',
    'Ana <a@b.co>',
    '<a@b.co>',
    'a\\@b.co',
    'a,b@c.co',
    'a;b@c.co',
    'a[b]@c.co',
  ],
  ...[
    'ä@b.co',
    'a@bücher.de',
    'a@例え.jp',
    '用户@例子.广告',
    'a@b.c\u043e',
    'a\u200b@b.co',
    'a@b.co\u200b',
    'a\u202e@b.co',
    'a＠b.co@',
    'a@b。co',
  ],
  ...[
    `${'a'.repeat(65)}@b.co`,
    `a@${'b'.repeat(64)}.co`,
    `a@${'b.'.repeat(126)}co`,
    `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(63)}`,
  ],
  ...[
    'a@\u00a0b.co',
    'a\u3000@b.co',
    '\ufeffa@b.co',
    'a@b.co\u2028',
    "a@b.co' or 1=1",
    'a@b.co/',
    'a@b.co?x=1',
    'a@b.co#x',
    '%40@b%2eco',
    'a@b%2eco',
  ],
];

/** What people write, and the address it is. */
const sameAddress: [written: string, address: string][] = [
  ['+65 9123 4567', '+6591234567'],
  ['+65-9123-4567', '+6591234567'],
  ['(+65) 9123.4567', '+6591234567'],
  [' +6591234567 ', '+6591234567'],
  ['+1 (202) 555-0123', '+12025550123'],
  ['+49 151 23456789', '+4915123456789'],
  ['+886912345678', '+886912345678'],
  ['+88213000000', '+88213000000'],
  ['Ana@Example.COM', 'Ana@example.com'],
  ["o'brien+otp=x@Mail.Example.co.uk", "o'brien+otp=x@mail.example.co.uk"],
  ['a@xn--bcher-kva.de', 'a@xn--bcher-kva.de'],
  ['{weird}|~!#$%&*/?^`@b.co', '{weird}|~!#$%&*/?^`@b.co'],
];

const paths = ['/v1/messages', '/v1/codes', '/v1/custom-messages'];

onEachApp('addresses', (get) => {
  before(async () => {
    const { call } = get();
    const made = await call({
      path: '/v1/template-configs',
      body: {
        template_id: 'both',
        send_channel_strategy: 'sms|email',
        verify_code_config: { verify_code_type: 1, verify_code_len: 6, verify_code_ttl: 5 },
        sms_config: { template_type: 1, template_default_config: {} },
        email_config: { template_name: 'code' },
      },
    });
    assert.equal(made.body.status, 2);
  });

  const bodyFor = (path: string, to: unknown) => ({
    to,
    template: { id: 'both', params: path === '/v1/custom-messages' ? { code: '4829' } : {} },
    ...(path === '/v1/codes' && { code: '4829' }),
  });

  test('what is no phone number is 5011 on every send endpoint, and nothing is sent', async () => {
    assert.ok(badPhones.length >= 60, `${badPhones.length} forms`);
    for (const path of paths)
      for (const to of badPhones) {
        const { status, body } = await get().expectNothingHappened(() => get().call({ path, body: bodyFor(path, to) }));
        const expected =
          to === '' ? [400, 3002, 'to: must be at least 1 character'] : [400, 5011, 'Invalid phone number'];
        assert.deepEqual([status, body.code, body.message], expected, `${path} ${JSON.stringify(to)}`);
      }
  });

  test('what has an @ and is no e-mail address is 3002 on every send endpoint, and nothing is sent', async () => {
    assert.ok(badMails.length >= 60, `${badMails.length} forms`);
    for (const path of paths)
      for (const to of badMails) {
        const { status, body } = await get().expectNothingHappened(() => get().call({ path, body: bodyFor(path, to) }));
        const told = `${path} ${JSON.stringify(to)}`;
        assert.deepEqual([status, body.code, body.message], [400, 3002, 'to: not a valid e-mail address'], told);
      }
  });

  test('in a list each bad one has its own error in its place, and a list of bad ones sends nothing', async () => {
    const path = '/v1/custom-messages';
    const list = [...badPhones, ...badMails].filter((to) => to !== '');
    const refused = await get().expectNothingHappened(() => get().call({ path, body: bodyFor(path, list) }));
    assert.deepEqual([refused.status, refused.body.code], [400, 5011]);
    const codes = refused.body.messages.map((one: { to: string; code: number }) => [one.to, one.code]);
    assert.deepEqual(
      codes,
      [...new Set(list)].map((to) => [to, to.includes('@') ? 3002 : 5011]),
    );
    const mixed = await get().call({ path, body: bodyFor(path, ['nobody', '+6598120000', 'a@b', 'a@b.co']) });
    assert.equal(mixed.status, 200);
    assert.deepEqual(
      mixed.body.messages.map((one: { to: string; code?: number }) => [one.to, one.code ?? 0]),
      [
        ['nobody', 5011],
        ['+6598120000', 0],
        ['a@b', 3002],
        ['a@b.co', 0],
      ],
    );
    assert.equal(mixed.body.message_id, mixed.body.messages[1].message_id);
  });

  test('an alternate address meets the same rules', async () => {
    const { call, expectNothingHappened } = get();
    const ask = (to: string, alternate_to: object) =>
      expectNothingHappened(() =>
        call({ path: '/v1/messages', body: { ...bodyFor('/v1/messages', to), alternate_to } }),
      );
    for (const phone of badPhones.filter((text) => text !== '').slice(0, 20))
      assert.equal((await ask('ana@example.com', { phone })).body.code, 5011, phone);
    for (const email of badMails.slice(0, 20)) {
      const { body } = await ask('+6598120011', { email });
      assert.deepEqual([body.code, body.message], [3002, 'alternate_to.email: not a valid e-mail address'], email);
    }
    const same = await ask('+6598120011', { phone: '+6598120012' });
    assert.deepEqual([same.body.code, same.body.details.fields[0].field], [3002, 'alternate_to.phone']);
    const sameMail = await ask('ana@example.com', { email: 'bo@example.com' });
    assert.deepEqual([sameMail.body.code, sameMail.body.details.fields[0].field], [3002, 'alternate_to.email']);
  });

  for (const [written, address] of sameAddress)
    test(`${written} is ${address}`, async () => {
      const { call, expectNothingHappened } = get();
      const body = { ...bodyFor('/v1/messages', written), template: { id: 'both' } };
      const sent = await call({ path: '/v1/messages', body: { ...body, purpose: written } });
      const again = await expectNothingHappened(() => call({ path: '/v1/messages', body: { ...body, to: address } }));
      assert.deepEqual([again.status, again.body.code], [400, 3004]);
      const living = again.body.details.message_id;
      assert.equal((await call({ path: `/v1/messages/${living}` })).body.to, address);
      if (sent.status !== 200) assert.deepEqual([sent.body.code, sent.body.details.message_id], [3004, living]);
      const found = await call({ path: `/v1/messages?to=${encodeURIComponent(written)}` });
      assert.deepEqual(
        found.body.messages.map((one: { message_id: string }) => one.message_id),
        [living],
      );
    });

  test('a magic recipient is one however it is written, and none outside the virtual network', async () => {
    const { call, operator, applicationId, expectNothingHappened } = get();
    const send = (to: string) => call({ path: '/v1/messages', body: { to, template: { id: 'both' } } });
    for (const to of ['+1 (000) 000-0011', '+10000000011', ' +1.000.000.0011'])
      assert.equal((await expectNothingHappened(() => send(to))).body.code, 5013, to);
    const mail = await send('sandbox@EXAMPLE.com');
    assert.equal((await call({ path: `/v1/messages/${mail.body.message_id}` })).body.to, 'sandbox@example.com');
    const application = `/admin/v1/applications/${applicationId}`;
    await operator({ method: 'PATCH', path: application, body: { network: 'live' } });
    for (const to of ['+1 (000) 000-0000', '+10000000000', '+10000000011']) {
      const { body } = await expectNothingHappened(() => send(to));
      assert.deepEqual([body.code, body.message], [5011, 'Invalid phone number'], to);
    }
    await operator({ method: 'PATCH', path: application, body: { network: 'virtual' } });
  });

  test('any time a caller can write filters a list', async () => {
    const times = [
      '0',
      '1',
      '1783036800',
      '3500000000',
      '3600000000',
      '4000000000',
      '99999999999',
      '1970-01-01',
      '9999-12-31T23:59:59Z',
      '2026-07-03T00:00:00.000Z',
      '0001-01-01',
    ];
    for (const from of times)
      for (const until of times)
        assert.equal(
          (await get().call({ path: `/v1/messages?from=${from}&until=${until}` })).status,
          200,
          `${from} ${until}`,
        );
    for (const bad of ['-1', '1e9', 'yesterday', '2026-13-01', '2026-02-30T25:00:00Z', '999999999999', ''])
      assert.equal((await get().call({ path: `/v1/messages?from=${bad}` })).body.code, 3002, bad);
  });
});
