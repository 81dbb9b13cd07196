/** What the three send endpoints are asked with: their bodies, and the one send that each of them comes to. */
import { z } from 'zod';
import { invalid } from '../errors.ts';
import type { Caller } from '../policy.ts';
import { languageSchema, type SendTemplate } from '../templates/index.ts';
import { plainText, signalsSchema } from '../wire.ts';
import { codeInArgs, type SendRequest } from './compose.ts';
import type { MessagesContext } from './context.ts';
import { templateFor } from './send.ts';

const codePattern = /^[A-Za-z0-9 -]{1,32}$/;
const ownCode = z.string().regex(codePattern, 'must be 1 to 32 letters, digits, spaces or hyphens');

const params = z
  .record(z.string(), plainText(0, 1024))
  .refine((map) => Object.keys(map).length <= 50, 'must have at most 50 keys')
  .refine(
    (map) => Object.keys(map).every((key) => /^[A-Za-z0-9_]{1,64}$/.test(key)),
    'keys must be 1 to 64 letters, digits or _',
  );

const template = z.object({
  id: plainText(1, 128).describe('The template id you chose.'),
  language: languageSchema.default('default'),
  params: params
    .default({})
    .describe('Values of custom variables; one without a value goes out literally as {{name}}.'),
});

const extras = {
  custom_args: z
    .record(plainText(1, 64), plainText(0, 256))
    .refine((map) => Object.keys(map).length <= 20, 'must have at most 20 keys')
    .optional()
    .describe('Echoed in callbacks.'),
  alternate_to: z
    .object({ email: plainText(1, 254).optional(), phone: plainText(1, 64).optional() })
    .optional()
    .describe('Address for the steps that do not fit the kind of `to`.'),
  signals: signalsSchema.optional(),
  purpose: plainText(1, 64).optional().describe('login, signup, recovery, transaction …; the check may demand it.'),
};

const to = plainText(1, 320).describe('E.164 number with + or e-mail address.');
const ttl_seconds = z.int().min(30).max(86_400).optional().describe('Only if the policy allows it.');
export const otpBody = z.object({
  to,
  template,
  ...extras,
  ttl_seconds,
  code_length: z.int().min(4).max(10).optional(),
});
export const codeBody = z.object({ to, code: ownCode, template, ...extras, ttl_seconds });
export const customBody = z.object({
  to: z.union([to, z.array(plainText(0, 320)).min(1).max(1000)]),
  template,
  ...extras,
});

type Common = z.infer<typeof otpBody> | z.infer<typeof codeBody> | z.infer<typeof customBody>;

export interface Asking {
  caller: Caller;
  requestId: string;
  idempotencyKey: string | null;
  client: string | null;
}

/** The parts the three bodies share. The code of the request may not travel in custom_args: callbacks echo those. */
function requestOf(
  { caller, requestId, idempotencyKey, client }: Asking,
  kind: SendRequest['kind'],
  body: Common,
  code: string | null,
): Omit<SendRequest, 'to'> {
  if (code !== null && Object.values(body.custom_args ?? {}).includes(code)) throw codeInArgs();
  return {
    caller,
    requestId,
    idempotencyKey,
    client,
    kind,
    language: body.template.language,
    params: body.template.params,
    ownCode: code,
    customArgs: body.custom_args ?? null,
    alternateTo: body.alternate_to ?? null,
    signals: signalsOf(caller, body.signals),
    purpose: body.purpose ?? null,
    ttlSeconds: ('ttl_seconds' in body ? body.ttl_seconds : undefined) ?? null,
    codeLength: ('code_length' in body ? body.code_length : undefined) ?? null,
  };
}

/** Trust and proofs are the word of whoever runs the application; of a program that decides by itself they are not even kept. */
function signalsOf({ agent }: Caller, signals: Common['signals']): SendRequest['signals'] {
  if (!signals) return null;
  const { is_trusted_user: _trusted, captcha_passed: _passed, ...told } = signals;
  return agent ? told : signals;
}

/** `alternate_to` names the other kind of address, never the kind that `to` already has. */
function requireAlternate(to: string, alternate: Common['alternate_to']): void {
  const kind = to.includes('@') ? 'email' : 'phone';
  if (alternate?.[kind] !== undefined)
    throw invalid([{ field: `alternate_to.${kind}`, problem: 'the kind of address that `to` already has' }]);
}

interface ReadSend {
  template: SendTemplate;
  request: SendRequest;
}

export const readOtp = (context: MessagesContext, asking: Asking, body: z.infer<typeof otpBody>): Promise<ReadSend> =>
  readOne(context, asking, 'otp', body, null);

export const readCode = (context: MessagesContext, asking: Asking, body: z.infer<typeof codeBody>): Promise<ReadSend> =>
  readOne(context, asking, 'code', body, body.code);

async function readOne(
  context: MessagesContext,
  asking: Asking,
  kind: 'otp' | 'code',
  body: z.infer<typeof otpBody>,
  code: string | null,
): Promise<ReadSend> {
  requireAlternate(body.to, body.alternate_to);
  const template = await templateFor(context, asking.caller.application, body.template.id, kind, code);
  return { template, request: { ...requestOf(asking, kind, body, code), to: body.to } };
}

export async function readCustom(context: MessagesContext, asking: Asking, body: z.infer<typeof customBody>) {
  const code = body.template.params['code'] ?? null;
  const template = await templateFor(context, asking.caller.application, body.template.id, 'custom', code);
  if (template.codeConfig && code !== null && !codePattern.test(code)) {
    throw invalid([{ field: 'template.params.code', problem: 'must be 1 to 32 letters, digits, spaces or hyphens' }]);
  }
  const request = requestOf(asking, 'custom', body, template.codeConfig ? code : null);
  const asList = Array.isArray(body.to);
  const recipients: readonly string[] = Array.isArray(body.to) ? body.to : [body.to];
  const requireForm = (to: string): void => requireAlternate(to, body.alternate_to);
  if (!Array.isArray(body.to)) requireForm(body.to);
  return { template, request, recipients, asList, requireForm };
}
