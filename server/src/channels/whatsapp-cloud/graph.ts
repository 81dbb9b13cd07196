/** Calls to the Graph API: address, token and JSON in; the answer as Meta gave it out, with its error taken apart. */
import { z } from 'zod';
import type { Outbound } from '../../platform/outbound.ts';
import { callUpstream } from '../http-call.ts';
import type { Refused, Unknown } from '../outcome.ts';
import type { Settings } from './settings.ts';

export interface GraphAnswer {
  kind: 'answered';
  status: number;
  /** The JSON of the answer; undefined where it is none. */
  json: unknown;
  /** Set when the answer says in Meta's own words what is wrong. */
  error: GraphError | undefined;
}

export interface GraphError {
  code: number;
  /** Meta's sentence about this very case. */
  details: string | undefined;
  /** Meta's support asks for it. */
  trace: string | undefined;
}

export interface Graph {
  post(path: string, body: object, signal: AbortSignal): Promise<GraphAnswer | Refused | Unknown>;
  get(path: string, query: Record<string, string>, signal: AbortSignal): Promise<GraphAnswer | Refused | Unknown>;
}

export function createGraph(outbound: Outbound, settings: Settings): Graph {
  const base = `${settings.api_url.replace(/\/+$/, '')}/${settings.api_version}`;
  const authorization = `Bearer ${settings.access_token}`;
  const call = async (request: Parameters<typeof callUpstream>[1]): Promise<GraphAnswer | Refused | Unknown> => {
    const answer = await callUpstream(outbound, request);
    if (answer.kind !== 'answered') return answer;
    const json = readJson(answer.body);
    return { kind: 'answered', status: answer.status, json, error: readError(json) };
  };
  return {
    post: (path, body, signal) =>
      call({
        url: `${base}/${path}`,
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal,
      }),
    get: (path, query, signal) =>
      call({ method: 'GET', url: `${base}/${path}?${new URLSearchParams(query)}`, headers: { authorization }, signal }),
  };
}

/** Undefined for what is no JSON. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const text = z.string().optional().catch(undefined);

/** One error, in an answer or in a failed status. `message` repeats the title, which Meta gives up: read only where details are missing. */
export const errorShape = z.object({
  code: z.int().or(
    z
      .string()
      .regex(/^\d{1,9}$/)
      .transform(Number),
  ),
  message: text,
  error_data: z.object({ details: text }).optional().catch(undefined),
  fbtrace_id: text,
});

const withError = z.object({ error: errorShape });

function readError(json: unknown): GraphError | undefined {
  const read = withError.safeParse(json);
  if (!read.success) return undefined;
  const { code, message, error_data, fbtrace_id } = read.data.error;
  return { code, details: error_data?.details ?? message, trace: fbtrace_id?.slice(0, 64) };
}
