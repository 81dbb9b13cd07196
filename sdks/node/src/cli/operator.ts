// What the operator sees of an installation: its applications, and to which one a key belongs.

import type { Transport } from '../transport.ts';

export interface Application {
  id: string;
  organization_id: string;
  name: string;
  network: 'virtual' | 'live';
  /** `public`: the one behind sandbox_demo. */
  sandbox: 'none' | 'key' | 'public';
}

export interface FoundKey {
  application: Application;
  kind: string;
  permissions: string[];
  expires_at: string | null;
  enabled: boolean;
}

/** Larger installations have more; nobody waits for a command that reads them all. */
const longestList = 200;

/** Applications of all organizations, up to 200. */
export async function applicationsOf(operator: Transport): Promise<Application[]> {
  const organizations = await all<{ id: string }>(operator, '/admin/v1/organizations', 'organizations');
  const found: Application[] = [];
  for (const { id } of organizations) {
    if (found.length >= longestList) break;
    found.push(...(await all<Application>(operator, `/admin/v1/organizations/${id}/applications`, 'applications')));
  }
  return found;
}

/** The key with this name, among the applications given. */
export async function findKey(
  operator: Transport,
  applications: readonly Application[],
  devKey: string,
): Promise<FoundKey | undefined> {
  for (const application of applications) {
    const path = `/admin/v1/applications/${application.id}/api-keys`;
    const keys = await all<FoundKey & { dev_key: string }>(operator, path, 'api_keys');
    const found = keys.find(({ dev_key }) => dev_key === devKey);
    if (found) return { ...found, application };
  }
  return undefined;
}

/** All pages of a list, up to 200 entries. */
export async function all<T>(
  operator: Transport,
  path: string,
  name: string,
  query: { [name: string]: string } = {},
): Promise<T[]> {
  const found: T[] = [];
  for (let cursor: string | null | undefined; cursor !== null && found.length < longestList; ) {
    const page: { [name: string]: unknown } = await operator.request({
      method: 'GET',
      path,
      query: { ...query, limit: 100, cursor },
    });
    found.push(...(page[name] as T[]));
    cursor = (page['next_cursor'] ?? null) as string | null;
  }
  return found;
}
