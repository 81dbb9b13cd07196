/** What an operator enters for an application of the Vonage Voice API. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { codeMapOf } from './codes.ts';

const secret = z.string().min(1).max(128);

export const voiceSettings = z
  .strictObject({
    api_url: z
      .url({ protocol: /^https?$/ })
      .default('https://api.nexmo.com')
      .meta({
        title: 'API address',
        description: 'Where calls are started. Another address only for a region of Vonage or a proxy.',
      }),
    application_id: z.uuid().meta({
      title: 'Application id',
      description: 'Of a Vonage application with the Voice capability.',
    }),
    private_key: z
      .string()
      .max(8192)
      .refine((pem) => privateKeyOf(pem) !== null, 'not an RSA private key in PEM form')
      .meta({
        title: 'Private key',
        description:
          'The private.key file Vonage let you download for the application, whole, with its BEGIN and END lines.',
        secret: true,
      }),
    from: z
      .string()
      .regex(/^\+?\d{7,15}$/)
      .meta({
        title: 'Caller',
        description: 'Number of the account that calls, in international form, used where the route names none.',
      }),
    api_key: z
      .string()
      .regex(/^[A-Za-z0-9]{4,32}$/)
      .optional()
      .meta({
        title: 'API key',
        description: 'Of the account the application belongs to; signed webhooks must name it.',
      }),
    signature_secret: secret.optional().meta({
      title: 'Signature secret',
      description: 'Checks that webhooks come from Vonage. In the API settings of the dashboard.',
      secret: true,
    }),
    signature_secret_previous: secret.optional().meta({
      title: 'Previous signature secret',
      description: 'Accepted too while the secret is being changed.',
      secret: true,
    }),
    require_signature: z.boolean().optional().meta({
      title: 'Require signed webhooks',
      description: 'Refuse unsigned webhooks. On as soon as a signature secret is set, unless switched off here.',
    }),
    ringing_timer: z.int().min(5).max(120).default(30).meta({
      title: 'Ringing time',
      description: 'Seconds a phone rings before the call is given up.',
    }),
    length_timer: z.int().min(30).max(7200).default(120).meta({
      title: 'Longest call',
      description: 'Seconds after which an answered call is ended.',
    }),
    code_map: codeMapOf('call', 'http'),
  })
  .refine((settings) => settings.signature_secret !== undefined || !settings.require_signature, {
    message: 'require_signature needs a signature_secret',
    path: ['require_signature'],
  })
  .refine((settings) => settings.signature_secret !== undefined || settings.signature_secret_previous === undefined, {
    message: 'signature_secret_previous needs a signature_secret',
    path: ['signature_secret_previous'],
  })
  .refine((settings) => settings.signature_secret === undefined || settings.api_key !== undefined, {
    message: 'a signature_secret needs the api_key it belongs to',
    path: ['api_key'],
  });

export type VoiceSettings = z.infer<typeof voiceSettings>;

/** Null for what is no RSA key. Line ends written as \n, as keys look inside JSON, are taken for what they mean. */
export function privateKeyOf(pem: string): KeyObject | null {
  try {
    const key = createPrivateKey(pem.replaceAll('\\n', '\n'));
    return key.asymmetricKeyType === 'rsa' ? key : null;
  } catch {
    return null;
  }
}
