/**
 * The operator's operations on organizations, applications, policies and API keys, under /admin/v1. Made under their parent,
 * afterwards reached by their own id. An unknown id is 404/4001. Lists are newest first, with a cursor as in contract §11.3.
 */
import { defineOperation, type Operation } from '../http/operation.ts';
import { policySchema } from '../policy.ts';
import * as keys from './api-keys.ts';
import * as applications from './applications.ts';
import * as examples from './examples.ts';
import type { Office } from './office.ts';
import * as organizations from './organizations.ts';
import { policyChangeSchema } from './policy-change.ts';
import * as wire from './wire.ts';

export type { Operation } from '../http/operation.ts';

const root = '/admin/v1';
const unknownId = [4001] as const;

export function createOperations(office: Office): Operation[] {
  return [
    ...organizationOperations(office),
    ...applicationOperations(office),
    ...policyOperations(office),
    ...keyOperations(office),
    ...oneKeyOperations(office),
  ];
}

function organizationOperations(office: Office): Operation[] {
  const common = { tag: 'Operator: organizations', auth: 'operator' } as const;
  const one = { path: `${root}/organizations/{organization_id}`, errors: unknownId } as const;
  const params = wire.idOf('organization_id');
  return [
    defineOperation(
      {
        ...common,
        id: 'createOrganization',
        method: 'POST',
        path: `${root}/organizations`,
        summary: 'Create an organization',
        input: { body: wire.organizationBody },
        output: wire.organizationSchema,
        errors: [],
        examples: [{ name: 'Acme', body: { name: 'Acme Pte. Ltd.' }, output: examples.organization }],
      },
      async ({ body }) => wire.toOrganization(await organizations.createOrganization(office, body.name)),
    ),
    defineOperation(
      {
        ...common,
        id: 'listOrganizations',
        method: 'GET',
        path: `${root}/organizations`,
        summary: 'List organizations, newest first',
        input: { query: wire.listQuery },
        output: wire.listSchema('organizations', wire.organizationSchema),
        errors: [],
        examples: [{ name: 'one page', output: { organizations: [examples.organization], next_cursor: null } }],
      },
      async ({ query }) =>
        wire.toList('organizations', await organizations.listOrganizations(office, query), wire.toOrganization),
    ),
    defineOperation(
      {
        ...common,
        ...one,
        id: 'getOrganization',
        method: 'GET',
        summary: 'Get an organization',
        input: { params },
        output: wire.organizationSchema,
        examples: [{ name: 'Acme', output: examples.organization }],
      },
      async ({ params }) => wire.toOrganization(await organizations.getOrganization(office, params.organization_id)),
    ),
    defineOperation(
      {
        ...common,
        ...one,
        id: 'updateOrganization',
        method: 'PATCH',
        summary: 'Rename an organization',
        input: { params, body: wire.organizationChange },
        output: wire.organizationSchema,
        examples: [{ name: 'rename', body: { name: 'Acme Pte. Ltd.' }, output: examples.organization }],
      },
      async ({ params, body }) =>
        wire.toOrganization(await organizations.renameOrganization(office, params.organization_id, body.name)),
    ),
  ];
}

