/** What an operator says about a WhatsApp Business account: the schema validates the API and writes the docs. */
import { z } from 'zod';
import { reasons } from '../outcome.ts';
import { buttonKinds } from './templates.ts';

const id = z.string().regex(/^\d{5,30}$/, 'must be the id Meta shows, digits only');
const secret = z.string().regex(/^[!-~]{1,1000}$/, 'must be printable ASCII without blanks');
const language = z
  .string()
  .regex(/^[a-z]{2,3}(_[A-Z]{2})?$/, "must be one of Meta's language codes such as en or pt_BR");

const app = z.strictObject({
  package_name: z
    .string()
    .max(224)
    .regex(/^[A-Za-z]\w*(\.[A-Za-z]\w*)+$/, 'must be an Android package name')
    .meta({ title: 'Package name', description: 'Of the Android app, such as com.example.app.' }),
  signature_hash: z
    .string()
    .regex(/^[A-Za-z0-9+/=]{11}$/, 'must be the 11 characters of the app signing key hash')
    .meta({ title: 'Signature hash', description: 'App signing key hash, 11 characters.' }),
});

const fields = z.strictObject({
  api_url: z
    .url({ protocol: /^https?$/ })
    .default('https://graph.facebook.com')
    .meta({ title: 'API address', description: 'Only changed for a proxy or a test.' }),
  api_version: z
    .string()
    .regex(/^v\d{1,3}\.\d$/, 'must look like v24.0')
    .default('v24.0')
    .meta({
      title: 'API version',
      description: 'Version of the Graph API. Meta ends each about two years after it came out.',
    }),
  phone_number_id: id.meta({
    title: 'Phone number id',
    description: 'Id of the sending number in WhatsApp Manager; not the number itself.',
  }),
  waba_id: id.meta({
    title: 'WhatsApp Business account id',
    description: 'The account that owns number and templates.',
  }),
  access_token: secret.meta({
    title: 'Access token',
    description:
      'Of a system user, with whatsapp_business_messaging and whatsapp_business_management; set to never expire.',
    secret: true,
  }),
  app_secret: secret.meta({
    title: 'App secret',
    description: 'Of the Meta app whose webhook points here: proves that a webhook comes from Meta.',
    secret: true,
  }),
  app_secret_previous: secret.optional().meta({
    title: 'Previous app secret',
    description: 'Accepted too while the app secret is changed; remove it afterwards.',
    secret: true,
  }),
  verify_token: secret.meta({
    title: 'Verify token',
    description: 'Any long random text; enter the same beside the webhook address at Meta.',
    secret: true,
  }),
  template_prefix: z
    .string()
    .regex(/^[a-z0-9_]{1,60}$/, 'must be lower-case letters, digits and _')
    .default('otp')
    .meta({
      title: 'Template prefix',
      description:
        'Begins the names of the templates made here. Change it when button or apps change: Meta keeps the old ones.',
    }),
  button: z.enum(buttonKinds).default('copy_code').meta({
    title: 'Button',
    description:
      'copy_code works everywhere; one_tap and zero_tap fill the code into an Android app and copy it elsewhere.',
  }),
  supported_apps: z.array(app).min(1).max(5).optional().meta({
    title: 'Android apps',
    description: 'Needed for one_tap and zero_tap.',
  }),
  zero_tap_terms_accepted: z.boolean().default(false).meta({
    title: 'Zero-tap terms accepted',
    description: "Must be true for zero_tap: you have read Meta's terms for it and accept them.",
  }),
  default_language: language.default('en').meta({
    title: 'Default language',
    description: "Meta's code; used for the language default and wherever a template has no translation.",
  }),
  language_map: z.record(z.string(), language).default({}).meta({
    title: 'Languages',
    description: "Text language → Meta's language code, where the rule in setup.md does not fit.",
  }),
  code_map: z
    .record(
      z.string().regex(/^\d{1,9}$/, "must be one of Meta's error codes"),
      z.strictObject({ reason: z.enum(reasons), temporary: z.boolean() }),
    )
    .default({})
    .meta({ title: 'Error codes', description: "Meta's error code → our reason, where this account knows better." }),
});

export const settings = fields.superRefine((given, context) => {
  const fault = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
  if (given.button === 'copy_code') return;
  if (!given.supported_apps) fault('supported_apps', `is needed for the button ${given.button}`);
  if (given.button === 'zero_tap' && !given.zero_tap_terms_accepted)
    fault('zero_tap_terms_accepted', 'must be true for the button zero_tap');
});

export type Settings = z.infer<typeof settings>;
