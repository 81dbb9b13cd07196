/** Makes docs/errors.md from server/src/errors.ts: one table of codes, then one section per code with its reasons. */
import { type ErrorEntry, errorTable, reasons } from '../../server/src/errors.ts';
import { table } from './markdown.ts';

const codes: [string, ErrorEntry][] = Object.entries(errorTable);

export function makeErrorsPage(): string {
  return `${[intro, overview(), ...codes.map(([code, entry]) => section(code, entry))].join('\n\n')}\n`;
}

const intro = `# Errors

Made from \`server/src/errors.ts\` by \`npm run generate\`; do not edit by hand.

Every answer with a 4xx or 5xx status has the body \`{"code": <int>, "message": "<text>", "request_id": "req_…", "docs_url": "…"}\`,
and where useful \`reason\` (a stable word to branch on) and \`details\`. Branch on \`code\` and \`reason\`, never on \`message\`.

A client repeats a request only when the HTTP status is 429 or at least 500, or the code is marked "yes" under "Retry".
\`Retry-After\`, when present, says after how many seconds.`;

function overview(): string {
  const rows = codes.map(([code, entry]) => [
    `[${code}](#${code})`,
    statuses(entry),
    entry.title,
    entry.retryable ? 'yes' : 'no',
    entry.category,
  ]);
  return table(['Code', 'HTTP', 'Meaning', 'Retry', 'SDK category'], rows);
}

function section(code: string, entry: ErrorEntry): string {
  const own = Object.entries(reasons).filter(([, [of]]) => String(of) === code);
  const rows = own.map(([reason, [, text]]) => [`\`${reason}\``, text]);
  const list = rows.length > 0 ? `\n\n${table(['`reason`', 'Message (`…` is filled in)'], rows)}` : '';
  return `## ${code}\n\n${entry.title} (HTTP ${statuses(entry)}). ${entry.next}${list}`;
}

function statuses(entry: ErrorEntry): string {
  return [entry.status, ...(entry.otherStatuses ?? [])].join(', ');
}
