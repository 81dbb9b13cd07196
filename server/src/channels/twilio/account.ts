/**
 * A Twilio account as both adapters use it: its settings, the signed-in POST, and which tokens its webhooks may be signed with.
 * Requests may go by API key; webhooks are signed with the auth token all the same.
 */
import { z } from 'zod';
import type { HookAnswer, HookRequest, Ports } from '../contract.ts';
import { type Answered, callUpstream } from '../http-call.ts';
import { type Refused, refusedForNow, type Unknown } from '../outcome.ts';
import { codeMap, type Meanings } from './answers.ts';
import { isSigned } from './signature.ts';

const sid = (prefix: string): z.ZodString =>
  z.string().regex(new RegExp(`^${prefix}[0-9a-fA-F]{32}$`), `must be ${prefix} and 32 hexadecimal digits`);

export const accountFields = {
  api_url: z
    .url({ protocol: /^https?$/ })
    .default('https://api.twilio.com')
    .meta({ title: 'API address', description: 'Where the API is; another one for a regional edge or a proxy.' }),
  account_sid: sid('AC').meta({ title: 'Account SID', description: 'AC…, from the first page of the Twilio console.' }),
  auth_token: z.string().min(1).meta({
    title: 'Auth token',
    description: 'The primary auth token. Webhooks are always verified with it, also when requests go by API key.',
    secret: true,
  }),
  auth_token_previous: z.string().min(1).optional().meta({
    title: 'Previous auth token',
    description: 'Still taken for webhooks while a rotation is under way. Remove it afterwards.',
    secret: true,
  }),
  api_key: sid('SK')
    .optional()
    .meta({ title: 'API key', description: 'SK…: requests then go by this key and its secret.' }),
  api_key_secret: z
    .string()
    .min(1)
    .optional()
    .meta({ title: 'API key secret', description: 'Belongs to the API key.', secret: true }),
  code_map: codeMap.optional(),
};

export const messagingServiceSid = sid('MG');
export const e164 = z.string().regex(/^\+[1-9]\d{6,14}$/, 'must be a number like +6591234567');

export type AccountSettings = z.infer<z.ZodObject<typeof accountFields>>;

export const keyIsWhole = (settings: Pick<AccountSettings, 'api_key' | 'api_key_secret'>): boolean =>
  (settings.api_key === undefined) === (settings.api_key_secret === undefined);
export const keyRule = { path: ['api_key_secret'], error: 'api_key and api_key_secret go together' };

export interface Account {
  /** `resource` behind the account's address, e.g. `Messages.json`. */
  post(resource: string, fields: URLSearchParams, signal: AbortSignal): Promise<Answered | Refused | Unknown>;
  /** Answers only what this account signed; 403 otherwise. */
  hook(request: HookRequest, answer: () => Promise<HookAnswer>): Promise<HookAnswer>;
  meanings: Meanings;
  close(): Promise<void>;
}

export function openAccount(settings: AccountSettings, { outbound, log }: Pick<Ports, 'outbound' | 'log'>): Account {
  const { api_url, account_sid, auth_token, auth_token_previous, api_key, api_key_secret } = settings;
  const base = `${api_url.replace(/\/+$/, '')}/2010-04-01/Accounts/${account_sid}/`;
  const [user, password] = api_key && api_key_secret ? [api_key, api_key_secret] : [account_sid, auth_token];
  const headers = {
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
  };
  const tokens = auth_token_previous === undefined ? [auth_token] : [auth_token, auth_token_previous];
  const closing = new AbortController();
  return {
    async post(resource, fields, signal) {
      if (closing.signal.aborted) return refusedForNow('upstream_error', 'the provider was closed: send again');
      const either = AbortSignal.any([signal, closing.signal]);
      return callUpstream(outbound, { url: base + resource, headers, body: fields.toString(), signal: either });
    },
    async hook(request, answer) {
      return isSigned(request, tokens) ? answer() : { status: 403 };
    },
    meanings: { codeMap: settings.code_map ?? {}, log },
    async close() {
      closing.abort();
    },
  };
}

/** A form, as Twilio sends everything here. */
export const fieldsOf = (request: HookRequest): URLSearchParams => new URLSearchParams(request.body.toString('utf8'));

/** How Twilio repeats a webhook: five times, also after an answer of 4xx or 5xx. Not part of the address and of no signature. */
export const insist = '#rc=5&rp=all';
