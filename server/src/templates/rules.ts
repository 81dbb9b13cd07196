/**
 * The rules between the fields of a template (contract §8.1 and the profile of §12). Each broken one is a 3003 with the slug and
 * text of §3; the first in this order answers.
 */
import { type ApiError, refuse } from '../errors.ts';
import type { Policy } from '../policy.ts';
import { strategyOf, type TemplateBody } from './body.ts';
import { carriesCode, codeConfigOf } from './template.ts';

const rule = (text: string): ApiError => refuse('template_rule', text);

/** Throws the first broken rule. */
export function checkRules(body: TemplateBody): void {
  checkStrategy(body);
  checkConfigs(body);
  checkCode(body);
}

function checkStrategy(body: TemplateBody): void {
  const strategy = strategyOf(body);
  if (strategy.length === 0) throw rule('send_channel_strategy names no channel');
  const twice = strategy.find((channel, i) => strategy.indexOf(channel) !== i);
  if (twice !== undefined) throw rule(`send_channel_strategy names ${twice} twice`);
}

function checkConfigs(body: TemplateBody): void {
  const strategy = strategyOf(body);
  const missing = strategy.filter((channel) => body[`${channel}_config`] === undefined);
  if (missing.length === strategy.length) throw refuse('no_channel_config');
  if (missing[0] !== undefined) throw refuse('missing_channel_config', missing[0]);
  const sms = body.sms_config;
  if (sms?.template_type === 1 && !sms.template_default_config)
    throw rule('sms_config.template_type 1 needs template_default_config');
  if (sms?.template_type === 2 && !sms.template_custom_config)
    throw rule('sms_config.template_type 2 needs template_custom_config');
  const languages = (body.email_config?.template_custom_configs ?? []).map((text) => text.language);
  const twice = languages.find((language, i) => languages.indexOf(language) !== i);
  if (twice !== undefined) throw rule(`email_config has two texts for language ${twice}`);
}

function checkCode(body: TemplateBody): void {
  const config = body.verify_code_config;
  if (!config) {
    if (carriesCode(body)) throw refuse('missing_code_config');
    return;
  }
  if (strategyOf(body).includes('whatsapp') && ![1, 5, 10].includes(config.verify_code_ttl))
    throw rule('verify_code_ttl must be 1, 5 or 10 with whatsapp in the chain');
}

/** What NIST SP 800-63B forbids at save. E-mail for a login is known only at send. */
export function checkProfile(body: TemplateBody, policy: Pick<Policy, 'profile'>): void {
  const code = codeConfigOf(body);
  if (policy.profile !== 'nist-800-63b' || !code) return;
  if (code.length < 6) throw refuse('profile', `verify_code_len ${code.length} is below 6`);
  if (code.ttlMinutes > 10) throw refuse('profile', `verify_code_ttl ${code.ttlMinutes} min is above 10`);
}
