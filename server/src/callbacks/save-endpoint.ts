/** Endpoints made, changed and deleted. Each is probed before it is written, outside of any transaction; a failing probe saves too. */
import type { FieldFault } from '../errors.ts';
import { createSigningSecret } from '../platform/webhook-signature.ts';
import { defaultEvents, expandEvents } from './chosen-events.ts';
import { type Endpoint, type EndpointSecrets, type EndpointSettings, sealSecrets } from './endpoint.ts';
import type { EndpointBody, EndpointFields, EndpointUpdate } from './endpoint-wire.ts';
import {
  type Actor,
  changeEndpoint,
  conflict,
  foundEndpoint,
  knownEndpoint,
  type Office,
  requireApplication,
  requireNone,
} from './office.ts';
import { probe } from './probe.ts';
import * as store from './save-store.ts';

const maxEndpoints = 20;

export interface Created {
  endpoint: Endpoint;
  signingSecret: string;
}

const firstSettings = ({ url, format }: EndpointBody): EndpointSettings => ({
  description: '',
  url,
  username: null,
  eventTypes: defaultEvents,
  format: 'vendor',
  retrySchedule: 'vendor',
  batchRows: 1,
  timeoutMs: format === 'standard' ? 15_000 : 5_000,
  concurrency: 20,
  ratePerSecond: null,
  enabled: true,
});

export async function createEndpoint(
  office: Office,
  applicationId: string,
  body: EndpointBody,
  actor: Actor,
): Promise<Created> {
  const { id } = await requireApplication(office, applicationId);
  const settings = settingsOf(body, firstSettings(body));
  const signingSecret = createSigningSecret();
  const signing = [{ secret: signingSecret, untilMs: null }];
  const secrets = secretsOf(body, settings, { secret: null, authorization: null, signing });
  requireNone(faultsOf(office, body, settings, secrets));
  const probed = await probe(office, { ...settings, secrets });
  const made = {
    applicationId: id,
    settings,
    secrets: sealSecrets(office.keyring, id, secrets),
    ofSandbox: false,
    probed,
  };
  const endpoint = await office.db.transaction(async (tx) => {
    await store.lockApplication(tx, id);
    return store.insertEndpoint(tx, office.keyring, made, maxEndpoints, actor);
  });
  if (!endpoint) throw conflict('application_id', `has ${maxEndpoints} callback endpoints, and may have no more`);
  office.changed();
  return { endpoint, signingSecret };
}

/** What is not given stays as it is in `before`. */
function settingsOf(given: EndpointFields, before: EndpointSettings): EndpointSettings {
  return {
    description: given.description ?? before.description,
    url: given.url ?? before.url,
    username: given.username === undefined ? before.username : given.username,
    eventTypes: given.events ? expandEvents(given.events) : before.eventTypes,
    format: given.format ?? before.format,
    retrySchedule: given.retry_schedule ?? before.retrySchedule,
    batchRows: given.batch_rows ?? before.batchRows,
    timeoutMs: given.timeout_ms ?? before.timeoutMs,
    concurrency: given.concurrency ?? before.concurrency,
    ratePerSecond: given.rate_per_second === undefined ? before.ratePerSecond : given.rate_per_second,
    enabled: given.enabled ?? before.enabled,
  };
}

/** Without a username there is no secret. */
function secretsOf(given: EndpointFields, { username }: EndpointSettings, before: EndpointSecrets): EndpointSecrets {
  return {
    secret: username === null ? null : (given.secret ?? before.secret),
    authorization: given.authorization === undefined ? before.authorization : given.authorization,
    signing: before.signing,
  };
}

/** What the schemas cannot say: rules between fields, and what this platform may reach. */
function faultsOf(
  { outbound }: Pick<Office, 'outbound'>,
  given: EndpointFields,
  { url, username, format, batchRows }: EndpointSettings,
  { secret }: EndpointSecrets,
): FieldFault[] {
  const problem = given.url === undefined ? null : outbound.fault(url);
  return [
    ...(problem === null ? [] : [{ field: 'url', problem }]),
    ...(username !== null && secret === null ? [{ field: 'secret', problem: 'required with a username' }] : []),
    ...(username === null && given.secret !== undefined
      ? [{ field: 'username', problem: 'required with a secret' }]
      : []),
    ...(format === 'standard' && batchRows > 1
      ? [{ field: 'batch_rows', problem: 'must be 1 with the format standard' }]
      : []),
  ];
}

/** Probed where the address or what is sent to prove ourselves is given. */
export function updateEndpoint(
  office: Office,
  applicationId: string,
  id: string,
  { version, ...given }: EndpointUpdate,
  actor: Actor,
): Promise<Endpoint> {
  const { url, username, secret, authorization } = given;
  const probes = [url, username, secret, authorization].some((part) => part !== undefined);
  return changeEndpoint(office, { applicationId, id, version }, async (read) => {
    const settings = settingsOf(given, read);
    const secrets = secretsOf(given, settings, read.secrets);
    requireNone(faultsOf(office, given, settings, secrets));
    const change = {
      settings,
      enabled: given.enabled ?? null,
      secrets: sealSecrets(office.keyring, read.applicationId, secrets),
      probed: probes ? await probe(office, { ...settings, secrets }) : null,
      moved: settings.url !== read.url,
    };
    return store.updateEndpoint(office.db, office.keyring, read, change, actor);
  });
}

/** With all that was queued for it and its log. */
export async function deleteEndpoint(office: Office, applicationId: string, id: string, actor: Actor): Promise<void> {
  const application = await requireApplication(office, applicationId);
  const known = knownEndpoint(id);
  foundEndpoint(await store.deleteEndpoint(office.db, application.id, { id: known }, actor));
  // First, so that nothing more is posted and logged meanwhile.
  office.changed();
  await office.forgetPosts(known);
}
