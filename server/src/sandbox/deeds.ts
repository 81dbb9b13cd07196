/** What the sandbox does for one application once the caller is known to be allowed; operations.ts puts HTTP on it. */
import type { ChannelReactions } from './reaction.ts';
import type { HandsetMessage, HandsetQuery } from './read-handset.ts';
import type { SavedWebhook, Webhook } from './set-webhook.ts';

export interface SandboxDeeds {
  messages(applicationId: string, query: HandsetQuery, signal: AbortSignal): Promise<HandsetMessage[]>;
  setWebhook(applicationId: string, webhook: Webhook, signal: AbortSignal): Promise<SavedWebhook>;
  removeWebhook(applicationId: string): Promise<void>;
  findWebhook(applicationId: string): Promise<SavedWebhook | null>;
  scriptRecipient(applicationId: string, to: string, channels: ChannelReactions): Promise<void>;
  findScript(applicationId: string, to: string): Promise<ChannelReactions>;
  removeScript(applicationId: string, to: string): Promise<void>;
}
