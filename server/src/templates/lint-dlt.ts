/**
 * Lint on texts registered in India (DLT): the SMS as it will be sent must match the registered text to the letter. What differs from
 * send to send (the code, variables nobody gave a value) can only stand where the registered text has `{#var#}`.
 */
import { strategyOf, type TemplateBody } from './body.ts';
import { type Difference, dltDifference } from './dlt.ts';
import { type Finding, finding, type LintContext } from './finding.ts';
import { renderContent } from './render.ts';
import { codeConfigOf, ownSmsText } from './template.ts';
import { presetNames, variablesIn } from './variables.ts';

/**
 * dlt_mismatch: `sms_config.dlt` is set and the SMS text, English where it is the built-in one, does not match `dlt.text`.
 * dlt_one_language: `sms_config.dlt` is set and the text is the built-in one, which has other languages.
 */
export function lintDlt(body: TemplateBody, context: LintContext): Finding[] {
  const dlt = body.sms_config?.dlt;
  if (!dlt || !strategyOf(body).includes('sms')) return [];
  const difference = dltDifference(varying(body, context), dlt.text);
  const findings: Finding[] = [];
  if (difference) findings.push(finding('dlt_mismatch', 'sms', null, sentence(difference)));
  if (ownSmsText(body) === undefined)
    findings.push(
      finding(
        'dlt_one_language',
        'sms',
        null,
        'only the English built-in text can match dlt.text; Indian operators drop the others',
      ),
    );
  return findings;
}

/** Stands for a character of a value that is not known yet; Unicode gives it to nobody. */
const unknownCharacter = '\ufdd0';

/** The rendering with such characters for the code and for variables without a value. */
function varying(body: TemplateBody, { applicationName, params = {} }: LintContext): string {
  const code = codeConfigOf(body);
  const names = variablesIn(ownSmsText(body) ?? '').filter((name) => !presetNames.some((preset) => preset === name));
  const unknown = names.map((name): [string, string] => [name, unknownCharacter.repeat(Math.min(name.length + 4, 30))]);
  const content = renderContent({ body, brandName: body.brand_name ?? null }, 'sms', {
    language: 'default',
    params: { ...Object.fromEntries(unknown), ...params },
    code: code && unknownCharacter.repeat(code.length),
    ttlSeconds: code && code.ttlMinutes * 60,
    applicationName,
  });
  return content.text;
}

function sentence({ position, found, registeredPosition, expected }: Difference): string {
  const there = found === unknownCharacter ? 'the value of a variable' : described(found);
  return `character ${position} of the text is ${there}, character ${registeredPosition} of dlt.text is ${described(expected)}`;
}

/** Those that look like another or like nothing. */
const names: Readonly<Record<string, string>> = {
  '\t': 'TAB',
  '\n': 'LINE FEED',
  '\r': 'CARRIAGE RETURN',
  ' ': 'SPACE',
  '\u00a0': 'NO-BREAK SPACE',
  '\u00ad': 'SOFT HYPHEN',
  '\u200b': 'ZERO WIDTH SPACE',
  '\u200c': 'ZERO WIDTH NON-JOINER',
  '\u200d': 'ZERO WIDTH JOINER',
  '\u2013': 'EN DASH',
  '\u2014': 'EM DASH',
  '\u2018': 'LEFT SINGLE QUOTATION MARK',
  '\u2019': 'RIGHT SINGLE QUOTATION MARK',
  '\u201c': 'LEFT DOUBLE QUOTATION MARK',
  '\u201d': 'RIGHT DOUBLE QUOTATION MARK',
  '\u2026': 'HORIZONTAL ELLIPSIS',
  '\u202f': 'NARROW NO-BREAK SPACE',
  '\u3002': 'IDEOGRAPHIC FULL STOP',
  '\uff0e': 'FULLWIDTH FULL STOP',
  '\ufeff': 'ZERO WIDTH NO-BREAK SPACE',
};

function described(character: string | null): string {
  if (character === null) return 'missing: the end is there';
  if ([...character].length > 1) return `${character} (1 to 30 characters)`;
  const number = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  const name = Object.hasOwn(names, character) ? names[character] : undefined;
  return name === undefined && /[\p{L}\p{N}\p{P}\p{S}]/u.test(character)
    ? `"${character}" (${number})`
    : `${name ?? 'a character'} (${number})`;
}
