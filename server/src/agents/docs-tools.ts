/** Tools that answer from the documents and the registry. They need no credential, and nothing of a caller is in what they tell. */
import { z } from 'zod';
import { describeOperation } from './describe-operation.ts';
import { pathOfPage, sectionOf } from './pages.ts';
import { Advised } from './refusal.ts';
import { reads, shape, type ToolShape } from './tool.ts';

const common = { operation: null, toolset: 'docs', hints: reads, ask: () => ({}) } as const;
/** What a model takes in at once; longer pages are read section by section. */
const maxCharacters = 20_000;
const maxSections = 100;

export const docsTools: readonly ToolShape[] = [
  shape({
    ...common,
    name: 'search_docs',
    title: 'Search the documents',
    description:
      'Finds pages about operations, errors, settings, events and how to do things, by words. Then read one with get_doc. Free, read-only.',
    input: z.object({
      query: z.string().min(1).max(200).describe('A few words, an operationId or an error code.'),
      limit: z.int().min(1).max(10).default(5),
    }),
    output: z.object({
      pages: z.array(z.object({ path: z.string(), title: z.string(), description: z.string(), line: z.string() })),
    }),
    tell: ({ docs }, { query, limit }) => ({ pages: docs.search(query, limit) }),
  }),
  shape({
    ...common,
    name: 'get_doc',
    title: 'Read a page of the documents',
    description:
      'One page as Markdown, or one section of it; at most 20,000 characters. `sections` are its headings. Free, read-only.',
    input: z.object({
      path: z.string().min(1).max(200).describe('As search_docs found it, such as /docs/quick-start.'),
      section: z.string().min(1).max(200).optional().describe('One of its headings.'),
    }),
    output: z.object({
      path: z.string(),
      text: z.string(),
      sections: z.array(z.string()),
      truncated: z.boolean().describe('true: read the rest section by section.'),
    }),
    tell({ docs }, { path: given, section }) {
      const path = pathOfPage(given);
      const page = docs.read(path);
      if (page === null) throw new Advised(4001, `there is no page ${path}`, 'Find the page with search_docs.');
      const { headings, text } = sectionOf(page, section);
      if (text === null) {
        const message = `${path} has no section ${section}; it has ${headings.join(', ')}`;
        throw new Advised(4001, message, 'Ask for one of the headings it has, or for the page without a section.');
      }
      return {
        path,
        text: text.slice(0, maxCharacters),
        sections: headings.slice(0, maxSections),
        truncated: text.length > maxCharacters,
      };
    },
  }),
  shape({
    ...common,
    name: 'get_operation',
    title: 'Describe one REST call',
    description:
      'Method, path, request schema, example and errors of one operation of the REST API, for writing code against it. Free, read-only.',
    input: z.object({
      operation_id: z.string().min(1).max(64).describe('operationId in openapi.json, such as sendOtp or verifyOtp.'),
    }),
    output: z.object({
      operation_id: z.string(),
      method: z.string(),
      path: z.string(),
      summary: z.string(),
      request: z.record(z.string(), z.unknown()),
      response: z.record(z.string(), z.unknown()),
      examples: z.array(z.unknown()),
      errors: z.array(z.object({ code: z.int(), title: z.string(), next_step: z.string() })),
    }),
    tell: ({ operations }, { operation_id }) => describeOperation(operations, operation_id),
  }),
];
