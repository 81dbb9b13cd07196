import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { ApiError } from '../errors.ts';
import { listEvents } from '../events/index.ts';
import type { Application } from '../policy.ts';
import { policySchema } from '../policy.ts';
import { onEachEngine } from '../testing/database.ts';
import { basic, type Input, openAccounts, operate } from './fixture.ts';
import { type Accounts, publicSandboxApplicationId } from './index.ts';

type Json = Record<string, unknown>;
const nobody = '2072832692843446272';
const ids = (list: unknown): string[] => (list as Json[]).map((item) => String(item['id']));

async function refused(accounts: Accounts, id: string, input: Input, expected: Json): Promise<void> {
  await assert.rejects(operate(accounts, id, input), (error) => {
    assert.ok(error instanceof ApiError, String(error));
    assert.deepEqual({ code: error.code, status: error.status, message: error.message }, expected);
    return true;
  });
}

/** The paths of the fields the schemas refuse. */
function faults(accounts: Accounts, id: string, part: 'body' | 'query' | 'params', value: unknown): string[] {
  const schema = accounts.operations.find(({ spec }) => spec.id === id)?.spec.input[part];
  const parsed = schema?.safeParse(value);
  return parsed?.success === false ? parsed.error.issues.map((issue) => issue.path.join('.')) : [];
}

