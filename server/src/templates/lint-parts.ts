/** Lint on the size of an SMS (contract §9), measured on a rendering with sample values; custom variables at their literal length. */
import type { Content } from '../channels/index.ts';
import { strategyOf, type TemplateBody } from './body.ts';
import { writtenLanguages } from './default-texts.ts';
import { type Finding, finding, type LintContext } from './finding.ts';
import type { Language } from './language.ts';
import { renderContent } from './render.ts';
import { isGsm, nonGsmCharacters, segment } from './segments.ts';
import { codeConfigOf, ownSmsText, sampleCode } from './template.ts';

interface Sample {
  /** Null where one text serves all languages. */
  language: Language | null;
  content: Content;
}

/**
 * over_one_part: more than one billed part. ucs2_forced: characters outside GSM-7 in an own text or in a brand name, where the
 * text would be GSM-7 without them. android_over_140_bytes: `android_app_hash` is set and the message has more than 140 bytes.
 */
export function lintParts(body: TemplateBody, context: LintContext): Finding[] {
  if (!strategyOf(body).includes('sms')) return [];
  return samplesOf(body, context).flatMap((sample) => lintSample(body, context, sample));
}

function samplesOf(body: TemplateBody, { applicationName, params = {} }: LintContext): Sample[] {
  const code = codeConfigOf(body);
  const render = (language: Language): Content =>
    renderContent({ body, brandName: body.brand_name ?? null }, 'sms', {
      language,
      params,
      code: code && sampleCode(code),
      ttlSeconds: code && code.ttlMinutes * 60,
      applicationName,
    });
  if (ownSmsText(body) !== undefined) return [{ language: null, content: render('default') }];
  return writtenLanguages.map((language) => ({ language, content: render(language) }));
}

function lintSample(body: TemplateBody, context: LintContext, { language, content }: Sample): Finding[] {
  const findings: Finding[] = [];
  const { encoding, length, segments } = segment(content.text);
  if (segments > 1)
    findings.push(finding('over_one_part', 'sms', language, `${length} in ${encoding} make ${segments} billed parts`));
  const forcing = forcingCharacters(body, context, language);
  if (encoding === 'UCS-2' && forcing.length > 0)
    findings.push(
      finding(
        'ucs2_forced',
        'sms',
        language,
        `outside GSM-7, so that a part holds 70 instead of 160: ${name(forcing)}`,
      ),
    );
  const bytes = Buffer.byteLength(content.text);
  if (body.sms_config?.android_app_hash !== undefined && bytes > 140)
    findings.push(
      finding('android_over_140_bytes', 'sms', language, `${bytes} bytes; Android reads messages up to 140`),
    );
  return findings;
}

/** Built-in texts in other scripts are UCS-2 by nature: there is nothing to notice about them. */
function forcingCharacters(body: TemplateBody, { applicationName }: LintContext, language: Language | null): string[] {
  const brand = nonGsmCharacters(body.brand_name ?? applicationName);
  const own = ownSmsText(body);
  if (own === undefined) return language === 'en' || language === 'es' ? brand : [];
  return [...new Set([...nonGsmCharacters(own), ...(own.includes('{{brand_name}}') ? brand : [])])];
}

const named = 12;
function name(characters: readonly string[]): string {
  const shown = characters.slice(0, named).filter((character) => !isGsm(character));
  const rest = characters.length - shown.length;
  return rest > 0 ? `${shown.join(' ')} and ${rest} more` : shown.join(' ');
}
