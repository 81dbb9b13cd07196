/**
 * What a client may read besides tools: the API description, the documents, the skills, and each error with what to do about it. The same
 * text others read over HTTP. Everything is looked up by its name among what there is; no address becomes a path of a file.
 */
import { type ErrorCode, errorTable, reasons } from '../errors.ts';
import type { Texts } from './tool.ts';

export interface ResourcePorts extends Texts {
  /** The API description as JSON. */
  openapiText(): string;
  skills: {
    list(): { name: string; description: string }[];
    read(name: string, file: string): { mediaType: string; text: string } | null;
  };
}

export interface Resource {
  uri: string;
  mimeType: string;
  text: string;
}

const openapiUri = 'otp://openapi.json';
const errorUri = /^otp:\/\/errors\/(\d{4})$/;
const docUri = /^otp:\/\/docs\/([a-zA-Z0-9_./-]*)$/;
const skillUri = /^skill:\/\/([a-z0-9-]+)\/([a-zA-Z0-9_./-]+)$/;
const markdown = 'text/markdown';

/** The few to begin with; everything else is found by templates and search_docs. */
export const listResources = ({ skills }: Pick<ResourcePorts, 'skills'>) => [
  {
    uri: openapiUri,
    name: 'openapi.json',
    title: 'API description',
    description: 'OpenAPI 3.1 of this server, with its own address.',
    mimeType: 'application/json',
  },
  {
    uri: 'otp://docs/ai',
    name: 'docs/ai',
    title: 'For agents',
    description: 'Everything a coding agent needs to send and check codes with this server, on one page.',
    mimeType: markdown,
  },
  ...skills.list().map(({ name }) => ({
    uri: `skill://${name}/SKILL.md`,
    name: `${name}/SKILL.md`,
    title: `Skill ${name}`,
    mimeType: markdown,
  })),
];

export const resourceTemplates = [
  {
    uriTemplate: 'otp://docs/{+path}',
    name: 'page',
    title: 'A page of the documents',
    description: 'Such as otp://docs/quick-start or otp://docs/api/sendOtp.',
    mimeType: markdown,
  },
  {
    uriTemplate: 'otp://errors/{code}',
    name: 'error',
    title: 'An error and what to do',
    description: 'What a code such as 3004 means, its reasons, whether a retry can help, the next step.',
    mimeType: markdown,
  },
  {
    uriTemplate: 'skill://{name}/{+path}',
    name: 'skill',
    title: 'A file of a skill',
    description: 'SKILL.md, its references and scripts, with the address of this server in them.',
  },
];

/** Null for an address nobody has. */
export function readResource(asked: string, { openapiText, docs, skills }: ResourcePorts): Resource | null {
  // Clients that fill in a template write the slashes of a path so.
  const uri = asked.replaceAll(/%2f/gi, '/');
  if (uri === openapiUri) return { uri, mimeType: 'application/json', text: openapiText() };
  const [, path] = docUri.exec(uri) ?? [];
  if (path !== undefined) {
    const text = docs.read(path === '' ? '/docs' : `/docs/${path.replace(/\.md$/, '')}`);
    return text === null ? null : { uri, mimeType: markdown, text };
  }
  const [, name, file] = skillUri.exec(uri) ?? [];
  if (name !== undefined && file !== undefined) {
    const found = skills.read(name, file);
    return found && { uri, mimeType: found.mediaType, text: found.text };
  }
  const code = Number(errorUri.exec(uri)?.[1]);
  return isErrorCode(code) ? { uri, mimeType: markdown, text: errorText(code) } : null;
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
