/**
 * The texts of a message and its code: in clear only in memory while it is handed over, sealed in the database until nothing
 * can be sent any more.
 */
import type { Content } from '../channels/index.ts';
import type { Keyring } from '../platform/seal.ts';

/** Which delivery; also what seals are bound to. */
export interface Ids {
  applicationId: string;
  messageId: string;
}

export interface Clear {
  code: string | null;
  /** By step; null for steps without a text. */
  contents: readonly (Content | null)[];
}

const contextOf = ({ applicationId, messageId }: Ids): string => `${applicationId}:${messageId}`;

export const sealContent = (keyring: Keyring, ids: Ids, clear: Clear): Buffer =>
  keyring.seal('delivery', JSON.stringify({ code: clear.code, contents: clear.contents }), contextOf(ids));

export const unsealContent = (keyring: Keyring, ids: Ids, sealed: Buffer): Clear =>
  JSON.parse(keyring.open('delivery', sealed, contextOf(ids))) as Clear;
