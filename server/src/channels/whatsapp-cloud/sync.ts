/**
 * Brings the templates of the account to what sends need: looks what is there, makes what is missing, tells the state of each. What
 * could not be made is `missing` with the reason; the next run goes on there. Meta takes 100 new templates an hour, so a run stops at
 * the first answer that would be the same for all.
 */
import { z } from 'zod';
import type { UpstreamTemplate } from '../contract.ts';
import { reasonTable, type SendOutcome } from '../outcome.ts';
import { refusalOf, silentAnswer } from './answer.ts';
import type { GraphAnswer } from './graph.ts';
import { metaLanguage } from './languages.ts';
import type { Desk } from './send.ts';
import { type TemplateClass, templateClasses, templateName, templateRequest } from './templates.ts';

interface Wanted {
  kind: TemplateClass;
  name: string;
  language: string;
}

type Found = ReadonlyMap<string, Listed>;

export async function syncTemplates(
  desk: Desk,
  languages: readonly string[],
  signal: AbortSignal,
): Promise<UpstreamTemplate[]> {
  const wanted = wantedTemplates(desk, languages);
  const found = await listTemplates(desk, signal);
  if (typeof found === 'string')
    return wanted.map((one) => missing(one, `the templates of the account could not be listed: ${found}`));
  const states: UpstreamTemplate[] = [];
  let stopped: string | undefined;
  for (const one of wanted) {
    const there = found.get(keyOf(one));
    if (there) states.push(stateOf(one, there));
    else if (stopped !== undefined) states.push(missing(one, stopped));
    else {
      const made = await createTemplate(desk, one, signal);
      stopped = made.stop ? made.template.detail : undefined;
      states.push(made.template);
    }
  }
  return states;
}

/** Every class in every language; the default language too, since sends fall back to it. */
function wantedTemplates({ settings }: Desk, languages: readonly string[]): Wanted[] {
  const codes = new Set([settings.default_language, ...languages.map((language) => metaLanguage(language, settings))]);
  return templateClasses.flatMap((kind) =>
    [...codes].map((language) => ({ kind, name: templateName(settings, kind), language })),
  );
}

const keyOf = ({ name, language }: { name: string; language: string }): string => `${name} ${language}`;

const listed = z.object({
  name: z.string(),
  language: z.string(),
  status: z.string(),
  category: z.string().optional(),
  rejected_reason: z.string().nullish(),
});
type Listed = z.infer<typeof listed>;

const page = z.object({
  data: z.array(z.unknown()),
  paging: z.object({ cursors: z.object({ after: z.string() }).optional(), next: z.string().optional() }).optional(),
});

/** Small enough for an answer of 64 KiB, although a name may have 512 characters. */
const pageSize = 50;
/** Meta allows 6,000 names, each in many languages; an account beyond this has something else than templates for codes. */
const maxPages = 600;

/** All templates of the account, or why they could not be had. Follows cursors: the address of the next page would hold the token. */
async function listTemplates({ graph, settings, log }: Desk, signal: AbortSignal): Promise<Found | string> {
  const found = new Map<string, Listed>();
  const fields = 'name,language,status,category,rejected_reason';
  let after: string | undefined;
  for (let number = 0; number < maxPages; number++) {
    const query = { fields, limit: String(pageSize), ...(after !== undefined && { after }) };
    const answer = await graph.get(`${settings.waba_id}/message_templates`, query, signal);
    const read = answer.kind === 'answered' && answer.status === 200 ? page.safeParse(answer.json).data : undefined;
    if (!read) return explain({ log, codeMap: settings.code_map }, answer).detail;
    for (const item of read.data) {
      const template = listed.safeParse(item).data;
      if (template) found.set(keyOf(template), template);
    }
    after = read.paging?.next === undefined ? undefined : read.paging.cursors?.after;
    if (after === undefined) return found;
  }
  return `more than ${maxPages * pageSize} templates`;
}

const created = z.object({ status: z.string().default('PENDING') });

