/** Applications and their policies. Every change holds from the next request on, on every node. */
import { invalid } from '../errors.ts';
import type { Application } from '../policy.ts';
import { found, knownForm, type Listed, type ListRequest, listPage, type Office } from './office.ts';
import { getOrganization } from './organizations.ts';
import type { ApplicationRecord, PolicyChange } from './records.ts';
import * as store from './store.ts';

export interface NewApplicationRequest {
  name: string;
  network: Application['network'];
  policy: PolicyChange;
}

/** 404 when the organization does not exist. */
export async function createApplication(
  { db }: Office,
  organizationId: string,
  request: NewApplicationRequest,
): Promise<ApplicationRecord> {
  const made = { organizationId: knownForm('organization', organizationId), sandbox: 'none', ...request } as const;
  return found('organization', await store.insertApplication(db, made));
}

export async function listApplications(
  office: Office,
  organizationId: string,
  request: ListRequest,
): Promise<Listed<ApplicationRecord>> {
  const organization = await getOrganization(office, organizationId);
  return listPage(request, (page) => store.listApplications(office.db, organization.id, page));
}

/** Read from the database, not from memory. */
export async function getApplication({ db }: Office, id: string): Promise<ApplicationRecord> {
  return found('application', await store.findApplication(db, knownForm('application', id)));
}

/** 3002 when a sandbox application is to leave the virtual network. */
export async function updateApplication(
  office: Office,
  id: string,
  { name, network }: { name?: string | undefined; network?: Application['network'] | undefined },
): Promise<ApplicationRecord> {
  // What an application is to the sandbox never changes, so reading it first cannot race.
  if (network === 'live' && (await getApplication(office, id)).sandbox !== 'none')
    throw invalid([{ field: 'network', problem: 'a sandbox application stays on the virtual network' }]);
  return change(office, id, (known) =>
    store.updateApplication(office.db, known, { name: name ?? null, network: network ?? null }),
  );
}

/** What `policy` does not name goes back to the platform's default. */
export const replacePolicy = (office: Office, id: string, policy: PolicyChange): Promise<ApplicationRecord> =>
  change(office, id, (known) => office.guarded(known, (tx) => store.replacePolicy(tx, known, policy)));

/** What `policy` does not name stays. */
export const changePolicy = (office: Office, id: string, policy: PolicyChange): Promise<ApplicationRecord> =>
  change(office, id, (known) => office.guarded(known, (tx) => store.mergePolicy(tx, known, policy)));

async function change(
  { memory }: Office,
  id: string,
  write: (id: string) => Promise<ApplicationRecord | null>,
): Promise<ApplicationRecord> {
  const known = knownForm('application', id);
  return found('application', await memory.afterWrite(`application:${known}`, () => write(known)));
}
