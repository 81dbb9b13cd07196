import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { examplesIn, type Settings } from './fixtures.ts';
import { smsHttp } from './sms-http.ts';
import { voiceHttp } from './voice-http.ts';

const url = 'https://gateway.example/send';
const sound: Settings = {
  url,
  body: { type: 'json', template: '{"to":"{{to}}","text":"{{text}}"}' },
  id: { pointer: '/id' },
};
const faultsOf = (changes: Settings, adapter = smsHttp): string[] => {
  const parsed = adapter.settings.safeParse({ ...sound, ...changes });
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
};
const json = (template: string): Settings => ({ body: { type: 'json', template } });
const form = (template: string): Settings => ({ body: { type: 'form', template } });
const refused = (changes: Settings, fault: RegExp): void => {
  const faults = faultsOf(changes);
  assert.ok(
    faults.some((one) => fault.test(one)),
    `${JSON.stringify(changes)} gave ${faults.join('; ') || 'no fault'}`,
  );
};

test('the shortest settings are sound, and everything else has a default', () => {
  assert.deepEqual(faultsOf({}), []);
});

test('every worked example of the setup pages is sound', () => {
  for (const adapter of [smsHttp, voiceHttp]) {
    const examples = examplesIn(adapter.id, 'https://gateway.example');
    assert.equal(examples.length, 2);
    for (const example of examples) assert.deepEqual(adapter.settings.safeParse(example).error?.issues ?? [], []);
  }
});

test('a JSON template that a value could break is refused when it is saved', () => {
  for (const template of [
    '{"to":"{{to}}","text":{{text}}}',
    '{"to":"{{to}}","text":"{{text}}",}',
    '{"to":"{{to}}","text":"{{text}}"',
    '{"to":{{to}},"text":"{{text}}"}',
    '{"to":"{{to}}","text":"{{text}}","from":{{sender}}}',
    '{"to":"{{to}}","text":"{{text}}","dlt":{{dlt_entity_id}}}',
    '{"to":"{{to}}","text":"{{text}}","code":{{code}}}',
    'to={{to}}&text={{text}}',
  ])
    refused(json(template), /^body\.template: is not valid JSON once filled in/);
  for (const template of [
    '[{"to":"{{to}}","text":"<{{text}}>","left":{{expires_in}},"digits":{{to_digits}},"n":{{message_id}}}]',
    '{"a":{"b":{"to":"{{to}}","text":"{{text}}"}}}',
  ])
    assert.deepEqual(faultsOf(json(template)), []);
});

test('placeholders are known, and those of calls only in calls', () => {
  refused(json('{"to":"{{recipient}}","text":"{{text}}"}'), /^body\.template: \{\{recipient\}\} is no placeholder/);
  refused({ url: `${url}?x={{nope}}` }, /^url: \{\{nope\}\} is no placeholder/);
  refused(json('{"to":"{{to}}","text":"{{spoken}}"}'), /\{\{spoken\}\} is no placeholder/);
  assert.deepEqual(faultsOf(json('{"to":"{{to}}","text":"{{spoken}}"}'), voiceHttp), []);
  refused({ headers: { 'x-text': '{{text}}' } }, /^headers\.x-text: \{\{text\}\} is no placeholder here/);
});

test('a request that would say nothing to anybody is refused', () => {
  refused(json('{"text":"{{text}}"}'), /neither url nor body says \{\{to\}\}/);
  refused(json('{"to":"{{to}}"}'), /neither url nor body says \{\{text\}\}/);
  assert.deepEqual(faultsOf({ method: 'GET', url: `${url}?to={{to}}&t={{code}}`, body: undefined }), []);
  refused({ method: 'GET' }, /^body: a GET has none/);
});

test('a secret has its field; one written into headers, address or form is refused', () => {
  refused({ headers: { 'X-Api-Key': 'abc' } }, /^headers\.X-Api-Key: .*would be shown in clear/);
  refused({ headers: { Authorization: 'App abc' } }, /would be shown in clear/);
  refused({ url: `${url}?password=abc` }, /^url: .*would be shown in clear/);
  refused(form('to={{to}}&text={{text}}&api_key=abc'), /^body\.template: .*would be shown in clear/);
  refused({ headers: { 'X-Api-Key': '{{api_key}}' } }, /^api_key: is needed where \{\{api_key\}\} stands/);
  assert.deepEqual(faultsOf({ headers: { Authorization: 'App {{api_key}}' }, api_key: 'abc' }), []);
});

