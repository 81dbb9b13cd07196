/** Which ids can be of a message that is still shown. */
import { ApiError } from '../errors.ts';
import { isId } from '../platform/ids.ts';
import type { Application } from '../policy.ts';
import { isRetained } from '../wire.ts';

/** The id; 4001 for what is none, or of a message past its retention. */
export function requireMessageId(messageId: string, application: Application, nowMs: number): string {
  if (!isId(messageId) || !isRetained(messageId, application, nowMs)) throw new ApiError(4001, 'message not found');
  return messageId;
}