onEachEngine('operator operations', (get) => {
  const open = (options = {}): Accounts => openAccounts(get().db, get().clock, options);
  const organize = async (accounts: Accounts, name = 'Acme'): Promise<string> =>
    String((await operate(accounts, 'createOrganization', { body: { name } }))['id']);
  const apply = async (accounts: Accounts, body: Json = { name: 'App' }): Promise<string> => {
    const params = { organization_id: await organize(accounts) };
    return String((await operate(accounts, 'createApplication', { params, body }))['id']);
  };
  const keyFor = (accounts: Accounts, applicationId: string, body: Json = {}): Promise<Json> =>
    operate(accounts, 'createApiKey', { params: { application_id: applicationId }, body });

  test('an organization is made, read and renamed', async () => {
    const accounts = open();
    const made = await operate(accounts, 'createOrganization', { body: { name: '  Acmé 株式会社 ' } });
    assert.equal(made['name'], 'Acmé 株式会社');
    const params = { organization_id: String(made['id']) };
    assert.deepEqual(await operate(accounts, 'getOrganization', { params }), made);
    const renamed = await operate(accounts, 'updateOrganization', { params, body: { name: 'Acme' } });
    assert.deepEqual(renamed, { ...made, name: 'Acme' });
    assert.deepEqual(await operate(accounts, 'updateOrganization', { params, body: {} }), renamed);
  });

  test('lists are newest first, whole and without repetition over their pages', async () => {
    const accounts = open();
    const organizationId = await organize(accounts);
    const params = { organization_id: organizationId };
    const made: string[] = [];
    for (const name of ['1', '2', '3', '4', '5'])
      made.unshift(String((await operate(accounts, 'createApplication', { params, body: { name } }))['id']));
    const seen: string[] = [];
    let cursor: unknown = '';
    for (let page = 0; cursor !== null; page++) {
      const query = { limit: '2', ...(cursor !== '' && { cursor: String(cursor) }) };
      const list = await operate(accounts, 'listApplications', { params, query });
      seen.push(...ids(list['applications']));
      cursor = list['next_cursor'];
      assert.ok(page < 3);
    }
    assert.deepEqual(seen, made);
    const exact = await operate(accounts, 'listApplications', { params, query: { limit: '5' } });
    assert.deepEqual([ids(exact['applications']).length, exact['next_cursor']], [5, null]);
    const all = await operate(accounts, 'listOrganizations', { query: { limit: '100' } });
    assert.equal(ids(all['organizations'])[0], organizationId);

    const keys = [await keyFor(accounts, made[0] ?? ''), await keyFor(accounts, made[0] ?? '')];
    const list = await operate(accounts, 'listApiKeys', { params: { application_id: made[0] ?? '' } });
    assert.deepEqual(ids(list['api_keys']), ids(keys.reverse()));
    assert.ok(!JSON.stringify(list).includes('dev_secret'));
  });

  test('an application takes part of a policy, and shows it with the defaults filled in', async () => {
    const accounts = open();
    const policy = { template_review: 'auto', resend_policy: { mode: 'reuse' } };
    const id = await apply(accounts, { name: 'App', policy });
    const params = { application_id: id };
    const read = await operate(accounts, 'getApplication', { params });
    assert.deepEqual([read['network'], read['sandbox']], ['virtual', 'none']);
    assert.deepEqual(read['policy'], policySchema.parse(policy));
    assert.deepEqual(await operate(accounts, 'getPolicy', { params }), read['policy']);
    const live = await operate(accounts, 'updateApplication', { params, body: { name: 'Live', network: 'live' } });
    assert.deepEqual(live, { ...read, name: 'Live', network: 'live' });
    assert.equal((await accounts.application(id))?.network, 'live');
  });

  test('a policy is changed setting by setting and replaced as a whole', async () => {
    const accounts = open();
    const params = { application_id: await apply(accounts) };
    const patch = (body: Json): Promise<Json> => operate(accounts, 'changePolicy', { params, body });
    await patch({ max_attempts: 3, resend_policy: { mode: 'rotate', max_sends: 4 } });
    await patch({ resend_policy: { max_sends: 6 }, countries: { mode: 'allow', list: ['SG', 'DE'] } });
    const policy = await patch({ countries: { list: ['FR'] }, unknown_setting: 1 });
    const expected = policySchema.parse({
      max_attempts: 3,
      resend_policy: { mode: 'rotate', max_sends: 6 },
      countries: { mode: 'allow', list: ['FR'] },
    });
    assert.deepEqual(policy, expected);
    assert.deepEqual(await patch({}), expected);
    assert.deepEqual((await accounts.application(params.application_id))?.policy, expected);
    const replaced = await operate(accounts, 'replacePolicy', { params, body: { fallback_wait_seconds: { sms: 9 } } });
    assert.deepEqual(replaced, policySchema.parse({ fallback_wait_seconds: { sms: 9 } }));
    assert.deepEqual(await operate(accounts, 'replacePolicy', { params, body: {} }), policySchema.parse({}));
  });

  test('concurrent changes to one policy are all kept', async () => {
    const accounts = open();
    const params = { application_id: await apply(accounts) };
    const bodies = [
      { max_attempts: 3 },
      { target_attempts: 7 },
      { fallback_wait_seconds: { sms: 9 } },
      { fallback_wait_seconds: { email: 8 } },
      { retention_days: 2 },
    ];
    await Promise.all(bodies.map((body) => operate(accounts, 'changePolicy', { params, body })));
    const expected = policySchema.parse(Object.assign({}, ...bodies, { fallback_wait_seconds: { sms: 9, email: 8 } }));
    assert.deepEqual(await operate(accounts, 'getPolicy', { params }), expected);
  });

  test('a key is made with what was asked or with all permissions, and shows its secret once', async () => {
    const accounts = open();
    const applicationId = await apply(accounts);
    const plain = await keyFor(accounts, applicationId);
    assert.deepEqual(plain['permissions'], [
      'send',
      'verify',
      'templates',
      'read',
      'callbacks:read',
      'callbacks:write',
    ]);
    assert.deepEqual(
      [plain['description'], plain['ip_allowlist'], plain['expires_at'], plain['enabled'], plain['kind']],
      ['', [], null, true, 'server'],
    );
    const made = await keyFor(accounts, applicationId, {
      description: 'Login',
      permissions: ['verify', 'send', 'send'],
      ip_allowlist: ['203.0.113.7/24', '2001:DB8::1', '203.0.113.0/24'],
      expires_at: '2999-01-01T02:00:00+02:00',
      enabled: false,
    });
    const { dev_secret, ...shown } = made;
    assert.deepEqual(
      [shown['permissions'], shown['ip_allowlist'], shown['expires_at'], shown['enabled']],
      [['send', 'verify'], ['203.0.113.0/24', '2001:db8::1'], '2999-01-01T00:00:00.000Z', false],
    );
    assert.match(String(dev_secret), /^sk_[A-Za-z0-9_-]{32}$/);
    const params = { key_id: String(made['id']) };
    assert.deepEqual(await operate(accounts, 'getApiKey', { params }), shown);
    assert.deepEqual(await operate(accounts, 'updateApiKey', { params, body: {} }), shown);
    const changed = await operate(accounts, 'updateApiKey', { params, body: { expires_at: null, description: '' } });
    assert.deepEqual(changed, { ...shown, expires_at: null, description: '' });
  });

  test('every act on a key is in the ledger of its application, without the secret', async () => {
    const accounts = open();
    const applicationId = await apply(accounts);
    const key = await keyFor(accounts, applicationId, { description: 'CI' });
    const params = { key_id: String(key['id']) };
    await operate(accounts, 'updateApiKey', { params, body: { description: 'CI 2' } });
    const rotated = await operate(accounts, 'rotateApiKeySecret', { params });
    assert.notEqual(rotated['dev_secret'], key['dev_secret']);
    assert.deepEqual(await operate(accounts, 'deleteApiKey', { params }), { id: params.key_id, deleted: true });
    const events = await listEvents(get().db, applicationId, '0');
    const organizationId = (await accounts.application(applicationId))?.organizationId;
    assert.deepEqual(
      events.map(({ cause, status, data }) => ({ cause, status, data })),
      [
        ['create api_key', 'CI'],
        ['update api_key', 'CI 2'],
        ['update api_key', 'CI 2'],
        ['delete api_key', 'CI 2'],
      ].map(([action, description]) => ({
        cause: 'key_managed',
        status: 'key_manage',
        data: {
          org_id: organizationId,
          operator: { ip_address: '198.51.100.9' },
          key_manage: { action, api_key: key['dev_key'], description },
        },
      })),
    );
  });

  test('a sandbox key opens an application of its own that is furnished before the answer', async () => {
    const furnished: Application[] = [];
    const accounts = open({ furnishSandbox: async (application: Application) => void furnished.push(application) });
    const params = { organization_id: await organize(accounts) };
    const made = await operate(accounts, 'createSandboxKey', { params, body: { name: 'CI', permissions: ['send'] } });
    const application = made['application'] as Json;
    const key = made['api_key'] as Json;
    assert.deepEqual(
      [application['name'], application['network'], application['sandbox'], application['organization_id']],
      ['CI', 'virtual', 'key', params.organization_id],
    );
    assert.deepEqual(application['policy'], policySchema.parse({ template_review: 'auto' }));
    assert.deepEqual(
      furnished.map(({ id }) => id),
      [application['id']],
    );
    const caller = await accounts.authenticateKey(basic(String(key['dev_key']), String(key['dev_secret'])), '::1');
    assert.deepEqual([caller.application.id, [...caller.permissions]], [application['id'], ['send']]);

    await refused(
      accounts,
      'updateApplication',
      { params: { application_id: String(application['id']) }, body: { network: 'live' } },
      { code: 3002, status: 400, message: 'network: a sandbox application stays on the virtual network' },
    );
    const before = await operate(accounts, 'listApplications', { params });
    const past = { expires_at: '2001-01-01T00:00:00Z' };
    await assert.rejects(operate(accounts, 'createSandboxKey', { params, body: past }), { code: 3002 });
    assert.deepEqual(await operate(accounts, 'listApplications', { params }), before);
  });

  test('the public sandbox takes no further keys and stays virtual', async () => {
    const accounts = open();
    await accounts.bootstrap();
    const params = { application_id: publicSandboxApplicationId };
    const message = 'application_id: the public sandbox has only its published keys';
    await refused(accounts, 'createApiKey', { params }, { code: 3002, status: 400, message });
    await assert.rejects(operate(accounts, 'updateApplication', { params, body: { network: 'live' } }), { code: 3002 });
  });

  test('an unknown id is 404, also one that cannot be an id', async () => {
    const accounts = open();
    const name = { name: 'x' };
    const rows: [string, string, string, unknown][] = [
      ['getOrganization', 'organization_id', 'organization', undefined],
      ['updateOrganization', 'organization_id', 'organization', name],
      ['createApplication', 'organization_id', 'organization', name],
      ['listApplications', 'organization_id', 'organization', undefined],
      ['createSandboxKey', 'organization_id', 'organization', {}],
      ['getApplication', 'application_id', 'application', undefined],
      ['updateApplication', 'application_id', 'application', name],
      ['updateApplication', 'application_id', 'application', { network: 'live' }],
      ['getPolicy', 'application_id', 'application', undefined],
      ['replacePolicy', 'application_id', 'application', {}],
      ['changePolicy', 'application_id', 'application', {}],
      ['createApiKey', 'application_id', 'application', {}],
      ['listApiKeys', 'application_id', 'application', undefined],
      ['getApiKey', 'key_id', 'API key', undefined],
      ['updateApiKey', 'key_id', 'API key', {}],
      ['rotateApiKeySecret', 'key_id', 'API key', undefined],
      ['deleteApiKey', 'key_id', 'API key', undefined],
    ];
    for (const [id, field, thing, body] of rows)
      for (const value of [nobody, '0', '-1', 'abc', '9999999999999999999', "1' or '1'='1"])
        await refused(
          accounts,
          id,
          { params: { [field]: value }, body },
          { code: 4001, status: 404, message: `${thing} not found` },
        );
  });

  test('an expiry that has passed and a strange cursor are refused with their field', async () => {
    const { clock } = get();
    const accounts = open();
    const applicationId = await apply(accounts);
    const body = { expires_at: new Date(clock.now()).toISOString() };
    const expected = {
      code: 3002,
      status: 400,
      message: 'expires_at: must be in the future; to end a key now, disable it',
    };
    await refused(accounts, 'createApiKey', { params: { application_id: applicationId }, body }, expected);
    const key = await keyFor(accounts, applicationId);
    await refused(accounts, 'updateApiKey', { params: { key_id: String(key['id']) }, body }, expected);
    const message = 'cursor: not a cursor of this list';
    await refused(accounts, 'listOrganizations', { query: { cursor: 'x' } }, { code: 3002, status: 400, message });
  });

  test('the schemas refuse what is out of bounds, naming the field', () => {
    const accounts = open();
    const table: [string, 'body' | 'query', unknown, string][] = [
      ['createOrganization', 'body', {}, 'name'],
      ['createOrganization', 'body', { name: '' }, 'name'],
      ['createOrganization', 'body', { name: '   ' }, 'name'],
      ['createOrganization', 'body', { name: 'x'.repeat(65) }, 'name'],
      ['createOrganization', 'body', { name: 7 }, 'name'],
      ['createOrganization', 'body', { name: 'a\nb' }, 'name'],
      ['createOrganization', 'body', { name: 'a\0b' }, 'name'],
      ['createOrganization', 'body', { name: 'a\u0085b' }, 'name'],
      ['createOrganization', 'body', { name: 'a\u2028b' }, 'name'],
      ['createOrganization', 'body', { name: 'a\ud800b' }, 'name'],
      ['updateOrganization', 'body', { name: null }, 'name'],
      ['createApplication', 'body', { name: 'a', network: 'moon' }, 'network'],
      ['createApplication', 'body', { name: 'a', policy: { max_attempts: 11 } }, 'policy.max_attempts'],
      ['replacePolicy', 'body', { max_attempts: 0 }, 'max_attempts'],
      ['replacePolicy', 'body', { resend_policy: { mode: 'always' } }, 'resend_policy.mode'],
      ['replacePolicy', 'body', { resend_policy: null }, 'resend_policy'],
      ['changePolicy', 'body', { countries: { list: ['sg'] } }, 'countries.list.0'],
      ['changePolicy', 'body', { fallback_wait_seconds: { sms: 4 } }, 'fallback_wait_seconds.sms'],
      ['changePolicy', 'body', { request_rate: 1.5 }, 'request_rate'],
      ['changePolicy', 'body', { allow_overrides: 'ttl_seconds' }, 'allow_overrides'],
      ['createApiKey', 'body', { permissions: [] }, 'permissions'],
      ['createApiKey', 'body', { permissions: ['admin'] }, 'permissions.0'],
      ['createApiKey', 'body', { ip_allowlist: ['10.0.0.0/8', '10.0.0.0/33'] }, 'ip_allowlist.1'],
      ['createApiKey', 'body', { ip_allowlist: Array(101).fill('10.0.0.1') }, 'ip_allowlist'],
      ['createApiKey', 'body', { expires_at: 'tomorrow' }, 'expires_at'],
      ['createApiKey', 'body', { expires_at: '2999-02-30T00:00:00Z' }, 'expires_at'],
      ['createApiKey', 'body', { description: 'a\tb' }, 'description'],
      ['createApiKey', 'body', { description: 'x'.repeat(201) }, 'description'],
      ['updateApiKey', 'body', { enabled: 'no' }, 'enabled'],
      ['createSandboxKey', 'body', { name: '' }, 'name'],
      ['listOrganizations', 'query', { limit: '0' }, 'limit'],
      ['listOrganizations', 'query', { limit: '101' }, 'limit'],
      ['listOrganizations', 'query', { limit: 'ten' }, 'limit'],
      ['listApiKeys', 'query', { limit: '1.5' }, 'limit'],
    ];
    for (const [id, part, value, field] of table)
      assert.deepEqual([...new Set(faults(accounts, id, part, value))], [field], `${id} ${JSON.stringify(value)}`);
  });

  test('every operation is described as the registry needs it, and its examples fit its schemas', () => {
    const { operations } = open();
    assert.equal(new Set(operations.map(({ spec }) => spec.id)).size, operations.length);
    assert.equal(new Set(operations.map(({ spec }) => `${spec.method} ${spec.path}`)).size, operations.length);
    for (const { spec } of operations) {
      assert.equal(spec.auth, spec.id === 'createSession' ? 'none' : 'operator', spec.id);
      assert.match(spec.path, /^\/admin\/v1\//);
      assert.match(spec.tag, /^Operator: /);
      const names = [...spec.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      assert.deepEqual(names.length > 0, spec.input.params !== undefined, spec.id);
      assert.ok(spec.examples && spec.examples.length > 0, spec.id);
      for (const example of spec.examples) {
        spec.output.parse(example.output);
        if (example.body !== undefined) spec.input.body?.parse(example.body);
      }
      for (const schema of [spec.input.params, spec.input.query, spec.input.body])
        if (schema) z.toJSONSchema(schema as z.ZodType, { io: 'input' });
      z.toJSONSchema(spec.output as z.ZodType, { io: 'output' });
    }
  });
});
