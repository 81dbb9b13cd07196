/** One REST call, told to who writes code against it. */
import { errorTable } from '../errors.ts';
import type { Operation } from '../http/operation.ts';
import { inputSchemaOf, outlineOf } from './outline.ts';
import { Advised } from './refusal.ts';
import type { Json } from './tool.ts';

const unknownId =
  'Use an operationId of openapi.json, such as sendOtp; tools have other names. search_docs finds operations.';

/** 4001 for an unknown id, and for one that customers do not see. */
export function describeOperation(operations: readonly Operation[], id: string): Json {
  const spec = operations.find((operation) => operation.spec.id === id)?.spec;
  if (!spec || spec.hidden || spec.auth === 'operator') throw new Advised(4001, 'no such operation', unknownId);
  const { params, query, body } = spec.input;
  return {
    operation_id: spec.id,
    method: spec.method,
    path: spec.path,
    summary: spec.summary,
    request: {
      ...(params && { path: inputSchemaOf(params) }),
      ...(query && { query: inputSchemaOf(query) }),
      ...(body && { body: inputSchemaOf(body) }),
    },
    response: outlineOf(spec.output),
    examples: [...(spec.examples ?? [])],
    errors: spec.errors.map((code) => {
      const { title, next } = errorTable[code];
      return { code, title, next_step: next };
    }),
  };
}
