/** The request that hands a message over, made from the settings; what cannot be sent by them is refused before anything leaves. */
import type { OutgoingMessage } from '../contract.ts';
import type { callUpstream } from '../http-call.ts';
import { type Refused, refusedForGood } from '../outcome.ts';
import { valuesOf } from './placeholders.ts';
import type { HttpSettings } from './settings.ts';
import { compileBody, namesIn } from './settings-rules.ts';
import { asIs, compile, compileUrl } from './template.ts';

export type HttpRequest = Parameters<typeof callUpstream>[1];
export type Prepare = (message: OutgoingMessage, statusUrl: string, nowMs: number) => HttpRequest | Refused;

/** Longer addresses are cut or refused on the way. */
const maxUrlLength = 2048;

const contentTypes = {
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
  text: 'text/plain; charset=utf-8',
  xml: 'application/xml; charset=utf-8',
} as const;

export function prepareBy(settings: HttpSettings): Prepare {
  const { method, body } = settings;
  const url = compileUrl(settings.url);
  const bodyTemplate = body && compileBody(body);
  const fixed = { ...(body && { 'content-type': contentTypes[body.type] }), ...authorization(settings) };
  const headers = Object.entries(settings.headers).map(([name, value]) => ({
    name: name.toLowerCase(),
    template: compile(value, asIs),
  }));
  const names = namesIn(settings);
  return (message, statusUrl, nowMs) => {
    if (message.code === null && !names.has('text'))
      return refusedForGood('template_invalid', 'this message has no code, and neither url nor body says {{text}}');
    const values = valuesOf(message, settings, statusUrl, nowMs);
    const address = url.fill(values);
    if (address.length > maxUrlLength) {
      const detail = `the address would have ${address.length} characters, ${maxUrlLength} at most: hand the text over in a body`;
      return refusedForGood('template_invalid', detail);
    }
    const own = headers.map(({ name, template }) => [name, template.fill(values)]);
    return {
      method,
      url: address,
      headers: { ...fixed, ...Object.fromEntries(own) },
      ...(bodyTemplate && { body: bodyTemplate.fill(values) }),
    };
  };
}

function authorization({ auth }: HttpSettings): { authorization?: string } {
  if (auth.type === 'bearer') return { authorization: `Bearer ${auth.token}` };
  if (auth.type !== 'basic') return {};
  return { authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}` };
}
