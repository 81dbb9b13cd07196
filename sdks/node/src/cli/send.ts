// Sending one message.

import { type Command, Halt, oneOf, pairsOf } from './command.ts';
import { openClient } from './connection.ts';
import { plain } from './terminal.ts';

export const send: Command = {
  name: 'send',
  summary: 'Send a code to a phone number or e-mail address.',
  words: [{ name: 'TO', sentence: 'E.164 number such as +6591234567, or an e-mail address' }],
  options: {
    template: { type: 'string', short: 't', value: 'ID', sentence: 'The template; needed.' },
    language: {
      type: 'string',
      short: 'l',
      value: 'TAG',
      sentence: 'Language of the text: en, zh_CN, …; default the one of the template.',
    },
    param: {
      type: 'string',
      short: 'p',
      value: 'NAME=VALUE',
      multiple: true,
      sentence: 'Fills a variable of the template.',
    },
    code: {
      type: 'string',
      value: 'CODE',
      sentence: 'Send this code of your own, which you check yourself; else the platform makes one.',
    },
    purpose: {
      type: 'string',
      value: 'WORD',
      sentence: 'What the code is for, such as login; asked for again by verify --purpose.',
    },
    'idempotency-key': {
      type: 'string',
      value: 'KEY',
      sentence: 'The same key sends once, however often it is repeated within 24 hours.',
    },
  },
  examples: [
    'engagelab-otp send +6591234567 --template login --language en',
    'engagelab-otp send +10000000005 -t sandbox-otp-tpl --json',
  ],
  async run(call) {
    const { words, options } = call;
    const [to = ''] = words;
    const template = oneOf(options, 'template');
    if (!template) throw new Halt('--template is missing', 'Which there are: engagelab-otp templates list');
    const code = oneOf(options, 'code');
    const params = pairsOf(options, 'param');
    const language = oneOf(options, 'language');
    const more = { purpose: oneOf(options, 'purpose'), idempotencyKey: oneOf(options, 'idempotency-key') };
    const client = openClient(call);
    const sent =
      code === undefined
        ? await client.send(to, template, params, language, more)
        : await client.sendCode(to, code, template, params, language, more);
    const lines = [
      `message_id  ${sent.message_id}`,
      `channel     ${sent.send_channel}`,
      ...(sent.expires_at ? [`expires_at  ${sent.expires_at}`] : []),
      code === undefined
        ? `Next: engagelab-otp verify ${sent.message_id} CODE, or engagelab-otp watch ${sent.message_id}`
        : `Next: engagelab-otp watch ${sent.message_id}`,
    ];
    return { json: sent, text: lines.map(plain).join('\n') };
  },
};
