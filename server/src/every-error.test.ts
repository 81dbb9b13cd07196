/**
 * Every public error, provoked through the API: each code of the table, each reason slug, each HTTP status that the contract
 * names (§3). The last test fails for an entry of errors.ts that nothing here provokes.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { type Reason, reasons } from './errors.ts';
import { sql } from './platform/sql.ts';
import { onEachApp, openTestApp, type TestReply } from './testing/app.ts';
import { approvalsOf, decide } from './testing/approvals.ts';
import { openTestDatabase } from './testing/database.ts';
import { createProvoker } from './testing/provoked-errors.ts';

const codeConfig = { verify_code_type: 1, verify_code_len: 6, verify_code_ttl: 5 };
const builtIn = { template_type: 1, template_default_config: {} };
const sms = { send_channel_strategy: 'sms', verify_code_config: codeConfig, sms_config: builtIn };
const chain = { ...sms, send_channel_strategy: 'whatsapp|sms', whatsapp_config: builtIn };
const custom = (custom_content: string, custom_sub_type = 'utility') => ({
  send_channel_strategy: 'sms',
  sms_config: { template_type: 2, template_custom_config: { custom_sub_type, custom_content } },
});

onEachApp('every error', (get) => {
  const { number, template, send, sent, act, is, refused, codes, unprovoked } = createProvoker(get);

  before(async () => {
    await template('chain', chain);
    await template('spare', sms);
    await template('note', custom('Order {{order}} is ready'));
  });

  test('2001, 2002, 2004: who may not call', async () => {
    const { call, makeApplication, makeKey, operator } = get();
    const path = '/v1/messages';
    is(await refused(() => send({}, { credential: null })), 401, 2001, 'authentication failed');
    is(await refused(() => call({ path: '/admin/v1/organizations' })), 401, 2001, 'authentication failed');
    const { id, keyId, credential } = await makeApplication();
    await operator({ method: 'PATCH', path: `/admin/v1/api-keys/${keyId}`, body: { enabled: false } });
    is(await refused(() => send({}, { credential })), 401, 2002, 'credential expired or disabled');
    const verifier = await makeKey(id, { permissions: ['verify'] });
    is(await refused(() => send({}, verifier)), 403, 2004, 'no permission for this API');
    const elsewhere = await makeKey(id, { ip_allowlist: ['198.51.100.0/24'] });
    is(await refused(() => call({ path, ...elsewhere })), 403, 2004, 'source address not allowed');
    const webhook = { method: 'PUT', path: '/v1/sandbox/webhook', body: { url: null } } as const;
    is(await refused(() => call(webhook)), 403, 2004, 'no permission for this API');
  });

  test('3001, 3002: what is no request', async () => {
    const { call } = get();
    const path = '/v1/messages';
    is(await refused(() => call({ path, payload: '{' })), 400, 3001, 'request body is not valid JSON');
    const plain = { headers: { 'content-type': 'text/plain' } };
    is(await refused(() => send({}, plain)), 400, 3001, 'content type must be application/json');
    is(await refused(() => send({ template: {} })), 400, 3002, 'template.id: required');
    is(await refused(() => send({ template: { id: 'login', language: 'fr' } })), 400, 3002, languageFault);
    is(await refused(() => call({ path, method: 'DELETE' })), 405, 3002, 'method not allowed');
    is(await refused(() => call({ path, payload: 'x'.repeat(65_537) })), 413, 3002, 'body: larger than 64 KiB');
    const code = await get().sendCode(number());
    const custom_args = { note: '4829' };
    const own = { to: number(), code: '4829', template: { id: 'login' }, custom_args };
    is(
      await refused(() => call({ path: '/v1/codes', body: own })),
      400,
      3002,
      'custom_args: must not contain the code',
    );
    assert.ok(code.messageId);
    const headers = { 'idempotency-key': 'one' };
    const repeated = number();
    await sent({ to: repeated }, { headers });
    is(await refused(() => send({}, { headers })), 422, 3002, 'Idempotency-Key: reused with another request');
    // As a process that died between the claim and the answer leaves it, until its lock lapses.
    await get().database.db.query(
      sql`update idempotency_keys set answer = null, locked_until = clock_now() + interval '9 seconds' where key = 'one'`,
    );
    const body = { to: repeated, template: { id: 'login' } };
    const waiting = await refused(() => send(body, { headers }));
    is(waiting, 409, 3002, 'Idempotency-Key: request in progress');
    assert.equal(waiting.headers['retry-after'], '1');
  });

  test('4001: what is not there', async () => {
    const { call, operator } = get();
    const unknown = '2072832692843466759';
    is(await refused(() => send({ template: { id: 'nothing' } })), 400, 4001, 'template not found');
    is(await refused(() => call({ path: '/v1/template-configs/nothing' })), 400, 4001, 'config not exist');
    is(await refused(() => call({ path: `/v1/messages/${unknown}` })), 400, 4001, 'message not found');
    is(await refused(() => get().verify(unknown, '123456')), 400, 4001, 'message not found');
    is(await refused(() => call({ path: '/v1/nothing' })), 404, 4001, 'no such endpoint');
    const missing = await refused(() => operator({ path: `/admin/v1/organizations/${unknown}` }));
    assert.deepEqual([missing.status, missing.body.code], [404, 4001]);
  });

  test('3003 at sends: templates, kinds, overrides, profile, countries', async () => {
    const { call, makeApplication } = get();
    const is3003 = async (work: () => Promise<TestReply>, reason: Reason, fill = ''): Promise<void> =>
      is(await refused(work), 400, 3003, reasons[reason][1].replace('…', fill), reason);
    const manual = await makeApplication({ policy: { template_review: 'manual' } });
    await template('login', sms, manual);
    await is3003(() => send({}, manual), 'template_not_approved');
    const customPath = '/v1/custom-messages';
    await is3003(() => call({ path: customPath, body: { to: number(), template: { id: 'login' } } }), 'code_required');
    await is3003(() => send({ template: { id: 'note' } }), 'not_code_template');
    await is3003(() => send({ ttl_seconds: 60 }), 'override_not_allowed', 'ttl_seconds');
    await is3003(() => send({ code_length: 8 }), 'override_not_allowed', 'code_length');
    await is3003(() => send({ to: 'ana@example.com' }), 'no_usable_channel', 'sms: no_address');
    const live = await makeApplication({ policy: { template_review: 'auto' } });
    await template('login', chain, live);
    await get().operator({ method: 'PATCH', path: `/admin/v1/applications/${live.id}`, body: { network: 'live' } });
    const unserved = await refused(() => template('other', chain, live));
    assert.match(unserved.body.message, /no provider serves whatsapp and sms: add a provider and a route/);
    await is3003(() => send({}, live), 'no_usable_channel', 'whatsapp: no_route; sms: no_route');
    const strict = {
      template_review: 'auto',
      profile: 'nist-800-63b',
      allow_overrides: ['ttl_seconds', 'code_length'],
    };
    const nist = await makeApplication({ policy: strict });
    await template('login', sms, nist);
    is(await refused(() => send({ code_length: 5 }, nist)), 400, 3003, profileFault, 'profile');
    const short = { ...sms, verify_code_config: { ...codeConfig, verify_code_len: 4 } };
    assert.equal((await refused(() => template('short', short, nist))).body.reason, 'profile');
    const guarded = await makeApplication({ policy: { template_review: 'auto', guess_ceiling: 0.001 } });
    await is3003(() => template('login', short, guarded), 'guess_ceiling_exceeded', '0.024');
    const countries = { mode: 'deny', list: ['SG'] };
    const closed = await makeApplication({ policy: { template_review: 'auto', countries } });
    await template('login', sms, closed);
    await is3003(() => send({}, closed), 'country_not_enabled', 'SG');
    const path = `/admin/v1/applications/${closed.id}/api-keys`;
    const { body: key } = await get().operator({ path, body: { kind: 'agent', agent: { countries: ['DE'] } } });
    const agent = { credential: `${key.dev_key}:${key.dev_secret}` };
    await is3003(() => send({ to: '+33612345678' }, agent), 'destination_not_allowed');
  });

  test('3003 where money is missing, 2004 where an operator is', async () => {
    const { operator, makeApplication } = get();
    const live = await makeApplication({ policy: { template_review: 'auto' } });
    await template('login', sms, live);
    const settings = { api_key: 'abcd1234', api_secret: 'secret', from: 'Acme', api_url: 'https://127.0.0.1' };
    const provider = { id: 'costs', adapter: 'sms-vonage', title: 'Costs', settings };
    assert.equal((await operator({ path: '/admin/v1/providers', body: provider })).status, 200);
    const route = { channel: 'sms', entries: [{ provider: 'costs', price_micros: 5 }], application_id: live.id };
    assert.equal((await operator({ path: '/admin/v1/routes', body: route })).status, 200);
    const application = `/admin/v1/applications/${live.id}`;
    const { body } = await operator({ method: 'PATCH', path: application, body: { network: 'live' } });
    const agent = await get().makeKey(live.id, { kind: 'agent', agent: { mode: 'live', countries: ['SG'] } });
    is(await refused(() => send({}, agent)), 403, 2004, reasons.approval_required[1], 'approval_required');
    await decide(get(), (await approvalsOf(get(), live.id))[0].id, 'refuse');
    is(await refused(() => send({}, agent)), 403, 2004, reasons.approval_refused[1], 'approval_refused');
    const budgets = `${application}/budgets`;
    const cap = { scope: 'all', period: 'day', cap_micros: 4 };
    const budget = await operator({ path: budgets, body: cap });
    const exhausted = await refused(() => send({}, live));
    is(exhausted, 400, 3003, 'budget exhausted', 'budget_exhausted');
    assert.ok(Number(exhausted.headers['retry-after']) <= 86_400);
    await operator({ method: 'DELETE', path: `${budgets}/${budget.body.id}` });
    const ladder = [{ at_percent: 0, action: 'challenge' }];
    const proving = await operator({ path: budgets, body: { ...cap, cap_micros: 99, ladder } });
    await get().app.spend.look();
    is(await refused(() => send({}, live)), 400, 5015, 'rejected', 'challenge_required');
    await operator({ method: 'DELETE', path: `${budgets}/${proving.body.id}` });
    await get().app.spend.look();
    const balance = `/admin/v1/organizations/${body.organization_id}/balance`;
    await operator({ method: 'PATCH', path: balance, body: { mode: 'prepaid' } });
    is(await refused(() => send({}, live)), 400, 3003, 'insufficient balance', 'insufficient_balance');
  });

  test('3003 at templates: ids, configs, rules, lint', async () => {
    const is3003 = async (body: object, reason: Reason, message: string = reasons[reason][1]): Promise<void> =>
      is(await refused(() => template('new', body)), 400, 3003, message, reason);
    is(await refused(() => template('login', sms)), 400, 3003, 'template_id already exists', 'duplicate_template');
    await is3003({ send_channel_strategy: 'sms' }, 'no_channel_config');
    await is3003({ ...sms, send_channel_strategy: 'sms|voice' }, 'missing_channel_config', 'missing voice_config');
    await is3003({ send_channel_strategy: 'sms', sms_config: builtIn }, 'missing_code_config');
    const twice = 'template rule: send_channel_strategy names sms twice';
    await is3003({ ...sms, send_channel_strategy: 'sms|sms' }, 'template_rule', twice);
    const without = { ...custom('no code here', 'authentication'), verify_code_config: codeConfig };
    const linted = await refused(() => template('new', without));
    is(linted, 400, 3003, 'lint: missing_code: the text does not contain {{code}}', 'lint_error');
  });

  test('3003 at checks and actions: how a code has ended', async () => {
    const { verify, sendCode, call } = get();
    const ended = async (id: string, code: string, reason: Reason): Promise<void> => {
      is(await refused(() => verify(id, code)), 400, 3003, reasons[reason][1], reason);
      is(await refused(() => act(id, 'resend')), 400, 3003, reasons[reason][1], reason);
    };
    const good = await sendCode(number());
    assert.equal((await verify(good.messageId, good.code)).body.verified, true);
    await ended(good.messageId, good.code, 'already_verified');
    is(await refused(() => act(good.messageId, 'cancel')), 400, 3003, 'already verified', 'already_verified');
    const spent = await sendCode(number());
    for (let i = 0; i < 5; i++) await verify(spent.messageId, 'wrong');
    await ended(spent.messageId, spent.code, 'too_many_attempts');
    const stopped = await sendCode(number());
    await act(stopped.messageId, 'cancel');
    await ended(stopped.messageId, stopped.code, 'cancelled');
    const purposeful = await sendCode(number(), { id: 'login' }, { purpose: 'login' });
    const other = { purpose: 'signup' };
    is(
      await refused(() => verify(purposeful.messageId, purposeful.code, other)),
      400,
      3003,
      'purpose mismatch',
      'purpose_mismatch',
    );
    const own = await call({ path: '/v1/codes', body: { to: number(), code: '4829', template: { id: 'login' } } });
    await get().settle();
    const foreign = await refused(() => verify(own.body.message_id, '4829'));
    is(foreign, 400, 3003, 'not a platform-generated code', 'not_platform_code');
    const single = await sent();
    await get().settle();
    is(await refused(() => act(single, 'next-channel')), 400, 3003, 'no further channel', 'no_further_channel');
    await get().database.clock.travel(31_000);
    const voice = await refused(() => act(single, 'resend', { channel: 'voice' }));
    is(voice, 400, 3003, 'channel not in template', 'channel_not_in_template');
    const rotating = await get().makeApplication({
      policy: { template_review: 'auto', resend_policy: { mode: 'rotate', resend_after: 0 } },
    });
    await template('login', sms, rotating);
    const to = number();
    const old = await sent({ to }, rotating);
    await sent({ to }, rotating);
    await get().settle();
    const verifyOld = { path: '/v1/verifications', body: { message_id: old, verify_code: '1' }, ...rotating };
    is(await refused(() => call(verifyOld)), 400, 3003, 'superseded by a newer code', 'superseded');
    const late = await sendCode(number());
    await get().database.clock.travel(300_000);
    await get().settle();
    await ended(late.messageId, late.code, 'expired');
    is(await refused(() => act(late.messageId, 'cancel')), 400, 3003, 'expired', 'expired');
  });

  test('3004: too soon, too often, too many', async () => {
    const { makeApplication, call, verify, operator } = get();
    const is3004 = async (work: () => Promise<TestReply>, reason: Reason): Promise<void> =>
      is(await refused(work), 400, 3004, reasons[reason][1], reason);
    const to = number();
    const living = await sent({ to });
    const again = await refused(() => send({ to }));
    is(again, 400, 3004, reasons.code_still_valid[1], 'code_still_valid');
    assert.equal(again.body.details.message_id, living);
    await is3004(() => act(living, 'resend'), 'resend_too_soon');
    const few = await makeApplication({ policy: { template_review: 'auto', resend_policy: { max_sends: 1 } } });
    await template('login', sms, few);
    await template('other', sms, few);
    await sent({ to }, few);
    await is3004(() => send({ to, template: { id: 'other' } }, few), 'target_send_limit');
    const limits = [{ name: 'one', per: 'application', limit: 1, window_seconds: 60 }];
    const limited = await makeApplication({ policy: { template_review: 'auto', limits } });
    await template('login', sms, limited);
    await sent({ to }, limited);
    is(await refused(() => send({ to: number() }, limited)), 429, 3004, 'too many requests: one', 'rate_limited');
    const target = number();
    for (const id of ['login', 'chain']) {
      const message = await sent({ to: target, template: { id } });
      await get().settle();
      for (let i = 0; i < 5; i++) assert.equal((await verify(message, 'wrong')).status, 200);
    }
    await is3004(() => send({ to: target, template: { id: 'spare' } }), 'target_locked');
    is(await refused(() => send({ to: '+10000000099' })), 400, 3004, 'Rate limited');
    const slow = await makeApplication({ policy: { request_rate: 1 } });
    await call({ path: '/v1/messages', ...slow });
    is(await refused(() => send({}, slow)), 429, 3004, 'too many requests');
    const organization = await operator({ path: '/admin/v1/organizations', body: { name: 'Sandboxed' } });
    const made = await operator({ path: `/admin/v1/organizations/${organization.body.id}/sandbox-keys`, body: {} });
    const { dev_key, dev_secret } = made.body.api_key;
    const credential = `${dev_key}:${dev_secret}`;
    const first = await call({ path: '/v1/messages', credential });
    assert.equal(first.status, 200);
    await get().database.db.query(sql`update sandbox_quotas set used = 5000`);
    is(await refused(() => send({}, { credential })), 429, 3004, 'quota exceeded');
  });

  test('5011, 5013, 5014, 5017, 5019: refused before anything is sent', async () => {
    is(await refused(() => send({ to: 'nobody' })), 400, 5011, 'Invalid phone number');
    is(await refused(() => send({ to: '+10000000001' })), 400, 5011, 'Invalid phone number');
    is(await refused(() => send({ to: '+10000000011' })), 400, 5013, 'Blacklisted');
    is(await refused(() => send({ to: '+10000000012' })), 400, 5019, 'Unsubscribed');
    const note = (order: string): Promise<TestReply> =>
      get().call({ path: '/v1/custom-messages', body: { to: number(), template: { id: 'note', params: { order } } } });
    for (const order of ['\u202e71-A', '\u202dA', '\u0085', '\u009b31m', '\uffff'])
      is(await refused(() => note(order)), 400, 5014, 'content not compliant');
    for (const order of ['A-17', '\u2067עברית\u2069', 'line\nend', '👩‍🚒', ''])
      assert.equal((await note(order)).status, 200);
    const policy = { template_review: 'auto', china_permission: false };
    const abroad = await get().makeApplication({ policy });
    await template('login', sms, abroad);
    const chinese = await refused(() => send({ to: '+8613800138000' }, abroad));
    is(chinese, 400, 5017, 'no permission to send to China');
  });

  const upstream = [5001, 5012, 5013, 5014, 5015, 5016, 5017, 5018, 5019, 5020] as const;

  test('what an upstream refuses or reports stands in the rows of the message, for every 50xx code', async () => {
    const { call, statusesOf, live } = get();
    for (const code of upstream) {
      const to = number();
      const script = (sms: object): Promise<TestReply> =>
        call({ method: 'PUT', path: `/v1/sandbox/recipients/${encodeURIComponent(to)}`, body: { channels: { sms } } });
      assert.equal((await script({ hand_over: 'refuse', error_code: code })).status, 200);
      const first = await sent({ to });
      // A fault between us and the upstream is tried again for a while.
      await live(code === 5016 ? 12 : 1);
      const failed = code === 5020 ? 'target_invalid(sms, 5020)' : `sent_failed(sms, ${code})`;
      assert.deepEqual(await statusesOf(first), ['plan(sms)', 'target_valid(sms)', failed]);
      const story = (await call({ path: `/v1/messages/${first}` })).body;
      assert.deepEqual([story.state, story.steps[0].error_code], [code === 5020 ? 'invalid' : 'failed', code]);
      await script({ receipt: 'undelivered', receipt_error_code: code, receipt_after_ms: 500 });
      const second = await sent({ to });
      await live(1);
      const rows = await statusesOf(second);
      assert.deepEqual(rows.slice(0, 3), ['plan(sms)', 'target_valid(sms)', 'sent(sms)']);
      assert.match(rows[3] ?? '', new RegExp(`^(delivered_failed|target_invalid)\\(sms, ${code}\\)$`));
      codes.add(code);
    }
  });

  test('5020 is told by event where the numbering plan knows that a number cannot exist', async () => {
    const { makeApplication, statusesOf, settle } = get();
    const strict = await makeApplication({ policy: { template_review: 'auto', number_check: 'strict' } });
    await template('login', sms, strict);
    const id = await sent({ to: '+659123456789' }, strict);
    await settle();
    assert.deepEqual(await statusesOf(id, strict.id), ['plan(sms)', 'target_invalid(sms, 5020)']);
  });

  test('1000: a fault of ours is 500 without its cause, and the next request is answered', async () => {
    const { database, verify, call } = get();
    const { messageId, code } = await get().sendCode(number());
    await database.db.query(sql`alter table verifications rename to verifications_away`);
    is(await verify(messageId, code), 500, 1000, 'internal error');
    is(await send(), 500, 1000, 'internal error');
    await database.db.query(sql`alter table verifications_away rename to verifications`);
    assert.equal((await verify(messageId, code)).body.verified, true);
    assert.equal((await call({ path: '/healthz' })).status, 200);
  });

  test('1000: a database that is gone is 503 with Retry-After, and is told by /readyz alone', async () => {
    const database = await openTestDatabase(get().database.kind);
    const box = await openTestApp(database);
    await box.call({ path: '/v1/messages' });
    await database.close();
    const body = { to: number(), template: { id: 'login' } };
    const reply = await box.call({ path: '/v1/messages', body });
    is(reply, 503, 1000, 'internal error');
    assert.equal(reply.headers['retry-after'], '1');
    assert.equal((await box.call({ path: '/healthz' })).status, 200);
    const ready = await box.call({ path: '/readyz' });
    assert.deepEqual([ready.status, ready.body], [503, { status: 'not_ready', checks: { database: 'failing' } }]);
    await box.close();
  });

  test('nothing in the table of errors is left unprovoked', () => assert.deepEqual(unprovoked(), []));
});

const languageFault = 'template.language: must be one of default, zh_CN, zh_HK, en, ja, th, es';
const profileFault = 'profile nist-800-63b: a code needs at least 6 characters';
