import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createLog } from '../../platform/log.ts';
import { openTestPorts, type TestPorts } from '../../testing/upstream-ports.ts';
import type { Upstream, UpstreamTemplate } from '../contract.ts';
import { type GraphEmulator, openGraphEmulator } from './fixture.ts';
import type { Settings } from './settings.ts';
import { whatsappCloud } from './whatsapp-cloud.ts';

const inTime = (): AbortSignal => AbortSignal.timeout(20_000);
const supported_apps = [{ package_name: 'com.example.app', signature_hash: 'K8a/AINcGX7' }];
const classes = 12;

describe('template sync of the WhatsApp Cloud API', () => {
  let meta: GraphEmulator;
  let ports: TestPorts;
  let upstream: Upstream;
  const logged: string[] = [];

  before(async () => {
    ports = await openTestPorts(createLog('trace', { write: (line: string) => void logged.push(line) }));
    meta = await openGraphEmulator();
    upstream = await whatsappCloud.open(meta.settings, ports);
  });
  beforeEach(() => {
    meta.templates.clear();
    meta.requests.length = 0;
    delete meta.limits.listing;
    delete meta.limits.creating;
    Object.assign(meta.limits, { creations: 100, page: 100 });
  });
  after(async () => {
    await upstream.close();
    await meta.close();
    await ports.close();
  });

  const sync = async (languages: readonly string[], changes: Partial<Settings> = {}): Promise<UpstreamTemplate[]> => {
    const other = await whatsappCloud.open({ ...meta.settings, ...changes }, ports);
    try {
      return (await other.syncTemplates?.(languages, inTime())) ?? [];
    } finally {
      await other.close();
    }
  };
  const created = (): number => meta.requests.filter((line) => line.startsWith('POST')).length;
  const count = (states: UpstreamTemplate[], state: string): number =>
    states.filter((one) => one.state === state).length;
  const setStatus = (key: string, status: string): void => {
    const template = meta.templates.get(key);
    assert.ok(template, key);
    template.status = status;
  };

  test('every class is made once in every language, and Meta takes each request', async () => {
    const states = await sync(['default', 'en', 'ja']);
    assert.equal(states.length, 2 * classes);
    assert.equal(count(states, 'pending'), 2 * classes);
    assert.equal(created(), 2 * classes);
    assert.ok(states.every(({ detail }) => detail === undefined));
    for (const { ttlSeconds, name } of meta.templates.values())
      assert.equal(ttlSeconds, Number(/_(\d+)min/.exec(name)?.[1]) * 60);
  });

  test('one-tap and zero-tap templates are taken too', async () => {
    for (const button of ['one_tap', 'zero_tap'] as const) {
      const states = await sync(['es', 'fr'], { button, supported_apps, zero_tap_terms_accepted: true });
      assert.equal(count(states, 'pending'), 3 * classes, button);
    }
  });

  test('a second run makes nothing and tells what has become of each, over several pages', async () => {
    await sync(['ja']);
    meta.limits.page = 5;
    meta.requests.length = 0;
    setStatus('otp_copy_code_1min en', 'APPROVED');
    setStatus('otp_copy_code_5min en', 'REJECTED');
    setStatus('otp_copy_code_10min en', 'PAUSED');
    setStatus('otp_copy_code_1min_expiry ja', 'DISABLED');
    setStatus('otp_copy_code_5min_expiry ja', 'PENDING_DELETION');
    setStatus('otp_copy_code_10min_expiry ja', 'SOMETHING_NEW');
    const states = await sync(['ja']);
    assert.equal(created(), 0);
    assert.equal(meta.requests.length, 5);
    assert.ok(!meta.requests.some((line) => line.includes('nowhere')));
    const by = new Map(states.map((one) => [`${one.name} ${one.language}`, one]));
    const stateOf = (key: string): string => `${by.get(key)?.state}: ${by.get(key)?.detail}`;
    assert.equal(stateOf('otp_copy_code_1min en'), 'approved: undefined');
    assert.match(stateOf('otp_copy_code_5min en'), /^rejected: .*\(INVALID_FORMAT\)$/);
    assert.match(stateOf('otp_copy_code_10min en'), /^paused: /);
    assert.match(stateOf('otp_copy_code_1min_expiry ja'), /^rejected: .*template_prefix/);
    assert.match(stateOf('otp_copy_code_5min_expiry ja'), /^missing: .*30 days/);
    assert.match(stateOf('otp_copy_code_10min_expiry ja'), /^pending: .*SOMETHING_NEW/);
    assert.equal(stateOf('otp_copy_code_5min_security ja'), 'pending: undefined');
  });

  test('a template of another category under our name is told, not used', async () => {
    await sync([]);
    const template = meta.templates.get('otp_copy_code_1min en');
    assert.ok(template);
    template.category = 'MARKETING';
    const [first] = await sync([]);
    assert.deepEqual([first?.state, first?.name], ['rejected', 'otp_copy_code_1min']);
    assert.match(first?.detail ?? '', /template_prefix/);
  });

  test('the limit of new templates stops the run with the reason; the next goes on there', async () => {
    meta.limits.creations = 4;
    const states = await sync([]);
    assert.deepEqual([count(states, 'pending'), count(states, 'missing'), created()], [4, classes - 4, 5]);
    for (const { detail } of states.slice(4)) assert.match(detail ?? '', /80008/);
    meta.limits.creations = 100;
    assert.equal(count(await sync([]), 'pending'), classes);
  });

  test('an account that may not make templates is asked once', async () => {
    meta.limits.creating = { status: 403, code: 200, message: 'Permissions error', details: 'No permission' };
    const states = await sync([]);
    assert.deepEqual([count(states, 'missing'), created()], [classes, 1]);
    assert.match(states[0]?.detail ?? '', /permission/);
  });

  test('a template that Meta does not take leaves the others alone', async () => {
    const states = await sync([], { language_map: {}, default_language: 'xx' });
    assert.deepEqual([count(states, 'missing'), created()], [classes, classes]);
  });

  test('where the templates cannot be listed nothing is made, and the reason is told', async () => {
    meta.limits.listing = { status: 401, code: 190, message: 'Invalid token', details: 'Session has expired' };
    const states = await sync(['ja']);
    assert.deepEqual([count(states, 'missing'), created()], [2 * classes, 0]);
    assert.match(states[0]?.detail ?? '', /could not be listed: the access token has expired/);
    const unreached = await sync([], { api_url: 'http://127.0.0.1:1' });
    assert.match(unreached[0]?.detail ?? '', /could not be listed: .*refuses connections/);
  });

  test('an aborted run ends at once without a throw', async () => {
    const states = await upstream.syncTemplates?.(['ja'], AbortSignal.abort());
    assert.equal(states?.length, 2 * classes);
    assert.equal(created(), 0);
  });

  test('no token was logged', () => assert.doesNotMatch(logged.join(''), /test-token/));
});
