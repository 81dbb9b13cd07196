/** Organizations: who owns applications. */
import { found, knownForm, type Listed, type ListRequest, listPage, type Office } from './office.ts';
import type { Organization } from './records.ts';
import * as store from './store.ts';

export const createOrganization = ({ db }: Office, name: string): Promise<Organization> =>
  store.insertOrganization(db, name);

export const listOrganizations = ({ db }: Office, request: ListRequest): Promise<Listed<Organization>> =>
  listPage(request, (page) => store.listOrganizations(db, page));

/** 404 when there is none of this id, as with every deed on one. */
export async function getOrganization({ db }: Office, id: string): Promise<Organization> {
  return found('organization', await store.findOrganization(db, knownForm('organization', id)));
}

export async function renameOrganization({ db }: Office, id: string, name: string | undefined): Promise<Organization> {
  return found('organization', await store.updateOrganization(db, knownForm('organization', id), name ?? null));
}
