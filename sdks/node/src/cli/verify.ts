// Checking a code.

import { type Command, exitCodes, oneOf } from './command.ts';
import { openClient } from './connection.ts';

export const verify: Command = {
  name: 'verify',
  summary: 'Check the code that a person typed. Exit code 0: verified, 1: not.',
  words: [
    { name: 'MESSAGE_ID', sentence: 'what send printed' },
    { name: 'CODE', sentence: 'what the person typed' },
  ],
  options: {
    purpose: { type: 'string', value: 'WORD', sentence: 'Must equal the purpose of the send.' },
  },
  examples: [
    'engagelab-otp verify 2072832692843466759 482913',
    'engagelab-otp verify "$MESSAGE_ID" "$CODE" && echo welcome',
  ],
  async run(call) {
    const [id = '', code = ''] = call.words;
    const result = await openClient(call).verify(id, code, { purpose: oneOf(call.options, 'purpose') });
    if (result.verified) return { json: result, text: 'verified' };
    const left = result.attempts_remaining;
    const text =
      left === 0
        ? 'not verified; no attempts left: send a new code'
        : `not verified; attempts left: ${left ?? 'unknown'}`;
    return { json: result, text, exit: exitCodes.refused };
  },
};