function applicationOperations(office: Office): Operation[] {
  const common = { tag: 'Operator: applications', auth: 'operator', errors: unknownId } as const;
  const under = `${root}/organizations/{organization_id}/applications`;
  const path = `${root}/applications/{application_id}`;
  const params = wire.idOf('application_id');
  const example = { name: 'Acme', output: examples.application };
  return [
    defineOperation(
      {
        ...common,
        id: 'createApplication',
        method: 'POST',
        path: under,
        summary: 'Create an application in an organization',
        description:
          'Policy settings that are not given follow the defaults of the platform. The name stands for the brand in templates that name none.',
        input: { params: wire.idOf('organization_id'), body: wire.applicationBody },
        output: wire.applicationSchema,
        examples: [{ ...example, body: { name: 'Acme', policy: { template_review: 'auto' } } }],
      },
      async ({ params, body }) =>
        wire.toApplication(await applications.createApplication(office, params.organization_id, body)),
    ),
    defineOperation(
      {
        ...common,
        id: 'listApplications',
        method: 'GET',
        path: under,
        summary: 'List the applications of an organization, newest first',
        input: { params: wire.idOf('organization_id'), query: wire.listQuery },
        output: wire.listSchema('applications', wire.applicationSchema),
        examples: [{ name: 'one page', output: { applications: [examples.application], next_cursor: null } }],
      },
      async ({ params, query }) => {
        const listed = await applications.listApplications(office, params.organization_id, query);
        return wire.toList('applications', listed, wire.toApplication);
      },
    ),
    defineOperation(
      {
        ...common,
        id: 'getApplication',
        method: 'GET',
        path,
        summary: 'Get an application with its policy in force',
        input: { params },
        output: wire.applicationSchema,
        examples: [example],
      },
      async ({ params }) => wire.toApplication(await applications.getApplication(office, params.application_id)),
    ),
    defineOperation(
      {
        ...common,
        id: 'updateApplication',
        method: 'PATCH',
        path,
        summary: 'Rename an application, or move it between the virtual network and live providers',
        description: 'A sandbox application stays on the virtual network.',
        input: { params, body: wire.applicationChange },
        output: wire.applicationSchema,
        examples: [{ ...example, body: { name: 'Acme' } }],
      },
      async ({ params, body }) =>
        wire.toApplication(await applications.updateApplication(office, params.application_id, body)),
    ),
  ];
}

function policyOperations(office: Office): Operation[] {
  const common = {
    tag: 'Operator: applications',
    auth: 'operator',
    path: `${root}/applications/{application_id}/policy`,
    output: policySchema,
  } as const;
  const refusing = [3003, 4001] as const;
  const params = wire.idOf('application_id');
  const input = { params, body: policyChangeSchema };
  const example = { name: 'auto review', body: { template_review: 'auto' }, output: examples.policy };
  return [
    defineOperation(
      {
        ...common,
        id: 'getPolicy',
        method: 'GET',
        summary: 'Get the policy of an application, defaults filled in',
        errors: unknownId,
        input: { params },
        examples: [{ name: 'auto review', output: examples.policy }],
      },
      async ({ params }) => (await applications.getApplication(office, params.application_id)).policy,
    ),
    defineOperation(
      {
        ...common,
        id: 'replacePolicy',
        method: 'PUT',
        summary: 'Replace the policy of an application',
        description:
          'A setting that is not given goes back to the default of the platform. 3003 where codes would be easier to guess than `guess_ceiling` allows.',
        input,
        errors: refusing,
        examples: [example],
      },
      async ({ params, body }) => (await applications.replacePolicy(office, params.application_id, body)).policy,
    ),
    defineOperation(
      {
        ...common,
        id: 'changePolicy',
        method: 'PATCH',
        summary: 'Change some settings of the policy of an application',
        description:
          'A setting that is not given stays; objects are merged member by member, lists are replaced. 3003 where codes would be easier to guess than `guess_ceiling` allows.',
        input,
        errors: refusing,
        examples: [example],
      },
      async ({ params, body }) => (await applications.changePolicy(office, params.application_id, body)).policy,
    ),
  ];
}

const keysTag = { tag: 'Operator: API keys', auth: 'operator', errors: unknownId } as const;

