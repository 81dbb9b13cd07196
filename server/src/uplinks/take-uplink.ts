/**
 * What a person wrote back, taken once: kept, told to the application that wrote last to this person, and obeyed where it is a
 * keyword alone. Durable when it resolves; a repeated one changes nothing.
 */
import type { Uplink } from '../channels/index.ts';
import { appendEvents } from '../events/index.ts';
import { deleteOptOut, insertOptOut, listOptedOutApplications } from '../limits/index.ts';
import { listLastMessages, normalisedAddress } from '../messages/index.ts';
import type { Db, Queryable } from '../platform/db.ts';
import type { Log } from '../platform/log.ts';
import type { Keyring } from '../platform/seal.ts';
import type { Application } from '../policy.ts';
import { type Keyword, keywordOf } from './keywords.ts';
import { insertUplink } from './store.ts';

export interface UplinksContext {
  db: Db;
  keyring: Keyring;
  log: Log;
  /** Null when there is none. */
  application(id: string): Promise<Application | null>;
  /** Whether what the application sends leaves by such a provider: nobody gets at answers to others by a sandbox. */
  reaches(provider: string, application: Application): boolean;
}

/** Whom an uplink belongs to. */
interface Owner {
  applicationId: string;
  /** The last message to this person within 24 hours, else '0'. */
  messageId: string;
}

export async function takeUplink(context: UplinksContext, provider: string, uplink: Uplink): Promise<void> {
  const { upstreamId, from, to, body } = storable(uplink);
  const keyword = keywordOf(body);
  // Read before the transaction, which holds the only connection of an embedded database.
  const owner = await findOwner(context, provider, from, keyword);
  const sealedBody = context.keyring.seal('uplink', body, `${provider}:${upstreamId}`);
  const applicationId = owner?.applicationId ?? null;
  const taken = await context.db.transaction(async (tx) => {
    if (!(await insertUplink(tx, { provider, upstreamId, applicationId, from, to, sealedBody }))) return false;
    if (!owner) return true;
    if (keyword) await obey(tx, owner.applicationId, from, keyword);
    const data = { message_sid: upstreamId, account_sid: provider, from, to, body };
    await appendEvents(tx, [{ ...owner, cause: 'uplink', status: 'uplink_message', data }]);
    return true;
  });
  if (taken && !owner && keyword?.kind === 'opt_out')
    context.log.warn({ provider }, 'somebody unsubscribed to whom no application is known to have written');
}

/** No database text or JSON can hold these; an upstream would repeat such an uplink for ever. */
function storable(uplink: Uplink): Uplink {
  const clean = (text: string): string => text.toWellFormed().replaceAll('\0', '');
  return {
    upstreamId: clean(uplink.upstreamId),
    from: normalisedAddress(clean(uplink.from)),
    to: clean(uplink.to),
    body: clean(uplink.body),
  };
}

/**
 * The application whose message is the last one to this person within 24 hours (contract §10.5). A keyword that comes later is
 * still meant for the last one that wrote, however long ago; and who opts in may do so when that message is forgotten already.
 */
async function findOwner(
  { db, application, reaches }: UplinksContext,
  provider: string,
  from: string,
  keyword: Keyword | null,
): Promise<Owner | null> {
  async function isReached(id: string): Promise<boolean> {
    const found = await application(id);
    return found !== null && reaches(provider, found);
  }
  for (const { recent, ...last } of await listLastMessages(db, from)) {
    if (!(await isReached(last.applicationId))) continue;
    if (recent) return last;
    return keyword ? { applicationId: last.applicationId, messageId: '0' } : null;
  }
  if (keyword?.kind !== 'opt_in') return null;
  for (const applicationId of await listOptedOutApplications(db, from))
    if (await isReached(applicationId)) return { applicationId, messageId: '0' };
  return null;
}

async function obey(tx: Queryable, applicationId: string, target: string, { kind, word }: Keyword): Promise<void> {
  if (kind === 'opt_out') await insertOptOut(tx, { applicationId, target, source: 'uplink', keyword: word }, null);
  else await deleteOptOut(tx, applicationId, target, null);
}