async function createTemplate(
  { graph, settings, log }: Desk,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<{ template: UpstreamTemplate; stop: boolean }> {
  const body = templateRequest(settings, wanted.kind, wanted.language);
  const answer = await graph.post(`${settings.waba_id}/message_templates`, body, signal);
  const read =
    answer.kind === 'answered' && !answer.error && answer.status === 200
      ? created.safeParse(answer.json).data
      : undefined;
  if (read) return { template: stateOf(wanted, { ...wanted, status: read.status }), stop: false };
  const fault = explain({ log, codeMap: settings.code_map }, answer);
  return { template: missing(wanted, fault.detail), stop: fault.stop || signal.aborted };
}

type Failed = GraphAnswer | Exclude<SendOutcome, { kind: 'accepted' }>;

/** Why a call came to nothing, and whether the next would too. */
function explain(judge: Parameters<typeof refusalOf>[0], answer: Failed): { detail: string; stop: boolean } {
  const outcome = answer.kind === 'answered' ? faultOf(judge, answer) : answer;
  if (outcome.kind === 'accepted') return { detail: '', stop: false };
  const stop =
    outcome.kind === 'refused' && (outcome.reason === 'throttled' || reasonTable[outcome.reason].fault !== 'none');
  return { detail: outcome.detail, stop: stop && !isAboutOne(answer) };
}

function faultOf(judge: Parameters<typeof refusalOf>[0], { status, error }: GraphAnswer): SendOutcome {
  if (error) return refusalOf(judge, error, status);
  return status === 200 ? { kind: 'unknown', detail: 'HTTP 200 in a form that is not known' } : silentAnswer(status);
}

/** Invalid parameter: this template is wrong (its name is taken, its language unknown), not the account. */
const isAboutOne = (answer: Failed): boolean => answer.kind === 'answered' && answer.error?.code === 100;

const missing = ({ name, language }: Wanted, detail: string): UpstreamTemplate => ({
  name,
  language,
  state: 'missing',
  detail,
});

const statuses: Readonly<Record<string, Pick<UpstreamTemplate, 'state' | 'detail'>>> = {
  APPROVED: { state: 'approved' },
  FLAGGED: { state: 'approved', detail: 'its quality is low: Meta may disable it soon' },
  PENDING: { state: 'pending' },
  IN_APPEAL: { state: 'pending', detail: 'Meta looks at the appeal' },
  REJECTED: { state: 'rejected', detail: 'Meta rejected it' },
  DISABLED: {
    state: 'rejected',
    detail: 'Meta disabled it for low quality: choose another template_prefix and sync again',
  },
  PAUSED: {
    state: 'paused',
    detail: 'Meta paused it for low quality: it comes back by itself, the first time after 3 hours',
  },
  LIMIT_EXCEEDED: { state: 'paused', detail: 'the account has as many templates as it may have' },
  ARCHIVED: { state: 'paused', detail: 'it is archived: unarchive it in WhatsApp Manager' },
  PENDING_DELETION: { state: 'missing', detail: 'it is being deleted: choose another template_prefix or wait 30 days' },
  DELETED: { state: 'missing', detail: 'it was deleted: choose another template_prefix or wait 30 days' },
};

function stateOf(
  { name, language }: Wanted,
  { status, category, rejected_reason }: Omit<Listed, 'name' | 'language'>,
): UpstreamTemplate {
  if (category !== undefined && category.toUpperCase() !== 'AUTHENTICATION')
    return {
      name,
      language,
      state: 'rejected',
      detail: 'another template has this name: choose another template_prefix',
    };
  const known = Object.hasOwn(statuses, status) ? statuses[status] : undefined;
  const { state, detail } = known ?? {
    state: 'pending' as const,
    detail: `Meta calls its state ${status.slice(0, 40)}`,
  };
  const why =
    state === 'rejected' && rejected_reason && rejected_reason !== 'NONE' ? ` (${rejected_reason.slice(0, 80)})` : '';
  return { name, language, state, ...(detail !== undefined && { detail: detail + why }) };
}
