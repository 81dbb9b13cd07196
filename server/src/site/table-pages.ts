/** Pages made from the tables of the ground floor: errors and settings. */
import { type Setting, settings } from '../config.ts';
import { type ErrorEntry, errorTable, reasons } from '../errors.ts';
import type { Doc } from './doc.ts';
import { localBase } from './samples.ts';
import { fence, paragraphs, table } from './table.ts';

const errorPath = (code: number | string): string => `/docs/errors/${code}`;

const codes: [string, ErrorEntry][] = Object.entries(errorTable);
const reasonsOf = (code: string): [string, string][] =>
  Object.entries(reasons)
    .filter(([, [of]]) => String(of) === code)
    .map(([reason, [, text]]) => [reason, text]);
const statusesOf = ({ status, otherStatuses = [] }: ErrorEntry): string => [status, ...otherStatuses].join(', ');
const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

export function errorPages(): Doc[] {
  return [
    {
      path: '/docs/errors',
      title: 'Errors',
      description: 'Every error code with its HTTP status, whether to retry, and what to do next.',
      group: 'Reference',
      order: 20,
      body: paragraphs(
        'Every answer with a 4xx or 5xx status has the body `{"code", "message", "request_id", "docs_url"}`, and where useful `reason` (a stable word) and `details`. Branch on `code` and `reason`, never on `message`. `docs_url` leads to the page of the code.',
        'Repeat a request only when the status is 429 or at least 500, or the code is marked "yes" under "Retry". `Retry-After`, when present, says after how many seconds.',
        table(
          ['Code', 'HTTP', 'Meaning', 'Retry', 'What to do'],
          codes.map(([code, entry]) => [
            `[${code}](${errorPath(code)})`,
            statusesOf(entry),
            entry.title,
            entry.retryable ? 'yes' : 'no',
            entry.next,
          ]),
        ),
      ),
    },
    ...codes.map(([code, entry], order) => errorPage(code, entry, order)),
  ];
}

function errorPage(code: string, entry: ErrorEntry, order: number): Doc {
  const own = reasonsOf(code);
  const body = {
    code: Number(code),
    message: own[0]?.[1] ?? entry.title,
    request_id: 'req_01K0A1B2C3D4E5F6G7H8J9KMNP',
    docs_url: `${localBase}${errorPath(code)}`,
    ...(own[0] && { reason: own[0][0] }),
  };
  return {
    path: errorPath(code),
    title: `Error ${code}`,
    description: sentence(entry.title),
    group: 'Errors',
    order,
    body: paragraphs(
      `**${sentence(entry.title)}** HTTP ${statusesOf(entry)}.`,
      `**What to do:** ${entry.next}`,
      `**Retry the same request:** ${entry.retryable ? 'yes, with exponential back-off' : 'no (but always at status 429 or 5xx)'}.`,
      `**Category in the clients:** \`${entry.category}\`.`,
      own.length > 0 ? '## Reasons' : undefined,
      own.length > 0
        ? paragraphs(
            '`reason` in the body says which rule; `…` is filled in.',
            table(
              ['`reason`', 'Message'],
              own.map(([reason, text]) => [`\`${reason}\``, text]),
            ),
          )
        : undefined,
      '## Body',
      fence('json', JSON.stringify(body, null, 2)),
      'Give `request_id` to support; `docs_url` leads to this page. [All errors](/docs/errors).',
    ),
  };
}

export function settingPage(): Doc {
  const all: Setting<unknown>[] = Object.values(settings);
  const rows = all.map(({ env, default: standard, sentence: text, secret }) => [
    `\`${env}\``,
    standard ? `\`${standard}\`` : 'none',
    secret ? `${text} Secret: never logged.` : text,
  ]);
  return {
    path: '/docs/settings',
    title: 'Settings',
    description: `All ${all.length} environment variables of the server with their defaults.`,
    group: 'Reference',
    order: 30,
    body: paragraphs(
      'Every setting is an environment variable; an empty one counts as absent. A start with wrong settings names all faults at once and exits with 2. See [self-hosting](/docs/self-hosting) for what to set when.',
      table(['Variable', 'Default', 'What it does'], rows),
    ),
  };
}
