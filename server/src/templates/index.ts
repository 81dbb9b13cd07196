/**
 * Templates: the approved texts of an application, per channel and language, and their review.
 * Promises: sends use the last approved revision; a change on this node is seen by the next send here, and elsewhere as soon as
 * the database has told the other nodes; one pure renderer makes the texts of sends, custom messages and previews.
 */

import { createDeeds, type Deeds, type TemplatesOptions } from './deeds.ts';
import { adminOperations, templateOperations } from './operations.ts';

export { isCompliant } from './compliance.ts';
export { type Language, languageSchema } from './language.ts';
export type { SendTemplate } from './template.ts';

export interface Templates extends Deeds {
  operations: ReturnType<typeof templateOperations>;
  adminOperations: ReturnType<typeof adminOperations>;
}

export function createTemplates(options: TemplatesOptions): Templates {
  const deeds = createDeeds(options);
  return { ...deeds, operations: templateOperations(deeds), adminOperations: adminOperations(deeds) };
}
