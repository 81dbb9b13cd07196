/**
 * Templates: the approved texts of an application, per channel and language, and their review.
 * Promises: sends use the last approved revision; a change on this node is seen by the next send here, and elsewhere as soon as
 * the database has told the other nodes; one pure renderer makes the texts of sends, custom messages and previews.
 */

import type { Db } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import { createDeeds, type Deeds } from './deeds.ts';
import { adminOperations, templateOperations } from './operations.ts';

export { type Language, languageSchema } from './language.ts';
export type { SendTemplate } from './template.ts';

export interface Templates extends Deeds {
  operations: ReturnType<typeof templateOperations>;
  adminOperations: ReturnType<typeof adminOperations>;
}

export function createTemplates({ db, log }: { db: Db; log: Log }): Templates {
  const deeds = createDeeds({ db, log });
  return { ...deeds, operations: templateOperations(deeds), adminOperations: adminOperations(deeds) };
}
