/** Reading a template as it was saved. */
import type { Db } from '../platform/db.ts';
import { isTemplateId } from './body.ts';
import { missing } from './save.ts';
import { findTemplate, type TemplateRow } from './store.ts';

/** With its newest revision, or the one asked for; 4001 when there is none. An id that cannot exist never reaches the database. */
export async function findOne(
  db: Db,
  applicationId: string,
  templateId: string,
  revision?: number,
): Promise<TemplateRow> {
  const row = isTemplateId(templateId) ? await findTemplate(db, applicationId, templateId, revision) : null;
  if (!row) throw missing();
  return row;
}
