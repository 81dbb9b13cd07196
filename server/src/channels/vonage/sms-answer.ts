/**
 * What the answer to a hand-over means: accepted only when every part has status 0 and an id, refused when every part is refused,
 * and unknown for a mix, since some of it is on its way then.
 */
import { z } from 'zod';
import type { Log } from '../../platform/log.ts';
import type { Answered } from '../http-call.ts';
import { type SendOutcome, unknown } from '../outcome.ts';
import { type CodeMap, countUnmapped, meaningOf, refusedBy, unmapped } from './codes.ts';
import { refusedByHttp } from './http-answer.ts';
import { parseObject } from './parameters.ts';

const report = z.object({
  messages: z.array(z.object({ status: z.coerce.string(), 'message-id': z.string().min(1).max(64).optional() })).min(1),
});

export interface Submitted {
  outcome: SendOutcome;
  /** Parts Vonage took. */
  accepted: number;
}

export function outcomeOfSubmit(answer: Answered, codeMap: CodeMap | undefined, log: Log): Submitted {
  const read = report.safeParse(parseObject(answer.body));
  if (!read.success) return { outcome: withoutReport(answer, codeMap, log), accepted: 0 };
  const { messages } = read.data;
  const accepted = messages.filter(({ status }) => status === '0').length;
  const id = messages[0]?.['message-id'];
  if (accepted === messages.length) {
    const outcome: SendOutcome =
      id === undefined ? unknown('accepted without a message id') : { kind: 'accepted', upstreamId: id };
    return { outcome, accepted };
  }
  if (accepted > 0) return { outcome: unknown(`Vonage took ${accepted} of ${messages.length} parts`), accepted };
  return { outcome: refusedByStatus(messages[0]?.status ?? '', codeMap, log), accepted };
}

function refusedByStatus(status: string, codeMap: CodeMap | undefined, log: Log): SendOutcome {
  const name = `Vonage status ${/^\w{1,20}$/.test(status) ? status : 'that is no code'}`;
  const meaning = meaningOf('status', status, codeMap);
  if (meaning) return refusedBy(name, meaning);
  countUnmapped(log, 'status', status);
  return unmapped(name);
}

function withoutReport(answer: Answered, codeMap: CodeMap | undefined, log: Log): SendOutcome {
  if (answer.status < 400) return unknown('Vonage answered something that is no report of messages');
  return refusedByHttp(answer, codeMap, log);
}
