/** What an operator enters for an account of the Vonage SMS API. */
import { z } from 'zod';
import { codeMapOf } from './codes.ts';
import { signatureMethods } from './signature.ts';

const address = z.url({ protocol: /^https?$/ });
const secret = z.string().min(1).max(128);

export const smsSettings = z
  .strictObject({
    api_url: address.default('https://rest.nexmo.com').meta({
      title: 'API address',
      description: 'Where messages are handed over. Another address only for a proxy or a regional endpoint.',
    }),
    conversion_api_url: address.default('https://api.nexmo.com').meta({
      title: 'Conversion API address',
      description: 'Where Vonage is told whether the code was used.',
    }),
    api_key: z
      .string()
      .regex(/^[A-Za-z0-9]{4,32}$/)
      .meta({
        title: 'API key',
        description: 'From the API settings of the Vonage dashboard.',
      }),
    api_secret: secret.meta({
      title: 'API secret',
      description: 'Beside the API key in the dashboard.',
      secret: true,
    }),
    from: z
      .string()
      .regex(/^(\+?\d{3,15}|[A-Za-z0-9 ._&-]{1,11})$/)
      .meta({
        title: 'Sender',
        description: 'Number in international form or name of up to 11 characters, used where the route names none.',
      }),
    signature_secret: secret.optional().meta({
      title: 'Signature secret',
      description: 'Checks that webhooks come from Vonage. Vonage enables signed webhooks on request.',
      secret: true,
    }),
    signature_secret_previous: secret.optional().meta({
      title: 'Previous signature secret',
      description: 'Accepted too while the secret is being changed.',
      secret: true,
    }),
    signature_method: z.enum(signatureMethods).default('md5hash').meta({
      title: 'Signature method',
      description: 'As set in the dashboard: md5hash is "MD5 hash signature", the others are HMACs.',
    }),
    require_signature: z.boolean().optional().meta({
      title: 'Require signed webhooks',
      description: 'Refuse unsigned webhooks. On as soon as a signature secret is set, unless switched off here.',
    }),
    code_map: codeMapOf('status', 'err-code', 'receipt', 'http'),
  })
  .refine((settings) => settings.signature_secret !== undefined || !settings.require_signature, {
    message: 'require_signature needs a signature_secret',
    path: ['require_signature'],
  })
  .refine((settings) => settings.signature_secret !== undefined || settings.signature_secret_previous === undefined, {
    message: 'signature_secret_previous needs a signature_secret',
    path: ['signature_secret_previous'],
  });

export type SmsSettings = z.infer<typeof smsSettings>;
