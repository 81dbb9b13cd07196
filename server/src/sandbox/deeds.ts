/** What the sandbox does for one application once the caller is known to be allowed; operations.ts puts HTTP on it. */
import type { ChannelReactions } from './reaction.ts';
import type { HandsetMessage, HandsetQuery } from './read-handset.ts';

export interface Webhook {
  url: string;
  username: string;
  secret: string;
  /** Value of an Authorization header. */
  authorization?: string | undefined;
}

/** Where an application wants its callbacks, kept by those who post them (contract §11.7). */
export interface Webhooks {
  /** Probes and saves, each time with a new signing secret. 400/3002 for an address that could never be called. */
  set(applicationId: string, webhook: Webhook): Promise<{ signingSecret: string; reachable: boolean }>;
  remove(applicationId: string): Promise<void>;
}

export interface SandboxDeeds {
  webhooks: Webhooks;
  messages(applicationId: string, query: HandsetQuery, signal: AbortSignal): Promise<HandsetMessage[]>;
  scriptRecipient(applicationId: string, to: string, channels: ChannelReactions): Promise<void>;
  findScript(applicationId: string, to: string): Promise<ChannelReactions>;
  removeScript(applicationId: string, to: string): Promise<void>;
}
