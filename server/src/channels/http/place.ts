/** Where in an answer a value stands: a JSON pointer, a pattern over the text, or a header. One schema and one reader for all uses. */
import { z } from 'zod';
import type { Answered } from '../http-call.ts';
import { compilePattern, patternFault } from './pattern.ts';
import { isPointer, parseJson, textOf, valueAt } from './pointer.ts';

/** What upstreams call a message; also safe to be stored. */
export const isUpstreamId = (text: string): boolean => /^[^\p{Cc}\p{Cs}]{1,256}$/u.test(text);

export const pointer = z.string().max(200).refine(isPointer, 'must be a JSON pointer such as /messages/0/id');

const pattern = z
  .string()
  .min(1)
  .max(200)
  .superRefine((text, context) => {
    const fault = patternFault(text);
    if (fault !== null) context.addIssue({ code: 'custom', message: fault });
  });

export const headerName = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'must be the name of a header');

export const placeFields = {
  pointer: pointer.optional().meta({ title: 'JSON pointer', description: 'Into a JSON answer: /messages/0/id.' }),
  pattern: pattern.optional().meta({
    title: 'Pattern',
    description: 'Over the text of the answer: * is anything, (*) the value: "OK id=(*)".',
  }),
  header: headerName.optional().meta({ title: 'Header', description: 'Name of a header of the answer.' }),
};

export interface Place {
  pointer?: string | undefined;
  pattern?: string | undefined;
  header?: string | undefined;
}

export const placesGiven = (place: Place): number =>
  [place.pointer, place.pattern, place.header].filter((one) => one !== undefined).length;

/** For sentences: where somebody has to look. */
export const describePlace = ({ pointer, pattern, header }: Place): string =>
  pointer !== undefined
    ? `at ${pointer || 'the root'}`
    : pattern !== undefined
      ? `by the pattern ${pattern}`
      : `in the header ${header}`;

/** An answer with its JSON parsed once. */
export interface Reading {
  answer: Answered;
  document: unknown;
}

export const readAnswer = (answer: Answered): Reading => ({ answer, document: parseJson(answer.body) });

/** Null where nothing stands; '' for a pattern that matches and has no value. */
export function read({ pointer, pattern, header }: Place, { answer, document }: Reading): string | null {
  if (pointer !== undefined) return textOf(valueAt(pointer, document));
  if (pattern !== undefined) return compilePattern(pattern).match(answer.body);
  const value = answer.headers[header?.toLowerCase() ?? ''];
  return textOf(Array.isArray(value) ? value[0] : value);
}
