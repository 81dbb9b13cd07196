/** What a handset shows, sealed at rest: a code is nowhere in clear in the database, not even a test's. */
import type { Keyring } from '../platform/seal.ts';

const purpose = 'handset';

export interface HandsetContent {
  text: string;
  code: string | null;
  subject?: string;
}

const contextOf = (applicationId: string, messageId: string): string => `${applicationId}:${messageId}`;

export function sealContent(
  keyring: Keyring,
  applicationId: string,
  messageId: string,
  content: HandsetContent,
): Buffer {
  return keyring.seal(purpose, JSON.stringify(content), contextOf(applicationId, messageId));
}

export function openContent(
  keyring: Keyring,
  applicationId: string,
  messageId: string,
  sealed: Buffer,
): HandsetContent {
  return JSON.parse(keyring.open(purpose, sealed, contextOf(applicationId, messageId))) as HandsetContent;
}
