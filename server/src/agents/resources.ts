/** What a client may read besides tools: the API description, and each error with what to do about it. The same text REST clients read. */
import { type ErrorCode, errorTable, reasons } from '../errors.ts';

const openapiUri = 'otp://openapi.json';
const errorUri = /^otp:\/\/errors\/(\d{4})$/;

export const resources = [
  {
    uri: openapiUri,
    name: 'openapi.json',
    title: 'API description',
    description: 'OpenAPI 3.1 of this server, with its own address.',
    mimeType: 'application/json',
  },
];

export const resourceTemplates = [
  {
    uriTemplate: 'otp://errors/{code}',
    name: 'error',
    title: 'An error and what to do',
    description: 'What a code such as 3004 means, its reasons, whether a retry can help, the next step.',
    mimeType: 'text/markdown',
  },
];

export interface Resource {
  uri: string;
  mimeType: string;
  text: string;
}

/** Null for an address nobody has. */
export function readResource(uri: string, openapi: () => object): Resource | null {
  if (uri === openapiUri) return { uri, mimeType: 'application/json', text: JSON.stringify(openapi()) };
  const code = Number(errorUri.exec(uri)?.[1]);
  return isErrorCode(code) ? { uri, mimeType: 'text/markdown', text: errorText(code) } : null;
}

const isErrorCode = (code: number): code is ErrorCode => code in errorTable;

function errorText(code: ErrorCode): string {
  const { title, status, retryable, next } = errorTable[code];
  const own = Object.entries(reasons).filter(([, [of]]) => of === code);
  const list = own.map(([slug, [, text]]) => `- \`${slug}\`: ${text}`).join('\n');
  return [
    `# ${code} ${title}`,
    `HTTP ${status}. ${retryable ? 'A retry can help.' : 'The same request again does not help.'}`,
    `What to do: ${next}`,
    ...(own.length > 0 ? [`\`reason\` is one of:\n\n${list}`] : []),
  ].join('\n\n');
}
