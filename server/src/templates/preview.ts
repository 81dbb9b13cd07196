/** How a template would look, in any revision, with a sample code (contract §11.4). Nothing is sent or counted. */
import type { Content } from '../channels/index.ts';
import type { Application } from '../policy.ts';
import type { Preview } from './answers.ts';
import { type Language, languageOf, languages } from './language.ts';
import { lint } from './lint.ts';
import { findOne } from './read.ts';
import { renderSendable } from './render.ts';
import type { Ports } from './save.ts';
import { segment } from './segments.ts';
import { sampleCode, toSendTemplate } from './template.ts';

export interface PreviewInput {
  /** Without it, all seven. */
  language?: Language;
  params?: Record<string, string>;
  /** Without it, the newest, approved or not. */
  revision?: number;
}

/** Missing template or revision: 4001. */
export async function previewTemplate(
  { db }: Pick<Ports, 'db'>,
  application: Application,
  templateId: string,
  { language, params = {}, revision }: PreviewInput,
): Promise<Preview> {
  const row = await findOne(db, application.id, templateId, revision);
  const template = toSendTemplate(row.revision, row.body);
  const { codeConfig } = template;
  const input = {
    params,
    code: codeConfig && sampleCode(codeConfig),
    ttlSeconds: codeConfig && codeConfig.ttlMinutes * 60,
    applicationName: application.name,
  };
  const renderings = template.strategy.flatMap((channel) =>
    (language === undefined ? languages : [language]).map((asked) => {
      const content = renderSendable(template, channel, { ...input, language: asked });
      return { channel, language: asked, ...shown(content), ...measured(content) };
    }),
  );
  // Errors too: the values of a preview, or a new name of the application, may break what was right when it was saved.
  const warnings = lint(row.body, { applicationName: application.name, params });
  return { template_id: templateId, revision: row.revision, renderings, warnings };
}

function shown({ language, subject, text, html, from }: Content) {
  return {
    text_language: languageOf(language),
    ...(subject !== undefined && { subject }),
    text,
    ...(html !== undefined && { html }),
    ...(from !== undefined && { from }),
  };
}

function measured({ text, segments }: Content): {
  encoding: 'GSM-7' | 'UCS-2' | null;
  length: number;
  segments: number;
} {
  if (segments === undefined) return { encoding: null, length: text.length, segments: 1 };
  const { encoding, length } = segment(text);
  return { encoding, length, segments };
}
