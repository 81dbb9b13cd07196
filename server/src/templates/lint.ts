/**
 * Everything the platform notices about a template before a person reviews it (contract §9). Errors refuse a save; warnings are
 * answered and shown. Each check below says exactly when it fires. Pure.
 */
import { isAndroidHash, webOtpHost } from './autofill.ts';
import { strategyOf, type TemplateBody } from './body.ts';
import { type Finding, finding, type LintCode, type LintContext } from './finding.ts';
import { lintDlt } from './lint-dlt.ts';
import { lintParts } from './lint-parts.ts';
import { lintWords } from './lint-words.ts';
import { carriesCode, normalise, ownTexts, subTypeOf, textHasCode } from './template.ts';

/** All findings, errors first. The body must have passed the rules. */
export function lint(body: TemplateBody, context: LintContext): Finding[] {
  const used = normalise(body);
  const findings = [
    ...lintCode(used),
    ...lintAutofill(used),
    ...lintDlt(used, context),
    ...lintParts(used, context),
    ...lintWords(used, context),
  ];
  return [...findings.filter((one) => one.level === 'error'), ...findings.filter((one) => one.level === 'warning')];
}

/**
 * missing_code: an own text without {{code}}, in a template of sub type authentication or of which another text has it.
 * voice_mixed_case: voice in the chain and codes of both cases, which cannot be told apart by ear.
 * ambiguous_letters: codes with letters, which are misread and misheard more often than digits.
 */
function lintCode(body: TemplateBody): Finding[] {
  const findings: Finding[] = [];
  if (subTypeOf(body) === 'authentication' || carriesCode(body))
    for (const own of ownTexts(body).filter((text) => !textHasCode(text)))
      findings.push(finding('missing_code', own.channel, own.language, 'the text does not contain {{code}}'));
  const type = carriesCode(body) ? (body.verify_code_config?.verify_code_type ?? 1) : 1;
  if ((type & 6) === 6 && strategyOf(body).includes('voice'))
    findings.push(finding('voice_mixed_case', 'voice', null, 'lower and upper case cannot be told apart when spoken'));
  if (type !== 1)
    findings.push(
      finding('ambiguous_letters', null, null, 'letters are misread and misheard more often than digits alone'),
    );
  return findings;
}

/**
 * web_otp_host: `web_otp_origin` is no host name, or has a port, path or IP address. android_hash: `android_app_hash` is not eleven
 * characters of base64. autofill_without_code: either is set and the SMS text has no {{code}}. autofill_conflict: both are set,
 * and each wants the last line.
 */
function lintAutofill(body: TemplateBody): Finding[] {
  const { web_otp_origin: origin, android_app_hash: hash } = body.sms_config ?? {};
  if (origin === undefined && hash === undefined) return [];
  const findings: Finding[] = [];
  const add = (code: LintCode, message: string) => findings.push(finding(code, 'sms', null, message));
  if (origin !== undefined && webOtpHost(origin) === null)
    add('web_otp_host', 'web_otp_origin must be https://host or host, without port, path or IP address');
  if (hash !== undefined && !isAndroidHash(hash))
    add('android_hash', 'android_app_hash must be 11 characters of A-Z, a-z, 0-9, + and /');
  if (ownTexts(body).some((own) => own.channel === 'sms' && !textHasCode(own)))
    add('autofill_without_code', 'autofill lines need a text with {{code}}');
  if (origin !== undefined && hash !== undefined)
    add('autofill_conflict', 'browser and Android both want the last line; the browser gets it');
  return findings;
}
