/** /agents/tools.json: the tools of a credential as function-calling definitions. */
import { ApiError, invalid } from '../errors.ts';
import type { Endpoint } from '../http/index.ts';
import { toolsFor } from './catalog.ts';
import { definitionsOf, type Format, formats } from './formats.ts';
import { type GatePorts, openSession, refuseKnock } from './gate.ts';
import type { Tool } from './tool.ts';
import { isLive } from './wire-tool.ts';

const methods = 'GET, HEAD';

/** GET with a credential; narrowed by the same headers as /mcp. */
export const makeDefinitionsEndpoint = (ports: GatePorts, tools: readonly Tool[]): Endpoint => ({
  path: '/agents/tools.json',
  async answer(request, from) {
    try {
      if (!methods.includes(request.method))
        throw new ApiError(3002, 'method not allowed', { status: 405, headers: { allow: methods } });
      const { caller, narrowing } = await openSession(ports, request, from, false);
      const format = new URL(request.url).searchParams.get('format') ?? 'mcp';
      if (!isFormat(format)) throw invalid([{ field: 'format', problem: `must be one of ${formats.join(', ')}` }]);
      return Response.json(definitionsOf(toolsFor(tools, caller, narrowing), format, isLive(caller)));
    } catch (error) {
      if (error instanceof ApiError) return refuseKnock(error, from.requestId, ports.publicUrl());
      throw error;
    }
  },
});

const isFormat = (text: string): text is Format => formats.some((format) => format === text);
