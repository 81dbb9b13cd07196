/**
 * What became of a call, kept where every node sees it and a restart does not lose it. `once` can only be asked by taking, so a fact
 * is as many marks as it may have readers: each report of a call's end takes a number of its own and looks at the mark of that
 * number, which nobody else touches. Mark 1 decides between the document with the code and the end of the call.
 */
import type { Ports } from '../contract.ts';

/** told: the code was handed out to be spoken. owed: that could not be reported at once. */
export type CallFact = 'told' | 'owed';

/** Twilio reports the end six times at most (`rc=5`); two to spare. */
const readers = 8;
const rememberMs = 6 * 3_600_000;

type Once = Pick<Ports, 'once'>;

const markOf = (callSid: string, fact: CallFact, reader: number): string => `twilio:${fact}:${callSid}:${reader}`;

/** False when the fact is settled already, or the end of the call came first. */
export async function settle({ once }: Once, callSid: string, fact: CallFact): Promise<boolean> {
  if (!(await once(markOf(callSid, fact, 1), rememberMs))) return false;
  const others = Array.from({ length: readers - 1 }, (_, at) => once(markOf(callSid, fact, at + 2), rememberMs));
  await Promise.all(others);
  return true;
}

/** For one report of the call's end; null when it was reported more often than facts can be read. Asks each fact once. */
export async function openReader(
  { once }: Once,
  callSid: string,
): Promise<((fact: CallFact) => Promise<boolean>) | null> {
  for (let reader = 1; reader <= readers; reader++)
    if (await once(`twilio:end:${callSid}:${reader}`, rememberMs))
      return async (fact) => !(await once(markOf(callSid, fact, reader), rememberMs));
  return null;
}
