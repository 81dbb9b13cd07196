/** Lint on the words of a template (contract §9): what reviewers, carriers and spam filters stumble over, and unknown variables. */
import type { TemplateBody } from './body.ts';
import { isCompliant } from './compliance.ts';
import { type Finding, finding, type LintCode, type LintContext } from './finding.ts';
import { codeConfigOf, type OwnText, ownTexts } from './template.ts';
import { malformedVariables, presetNames, variablesIn } from './variables.ts';

const shorteners =
  /(?<![\w.-])(bit\.ly|tinyurl\.com|t\.co|goo\.gl|ow\.ly|is\.gd|buff\.ly|cutt\.ly|rebrand\.ly|rb\.gy|t\.ly|shorturl\.at|tiny\.cc|s\.id|lnkd\.in|v\.gd)(?![\w-]|\.\w)/i;
const url = /https?:\/\/|(?<![\w.-])www\.|(?<![\w.@-])[a-z0-9-]{1,63}\.[a-z]{2,24}\/|\{\{pwa_url\}\}/i;
const brackets = /[【】、[\]]/;
const testWord =
  /(?<![\p{L}\p{N}_])(test|tests|tested|testing|prueba|pruebas)(?![\p{L}\p{N}_])|测试|測試|テスト|ทดสอบ/iu;

/**
 * On every own text: not_compliant, which every send would be refused for; link_shortener, test_word, unknown_variable. On SMS texts alone, since carriers filter them: url_in_text,
 * bracket_characters. The brand name is looked at too.
 */
export function lintWords(body: TemplateBody, context: LintContext): Finding[] {
  return [...lintBrand(body), ...ownTexts(body).flatMap((own) => lintText(own, knownNames(body, context, own)))];
}

function lintBrand({ brand_name: brand = '' }: TemplateBody): Finding[] {
  const findings: Finding[] = [];
  if (brackets.test(brand))
    findings.push(
      finding('bracket_characters', null, null, 'brand_name has brackets or 、, which carriers keep for signatures'),
    );
  if (testWord.test(brand)) findings.push(finding('test_word', null, null, 'brand_name looks like a test'));
  return findings;
}

/** Names with a value of their own: presets (`ttl` only where there is a code), defaults of the e-mail, and given params. */
function knownNames(body: TemplateBody, { params = {} }: LintContext, own: OwnText): Set<string> {
  const presets = presetNames.filter((name) => codeConfigOf(body) !== null || name !== 'ttl');
  const defaults = own.channel === 'email' ? Object.keys(own.email.pre_param_map ?? {}) : [];
  return new Set([...presets, ...defaults, ...Object.keys(params)]);
}

function lintText(own: OwnText, known: ReadonlySet<string>): Finding[] {
  const findings: Finding[] = [];
  const add = (code: LintCode, message: string) => findings.push(finding(code, own.channel, own.language, message));
  const text =
    own.channel === 'email' ? [own.text, own.email.pre_subject, own.email.pre_from_name].join('\n') : own.text;
  if (!isCompliant(text)) add('not_compliant', 'has a character that turns the reading direction around, or is none');
  for (const name of variablesIn(text).filter((variable) => !known.has(variable)))
    add('unknown_variable', `{{${name}}} is filled only by params.${name} of a send, else it goes out as it stands`);
  for (const mark of malformedVariables(text))
    add('unknown_variable', `${mark} is no variable and goes out as it stands`);
  if (shorteners.test(text))
    add('link_shortener', `carriers and filters block shortened links: ${shorteners.exec(text)?.[0]}`);
  if (testWord.test(text)) add('test_word', `looks like a test: ${testWord.exec(text)?.[0]}`);
  if (own.channel === 'sms' && url.test(text)) add('url_in_text', 'a link in a text message is often filtered');
  if (own.channel === 'sms' && brackets.test(text))
    add('bracket_characters', '【】, 、 and [] are kept by carriers for signatures');
  return findings;
}