function keyOperations(office: Office): Operation[] {
  const common = { ...keysTag, path: `${root}/applications/{application_id}/api-keys` } as const;
  const params = wire.idOf('application_id');
  return [
    defineOperation(
      {
        ...common,
        id: 'createApiKey',
        method: 'POST',
        summary: 'Create an API key',
        description:
          'The secret is shown in this answer only. Without `permissions` the key has all of them. A key of kind `agent` is for programs that decide by themselves: without `permissions` it may send, verify and read, without `expires_at` it ends after 90 days, and its terms in `agent` say where it may send, how often, and what it may spend in a day; in test mode, the default, it sends in an application on the virtual network and nothing in a live one; in live mode its first send to real people waits for an approval. Present either kind as Basic, or as `Bearer dev_key:dev_secret`.',
        input: { params, body: wire.keyBody },
        bodyOptional: true,
        output: wire.keyWithSecretSchema,
        examples: [
          { name: 'sends only', body: examples.keyBody, output: examples.keyWithSecret },
          { name: 'for an agent', body: examples.agentBody, output: examples.agentKey },
        ],
      },
      async ({ params, body, ip }) => withSecret(await keys.createKey(office, params.application_id, body, { ip })),
    ),
    defineOperation(
      {
        ...common,
        id: 'listApiKeys',
        method: 'GET',
        summary: 'List the API keys of an application, newest first',
        input: { params, query: wire.listQuery },
        output: wire.listSchema('api_keys', wire.keySchema),
        examples: [{ name: 'one page', output: { api_keys: [examples.key], next_cursor: null } }],
      },
      async ({ params, query }) =>
        wire.toList('api_keys', await keys.listKeys(office, params.application_id, query), wire.toKey),
    ),
    defineOperation(
      {
        ...keysTag,
        id: 'createSandboxKey',
        method: 'POST',
        path: `${root}/organizations/{organization_id}/sandbox-keys`,
        summary: 'Create a sandbox API key with an application of its own',
        description: 'The application is on the virtual network and approves templates automatically.',
        input: { params: wire.idOf('organization_id'), body: wire.sandboxKeyBody },
        bodyOptional: true,
        output: wire.sandboxKeySchema,
        examples: [{ name: 'for continuous integration', body: { name: 'CI' }, output: examples.sandboxKey }],
      },
      async ({ params, body, ip }) => {
        const made = await keys.createSandboxKey(office, params.organization_id, body, { ip });
        return { application: wire.toApplication(made.application), api_key: withSecret(made) };
      },
    ),
  ];
}

function oneKeyOperations(office: Office): Operation[] {
  const common = { ...keysTag, path: `${root}/api-keys/{key_id}` } as const;
  const params = wire.idOf('key_id');
  return [
    defineOperation(
      {
        ...common,
        id: 'getApiKey',
        method: 'GET',
        summary: 'Get an API key, without its secret',
        input: { params },
        output: wire.keySchema,
        examples: [{ name: 'sends only', output: examples.key }],
      },
      async ({ params }) => wire.toKey(await keys.getKey(office, params.key_id)),
    ),
    defineOperation(
      {
        ...common,
        id: 'updateApiKey',
        method: 'PATCH',
        summary: 'Change description, permissions, allowlist, expiry, terms or the enabled flag of an API key',
        description:
          'What is not given stays, also within `agent`. Wider terms take the approval of an agent key back. `expires_at: null` means never, an empty `ip_allowlist` from anywhere. The kind of a key never changes.',
        input: { params, body: wire.keyChange },
        output: wire.keySchema,
        examples: [{ name: 'sends only', body: examples.keyBody, output: examples.key }],
      },
      async ({ params, body, ip }) => wire.toKey(await keys.updateKey(office, params.key_id, body, { ip })),
    ),
    defineOperation(
      {
        ...common,
        id: 'rotateApiKeySecret',
        method: 'POST',
        path: `${root}/api-keys/{key_id}/rotate-secret`,
        summary: 'Give an API key a new secret',
        description:
          'The old secret is refused from now on; the new one is shown in this answer only. For an overlap create a second key instead.',
        input: { params },
        bodyOptional: true,
        output: wire.keyWithSecretSchema,
        examples: [{ name: 'rotated', output: examples.keyWithSecret }],
      },
      async ({ params, ip }) => withSecret(await keys.rotateSecret(office, params.key_id, { ip })),
    ),
    defineOperation(
      {
        ...common,
        id: 'deleteApiKey',
        method: 'DELETE',
        summary: 'Delete an API key for good',
        input: { params },
        output: wire.deletedSchema,
        examples: [{ name: 'deleted', output: { id: examples.key.id, deleted: true } }],
      },
      async ({ params, ip }) => {
        const { id } = await keys.deleteKey(office, params.key_id, { ip });
        return { id, deleted: true } as const;
      },
    ),
  ];
}

const withSecret = ({ key, devSecret }: keys.KeyWithSecret) => ({ ...wire.toKey(key), dev_secret: devSecret });
