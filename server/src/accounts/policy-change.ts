/**
 * The schema of a policy given in part: every setting optional, none filled in. Made from `policySchema`, so ranges are said once.
 * Stored like this too: what an application does not set follows the platform's default, also after an upgrade changed it.
 */
import { z } from 'zod';
import { policySchema } from '../policy.ts';
import type { PolicyChange } from './records.ts';

function withoutDefault(field: z.core.$ZodType): z.core.$ZodType {
  if (field instanceof z.ZodDefault || field instanceof z.ZodPrefault) return withoutDefault(field.unwrap());
  return field instanceof z.ZodObject ? inPart(field) : field;
}

function inPart(schema: z.ZodObject): z.ZodObject {
  const fields = Object.entries(schema.shape);
  return z.object(Object.fromEntries(fields.map(([name, field]) => [name, z.optional(withoutDefault(field))])));
}

export const policyChangeSchema = inPart(policySchema) as unknown as z.ZodType<PolicyChange>;
