/** Tools that answer from the registry itself and need no permission. */
import { z } from 'zod';
import { reads, shape, type ToolShape } from './tool.ts';

export const docsTools: readonly ToolShape[] = [
  shape({
    name: 'get_operation',
    operation: null,
    title: 'Describe one REST call',
    description:
      'Method, path, request schema, example and errors of one operation of the REST API, for writing code against it. Free, read-only.',
    toolset: 'docs',
    hints: reads,
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
    ask: () => ({}),
  }),
];
