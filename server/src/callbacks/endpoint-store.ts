/** Reading endpoints. What changes them stands in save-store.ts. */
import type { EventName } from '../events/index.ts';
import type { Queryable } from '../platform/db.ts';
import type { Keyring } from '../platform/seal.ts';
import { raw, sql } from '../platform/sql.ts';
import { type DisabledBecause, type Endpoint, openSecrets } from './endpoint.ts';

export interface EndpointRow {
  id: string;
  application_id: string;
  description: string;
  url: string;
  username: string | null;
  secrets: Buffer;
  event_types: EventName[];
  format: Endpoint['format'];
  retry_schedule: Endpoint['retrySchedule'];
  batch_rows: number;
  timeout_ms: number;
  concurrency: number;
  rate_per_second: string | null;
  enabled: boolean;
  disabled_because: DisabledBecause | null;
  of_sandbox: boolean;
  reachable: boolean;
  probe_note: string;
  probed_at: Date;
  failing_since: Date | null;
  version: number;
  created_at: Date;
  updated_at: Date;
}

export const endpointColumns = raw(
  `id, application_id, description, url, username, secrets, event_types, format, retry_schedule, batch_rows, timeout_ms, concurrency,
  rate_per_second, enabled, disabled_because, of_sandbox, reachable, probe_note, probed_at, failing_since, version, created_at, updated_at`,
);

export const opener =
  (keyring: Keyring) =>
  (row: EndpointRow): Endpoint => ({
    id: row.id,
    applicationId: row.application_id,
    description: row.description,
    url: row.url,
    username: row.username,
    secrets: openSecrets(keyring, row.application_id, row.secrets),
    eventTypes: row.event_types,
    format: row.format,
    retrySchedule: row.retry_schedule,
    batchRows: row.batch_rows,
    timeoutMs: row.timeout_ms,
    concurrency: row.concurrency,
    ratePerSecond: row.rate_per_second === null ? null : Number(row.rate_per_second),
    enabled: row.enabled,
    disabledBecause: row.disabled_because,
    ofSandbox: row.of_sandbox,
    reachable: row.reachable,
    probeNote: row.probe_note,
    probedAt: row.probed_at,
    failingSince: row.failing_since,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  });

export async function listEndpointsById(db: Queryable, keyring: Keyring, ids: readonly string[]): Promise<Endpoint[]> {
  const rows = await db.query<EndpointRow>(sql`
    select ${endpointColumns} from callback_endpoints where id = any(${ids}::bigint[])`);
  return rows.map(opener(keyring));
}

/** Oldest first. */
export async function listEndpoints(db: Queryable, keyring: Keyring, applicationId: string): Promise<Endpoint[]> {
  const rows = await db.query<EndpointRow>(sql`
    select ${endpointColumns} from callback_endpoints where application_id = ${applicationId} order by id`);
  return rows.map(opener(keyring));
}

export async function findEndpoint(
  db: Queryable,
  keyring: Keyring,
  applicationId: string,
  id: string,
): Promise<Endpoint | null> {
  const rows = await db.query<EndpointRow>(sql`
    select ${endpointColumns} from callback_endpoints where id = ${id} and application_id = ${applicationId}`);
  return rows.map(opener(keyring))[0] ?? null;
}

/** What PUT /v1/sandbox/webhook has set. */
export async function findSandboxEndpoint(
  db: Queryable,
  keyring: Keyring,
  applicationId: string,
): Promise<Endpoint | null> {
  const rows = await db.query<EndpointRow>(sql`
    select ${endpointColumns} from callback_endpoints where application_id = ${applicationId} and of_sandbox`);
  return rows.map(opener(keyring))[0] ?? null;
}