test('every secret of the schema is marked, and everything has a title', () => {
  const found: string[] = [];
  const walk = (schema: Record<string, unknown>, path: string): void => {
    for (const [name, member] of Object.entries(
      (schema['properties'] ?? {}) as Record<string, Record<string, unknown>>,
    )) {
      assert.ok(member['title'] && member['description'], `${path}${name} has no title or description`);
      if (member['secret'] === true) found.push(path + name);
      walk(member, `${path}${name}.`);
      if (member['items']) walk(member['items'] as Record<string, unknown>, `${path}${name}.`);
    }
  };
  walk(z.toJSONSchema(smsHttp.settings, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>, '');
  assert.deepEqual(found.toSorted(), [
    'api_key',
    'api_secret',
    'auth.password',
    'auth.token',
    'webhook_auth.secret',
    'webhook_auth.secret_previous',
  ]);
});

test('headers belong to the gateway, not to the connection, and stand once', () => {
  for (const name of ['Host', 'content-length', 'Connection', 'transfer-encoding', 'proxy-authorization'])
    refused({ headers: { [name]: '{{to}}' } }, /is set by the connection/);
  refused({ headers: { 'X-A': '1', 'x-a': '2' } }, /^headers\.x-a: is there twice/);
  refused({ headers: { 'x a': '1' } }, /header/);
  refused({ headers: { 'x-a': 'a\r\nb' } }, /printable/);
  refused({ languages: { en: 'en\r\nx: y' } }, /^languages\.en: must be printable/);
  refused(
    { headers: { authorization: 'App {{api_key}}' }, api_key: 'k', auth: { type: 'bearer', token: 't' } },
    /is made by auth/,
  );
});

test('authorization is whole', () => {
  refused({ auth: { type: 'basic', username: 'me' } }, /^auth: basic needs username and password/);
  refused({ auth: { type: 'bearer' } }, /^auth\.token: is needed for bearer/);
  refused({ auth: { type: 'basic', username: 'a:b', password: 'x' } }, /colon/);
});

test('the id stands in one place, and a pattern says where in the text', () => {
  for (const id of [{}, { pointer: '/id', header: 'x-id' }, { pointer: '/id', reference: true }])
    refused({ id }, /^id: give one of pointer, pattern, header and reference/);
  refused({ id: { pattern: 'OK' } }, /^id\.pattern: needs \(\*\)/);
  refused({ id: { pattern: '(*)(*)' } }, /^id\.pattern: may hold/);
  refused({ id: { pointer: 'id' } }, /JSON pointer/);
  refused({ id: { reference: true } }, /^id\.reference: the request does not say \{\{reference\}\}/);
  refused({ idempotent: true }, /^idempotent: the request does not say \{\{reference\}\}/);
});

test('a rule about answers says when it applies and what follows', () => {
  const rule = (answer: Settings): Settings => ({ answers: [answer] });
  refused(rule({ outcome: 'accepted' }), /^answers\.0: a rule needs a status/);
  refused(rule({ status: '4xx', outcome: 'refused' }), /must be "accepted", "unknown" or/);
  refused(rule({ status: '4xx', outcome: { reason: 'no_such_reason' } }), /answers\.0\.outcome/);
  refused(rule({ status: '4x', outcome: 'unknown' }), /HTTP status/);
  refused(rule({ status: '200', equals: 'x', outcome: 'unknown' }), /^answers\.0\.equals: needs a pointer/);
  refused(rule({ pattern: 'ERR', equals: 1, outcome: 'unknown' }), /^answers\.0\.pattern: needs \(\*\)/);
  refused(rule({ pointer: '/a', header: 'b', outcome: 'unknown' }), /at most one/);
});

test('receipts can be matched and proved, and a status means one thing', () => {
  const receipts = { format: 'json', status: '/s', delivered: ['D'] };
  refused({ receipts }, /^receipts\.id: receipts need id, reference, or/);
  assert.deepEqual(faultsOf({ receipts, ...json('{"to":"{{to}}","t":"{{text}}","u":"{{status_url}}"}') }), []);
  refused(
    { receipts: { ...receipts, id: '/i', undelivered: { D: 'expired' } } },
    /has a value that delivered or pending has too/,
  );
  refused({ receipts: { ...receipts, id: '/i', delivered: [] } }, /receipts\.delivered/);
  const hmac = { type: 'hmac', header: 'x-sig', secret: 's' };
  refused({ receipts: { ...receipts, id: '/i', format: 'query' }, webhook_auth: hmac }, /an HMAC covers the body/);
  for (const missing of ['header', 'secret'])
    refused({ webhook_auth: { ...hmac, [missing]: undefined } }, new RegExp(`^webhook_auth\\.${missing}: is needed`));
  refused({ webhook_auth: { type: 'basic', secret: 's' } }, /^webhook_auth\.username: is needed/);
  refused({ webhook_auth: { ...hmac, payload: 'x' } }, /must hold \{\{body\}\} once/);
  refused({ webhook_auth: { ...hmac, payload: '{{timestamp}}{{body}}' } }, /a time that is not signed proves nothing/);
  refused({ webhook_auth: { ...hmac, payload: '{{body}}', timestamp_header: 'x-t' } }, /proves nothing/);
});
