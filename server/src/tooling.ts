/** What the tools of agents need of the other rooms, and the way in which they ask the operations: through the front door, like anybody. */
import type { Accounts } from './accounts/index.ts';
import { type Agents, type AgentsOptions, createAgents } from './agents/index.ts';
import type { Confirmations } from './confirmations/index.ts';
import { ApiError } from './errors.ts';
import type { FrontDoor, Visit } from './http/index.ts';
import type { Operation } from './http/operation.ts';
import type { Messages } from './messages/index.ts';
import type { Log } from './platform/log.ts';
import type { Application } from './policy.ts';
import type { Templates } from './templates/index.ts';

export interface ToolingOptions extends Pick<AgentsOptions, 'docs' | 'skills' | 'extend'> {
  operations: readonly Operation[];
  accounts: Pick<Accounts, 'authenticateKey'>;
  templates: Pick<Templates, 'tryOut'>;
  messages: Pick<Messages, 'preview'>;
  confirmations: Confirmations;
  log: Log;
  publicUrl(): string;
  visit: Visit;
  /** Asked with the first call: the door opens after the tools are made. */
  frontDoor(): Pick<FrontDoor, 'inject' | 'openapiText'>;
}

export function createTooling(options: ToolingOptions): Agents {
  const { operations, accounts, templates, messages, confirmations, log, publicUrl, frontDoor } = options;
  const { docs, skills, extend, visit } = options;
  return createAgents({
    docs,
    skills,
    extend,
    visit,
    operations,
    publicUrl,
    openapiText: () => frontDoor().openapiText(),
    authenticate: accounts.authenticateKey,
    async ask({ method, path, body, headers, ip, signal }) {
      const reply = await frontDoor().inject({
        method: method as 'GET',
        url: path,
        remoteAddress: ip,
        headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { payload: JSON.stringify(body) }),
        ...(signal && { signal }),
      });
      return { status: reply.statusCode, body: JSON.parse(reply.body) };
    },
    preview: messages.preview,
    confirmations,
    tryTemplate: (application, body) => tryTemplate(templates, application, body),
    audit: (line) => log.info(line, 'tool'),
    warn: (err) => log.warn({ err }, 'a request of an agent could not be served'),
  });
}

/** As the operation answers; like it not for the application that everybody shares. */
async function tryTemplate({ tryOut }: Pick<Templates, 'tryOut'>, application: Application, body: unknown) {
  if (application.sandbox === 'public') throw new ApiError(2004, 'no permission for this API');
  const { templateId, revision, status, warnings } = await tryOut(application, body as Parameters<typeof tryOut>[1]);
  return { code: 0, message: 'success', template_id: templateId, revision, status, warnings };
}
