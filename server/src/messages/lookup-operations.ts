/** Looking a number up, offline. */
import { z } from 'zod';
import { channelNames } from '../delivery/index.ts';
import { defineOperation, type Operation } from '../http/operation.ts';
import { countryCode } from '../policy.ts';
import { plainText } from '../wire.ts';
import type { MessagesContext } from './context.ts';
import { lookUp } from './lookup.ts';

const query = z.object({
  number: plainText(1, 64).describe('E.164 with +, or as dialled within default_region.'),
  default_region: countryCode.optional().describe('ISO 3166 alpha-2, for a number without +.'),
});

const output = z.object({
  number: z.string().describe('E.164'),
  country: z.string().nullable().describe('ISO 3166 alpha-2'),
  calling_code: z.string(),
  type: z.string().nullable().describe('mobile, fixed_line, fixed_line_or_mobile, voip, toll_free … by its range.'),
  valid: z.boolean().describe('Whether it lies in an allocated range.'),
  allowed: z.boolean().describe('Whether the application and the key may send there at all.'),
  refusal: z
    .object({ code: z.int(), reason: z.string().nullable(), message: z.string() })
    .nullable()
    .describe('What a send would answer, if it is not allowed.'),
  channels: z.array(z.enum(channelNames)).describe('By which a send could go now.'),
});

export const makeLookupOperation = (context: MessagesContext): Operation =>
  defineOperation(
    {
      id: 'lookupNumber',
      method: 'GET',
      path: '/v1/number-lookup',
      tag: 'Messages',
      auth: 'key',
      permission: 'read',
      summary: 'Look a number up before sending to it',
      description:
        'From the numbering plan, the countries of the application, the terms of an agent’s key and the routes there are. Nobody is asked, and nothing is counted: whether the number is in use is not known, and lists, limits and fraud rules speak at the send.',
      input: { query },
      output,
      errors: [5011],
      examples: [
        {
          name: 'a mobile number',
          output: {
            number: '+6598120044',
            country: 'SG',
            calling_code: '65',
            type: 'mobile',
            valid: true,
            allowed: true,
            refusal: null,
            channels: ['sms', 'whatsapp', 'voice'],
          },
        },
      ],
      agent: {
        title: 'Look a number up',
        description:
          'E.164 form, country, kind of line, and whether and by which channels the application and this key may send there. Offline and free: says nothing of whether it is in use. Read-only.',
      },
    },
    ({ caller, query: { number, default_region: region } }) => {
      const { phone, type, refusal, channels } = lookUp(context, caller, { number, region });
      return {
        number: phone.address,
        country: phone.country,
        calling_code: phone.callingCode,
        type,
        valid: phone.valid,
        allowed: refusal === null,
        refusal: refusal && { code: refusal.code, reason: refusal.reason ?? null, message: refusal.message },
        channels: [...channels],
      };
    },
  );
