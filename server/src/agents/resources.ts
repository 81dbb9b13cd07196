/**
 * What a client may read besides tools: the API description, the documents, the skills, and each error with what to do about it. The same
 * text others read over HTTP. Everything is looked up by its name among what there is; no address becomes a path of a file.
 */
import { pathOfPage } from './pages.ts';
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
/** The errors are pages too, and have an address of their own. */
const pageUri = /^otp:\/\/(?:docs\/([a-zA-Z0-9_./-]*)|(errors\/\d{4}))$/;
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
  const [page, path, error] = pageUri.exec(uri) ?? [];
  if (page !== undefined) {
    const text = docs.read(pathOfPage(error ?? path ?? ''));
    return text === null ? null : { uri, mimeType: markdown, text };
  }
  const [, name, file] = skillUri.exec(uri) ?? [];
  const found = name === undefined || file === undefined ? null : skills.read(name, file);
  return found && { uri, mimeType: found.mediaType, text: found.text };
}
