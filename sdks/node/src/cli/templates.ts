// Templates of the application.

import { readFileSync } from 'fs';
import type { Template, TemplateBody } from '../resources/templates.ts';
import { type Call, type Command, Halt, oneOf, pairsOf } from './command.ts';
import { openClient } from './connection.ts';
import { readInput } from './secret-input.ts';
import { jsonText, plain, table } from './terminal.ts';

const statusNames: { readonly [status: number]: string } = { 1: 'pending', 2: 'approved', 3: 'rejected' };
const id = { name: 'TEMPLATE_ID', sentence: 'as templates list shows it' };

export const listTemplates: Command = {
  name: 'templates list',
  summary: 'List the templates of the application, newest first.',
  words: [],
  options: {},
  examples: ['engagelab-otp templates list', "engagelab-otp templates list --json | jq -r '.[].template_id'"],
  async run(call) {
    const templates = await openClient(call).templates.list();
    const rows = templates.map((template) => [
      template.template_id,
      stateOf(template),
      template.send_channel_strategy.split('|').join(' > '),
      template.description ?? '',
    ]);
    return {
      json: templates,
      text: rows.length > 0 ? table(rows) : 'no templates; make one: engagelab-otp templates create -f FILE',
    };
  },
};

export const getTemplate: Command = {
  name: 'templates get',
  summary: 'Show a template in full, as JSON.',
  words: [id],
  options: {},
  examples: ['engagelab-otp templates get login'],
  async run(call) {
    const template = await openClient(call).templates.get(call.words[0] ?? '');
    return { json: template, text: jsonText(template, 2) };
  },
};

export const createTemplate: Command = {
  name: 'templates create',
  summary: 'Make a template from a JSON file.',
  words: [],
  options: {
    file: {
      type: 'string',
      short: 'f',
      value: 'FILE',
      sentence: 'The template as JSON; - reads standard input. Needed.',
    },
  },
  notes: ['The fields are those of POST /v1/template-configs; `templates get` shows an example.'],
  examples: ['engagelab-otp templates create -f login.json', 'engagelab-otp templates create -f - < login.json'],
  async run(call) {
    const saved = await openClient(call).templates.create((await readBody(call)) as TemplateBody);
    const lines = [
      `template_id  ${plain(saved.template_id)}`,
      `status       ${statusNames[saved.status ?? 0] ?? 'unknown'}${saved.status === 1 ? ': sends once the operator approves it' : ''}`,
      ...(saved.warnings ?? []).map(
        ({ message, channel, language }) =>
          `warning      ${plain([channel, language, message].filter(Boolean).join(' '))}`,
      ),
    ];
    return { json: saved, text: lines.join('\n') };
  },
};

export const previewTemplate: Command = {
  name: 'templates preview',
  summary: 'Show the texts of a template with a sample code. Sends nothing.',
  words: [id],
  options: {
    language: { type: 'string', short: 'l', value: 'TAG', sentence: 'One language instead of all.' },
    param: { type: 'string', short: 'p', value: 'NAME=VALUE', multiple: true, sentence: 'Fills a variable.' },
  },
  examples: ['engagelab-otp templates preview login --language en'],
  async run(call) {
    const language = oneOf(call.options, 'language');
    const preview = await openClient(call).templates.preview(call.words[0] ?? '', {
      ...(language ? { language } : {}),
      params: pairsOf(call.options, 'param'),
    });
    const rows = preview.renderings.map(({ channel, language: of, text, segments }) => [
      channel,
      of,
      `${segments ?? 1} part${segments === 1 ? '' : 's'}`,
      text,
    ]);
    const warnings = preview.warnings.map(({ level, message }) => plain(`${level}: ${message}`));
    return { json: preview, text: [table(rows), ...warnings].join('\n') };
  },
};

/** What of a template sends: an older revision may, while the newest waits for its review. */
function stateOf({ status, live_revision, revision }: Template): string {
  const newest = statusNames[status] ?? 'unknown';
  return status !== 2 && live_revision ? `${newest} (revision ${live_revision} of ${revision} sends)` : newest;
}

async function readBody({ options, terminal }: Call): Promise<unknown> {
  const file = oneOf(options, 'file');
  if (!file) throw new Halt('--file is missing', 'Write it as: engagelab-otp templates create -f FILE');
  const text = file === '-' ? await readInput(terminal) : readText(file);
  try {
    return JSON.parse(text);
  } catch {
    throw new Halt(
      `${file === '-' ? 'standard input' : file} is not JSON`,
      'An example: engagelab-otp templates get TEMPLATE_ID',
    );
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Halt(`${file} cannot be read (${(error as { code?: string }).code})`);
  }
}
