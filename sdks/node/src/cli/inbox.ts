// What a handset of the virtual phone network received.

import { type Command, numberOf } from './command.ts';
import { openClient } from './connection.ts';
import { table } from './terminal.ts';

const maxWaitSeconds = 30;
const maxMessages = 100;

export const inbox: Command = {
  name: 'inbox',
  summary: 'Read what a test handset received, with its codes; only on the virtual phone network.',
  words: [{ name: 'TO', sentence: 'the recipient of the send' }],
  options: {
    wait: {
      type: 'string',
      short: 'w',
      value: 'SECONDS',
      sentence: `Wait for a message where there is none, up to ${maxWaitSeconds} s.`,
    },
    limit: { type: 'string', value: 'N', sentence: `How many, newest first; up to ${maxMessages}, default 20.` },
  },
  examples: [
    'engagelab-otp inbox +6591234567 --wait 10',
    "engagelab-otp inbox +6591234567 --json | jq -r '.messages[0].code'",
  ],
  async run(call) {
    const [to = ''] = call.words;
    const found = await openClient(call).sandbox.messages({
      to,
      wait: numberOf(call.options, 'wait', 0, maxWaitSeconds),
      limit: numberOf(call.options, 'limit', 1, maxMessages),
    });
    const rows = found.messages.map((message) => [
      message.received_at,
      message.message_id,
      message.channel,
      message.code ?? '-',
      message.text,
    ]);
    return { json: found, text: rows.length > 0 ? table(rows) : 'nothing arrived' };
  },
};
