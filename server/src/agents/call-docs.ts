/** A call of a tool that needs no credential. */
import { ApiError } from '../errors.ts';
import { auditLine, type CalledBy } from './audit.ts';
import { argumentsOf, type CallPorts, type Told } from './call-tool.ts';
import { ownRefusal } from './refusal.ts';
import type { Json, Tool } from './tool.ts';

/** Never throws for what a caller can do wrong. */
export function callDocs(ports: CallPorts, tool: Tool, by: Omit<CalledBy, 'keyId'>, given: Json): Told {
  const outcome = tell(ports, tool, by.requestId, given);
  ports.audit(auditLine(tool, { ...by, keyId: null }, given, outcome));
  return outcome;
}

function tell(ports: CallPorts, tool: Tool, requestId: string, given: Json): Told {
  try {
    if (!tool.shape.tell) throw new Error(`${tool.name} needs a caller`);
    return { ok: true, content: tool.shape.tell(ports, argumentsOf(tool, given)) };
  } catch (error) {
    if (error instanceof ApiError) return { ok: false, refusal: ownRefusal(error, requestId, ports.publicUrl()) };
    throw error;
  }
}
