/**
 * What must be true between the settings of an HTTP gateway: templates that stay whole whatever is filled in, placeholders that have a
 * value, webhooks that can be matched and proved. Faults that would show in the first real message are found here.
 */
import { type HttpChannel, headerPlaceholders, placeholdersOf, samples } from './placeholders.ts';
import type { HttpSettings } from './settings.ts';
import {
  asIs,
  asJson,
  asPercent,
  asXml,
  compile,
  compilePairs,
  compileUrl,
  type Encode,
  isOpenSecret,
  openSecret,
  pairsFault,
  placeholderFault,
  type Template,
  urlFault,
} from './template.ts';

export interface Fault {
  path: string[];
  message: string;
}

type Body = NonNullable<HttpSettings['body']>;
const encodings: Readonly<Record<Body['type'], Encode>> = { json: asJson, form: asPercent, text: asIs, xml: asXml };

export const compileBody = ({ type, template }: Body): Template =>
  type === 'form' ? compilePairs(template) : compile(template, encodings[type]);

export function settingsFaults(settings: HttpSettings, channel: HttpChannel): Fault[] {
  const faults = [
    ...found(['url'], placeholderFault(settings.url, placeholdersOf(channel)) ?? urlFault(settings.url)),
    ...headerFaults(settings),
    ...authFaults(settings),
    ...bodyFaults(settings, channel),
  ];
  return faults.length > 0 ? faults : [...placeholderFaults(settings), ...webhookFaults(settings)];
}

const found = (path: string[], message: string | null): Fault[] => (message === null ? [] : [{ path, message }]);

/** Set by the connection itself. */
const reserved = /^(host|content-length|connection|transfer-encoding|expect|upgrade|te|trailer|keep-alive|proxy-.*)$/i;

function headerFaults({ headers, auth }: HttpSettings): Fault[] {
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  return Object.entries(headers).flatMap(([name, value], index) => {
    const path = ['headers', name];
    if (reserved.test(name)) return found(path, 'is set by the connection');
    if (names.indexOf(name.toLowerCase()) !== index) return found(path, 'is there twice');
    if (name.toLowerCase() === 'authorization' && auth.type !== 'none') return found(path, 'is made by auth');
    return found(path, isOpenSecret(name, value) ? openSecret(name) : placeholderFault(value, headerPlaceholders));
  });
}

function authFaults({ auth }: HttpSettings): Fault[] {
  if (auth.type === 'basic' && (auth.username === undefined || auth.password === undefined))
    return found(['auth'], 'basic needs username and password');
  return auth.type === 'bearer' && auth.token === undefined ? found(['auth', 'token'], 'is needed for bearer') : [];
}

function bodyFaults({ method, body }: HttpSettings, channel: HttpChannel): Fault[] {
  if (!body) return [];
  if (method === 'GET') return found(['body'], 'a GET has none: move it into the query of url, or take POST');
  const path = ['body', 'template'];
  const fault = placeholderFault(body.template, placeholdersOf(channel));
  if (fault !== null) return found(path, fault);
  if (body.type === 'form') return found(path, pairsFault(body.template));
  return body.type === 'json' ? found(path, jsonFault(body)) : [];
}

function jsonFault(body: Body): string | null {
  const template = compileBody(body);
  const whole = samples.every((values) => isJson(template.fill(values)));
  return whole
    ? null
    : 'is not valid JSON once filled in: placeholders stand between double quotes, but for {{expires_in}}';
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** What the request says, by the names of its placeholders. */
export function namesIn({ url, headers, body }: HttpSettings): Set<string> {
  const templates = [compileUrl(url), ...Object.values(headers).map((value) => compile(value, asIs))];
  if (body) templates.push(compileBody(body));
  return new Set(templates.flatMap(({ names }) => [...names]));
}

function placeholderFaults(settings: HttpSettings): Fault[] {
  const names = namesIn(settings);
  const has = (...any: string[]): boolean => any.some((name) => names.has(name));
  return [
    ...found(['url'], has('to', 'to_digits') ? null : 'neither url nor body says {{to}} or {{to_digits}}'),
    ...found(['body'], has('text', 'code', 'spoken') ? null : 'neither url nor body says {{text}} or {{code}}'),
    ...(['api_key', 'api_secret'] as const).flatMap((name) =>
      found([name], has(name) && settings[name] === undefined ? `is needed where {{${name}}} stands` : null),
    ),
    ...found(
      ['id', 'reference'],
      settings.id.reference && !has('reference') ? 'the request does not say {{reference}}' : null,
    ),
    ...found(
      ['idempotent'],
      settings.idempotent && !has('reference') ? 'the request does not say {{reference}}' : null,
    ),
  ];
}

function webhookFaults(settings: HttpSettings): Fault[] {
  const { receipts, inbound, webhook_auth: auth } = settings;
  const matched = !receipts || receipts.id !== undefined || receipts.reference !== undefined;
  const byAddress = namesIn(settings).has('status_url');
  const unsigned = auth.type === 'hmac' && [receipts, inbound].some((one) => one?.format === 'query');
  return [
    ...found(
      ['receipts', 'id'],
      matched || byAddress ? null : 'receipts need id, reference, or {{status_url}} in the request, to be matched',
    ),
    ...found(
      ['webhook_auth', 'type'],
      unsigned ? 'an HMAC covers the body, and a query is none: take basic or header' : null,
    ),
  ];
}
