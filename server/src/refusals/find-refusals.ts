/** Searching the refused sends of one application, within its retention. */
import { ApiError, invalid } from '../errors.ts';
import type { Db } from '../platform/db.ts';
import { isId, messageIdOf } from '../platform/ids.ts';
import type { Application } from '../policy.ts';
import { retentionMs, timeOf } from '../wire.ts';
import { type NormaliseRecipient, recipientForm } from './clean.ts';
import type { KeptRefusal } from './refusal.ts';
import { listRefusals } from './store.ts';

export interface FindPorts {
  db: Db;
  clock: { now(): number };
  application(id: string): Promise<Application | null>;
  normaliseRecipient: NormaliseRecipient;
}

export interface RefusalQuery {
  to?: string | undefined;
  code?: number | undefined;
  from?: string | undefined;
  until?: string | undefined;
  limit: number;
  before?: string | undefined;
}

export interface FoundRefusals {
  refusals: KeptRefusal[];
  /** The id to go on before; null at the end. */
  nextBefore: string | null;
}

const dayMs = 86_400_000;
const highestId = '9223372036854775807';
const firstIdAt = (ms: number): string => (ms <= 1_288_834_974_657 ? '0' : messageIdOf(ms, 0, 0));

export async function findRefusals(
  { db, clock, normaliseRecipient }: FindPorts,
  application: Application,
  query: RefusalQuery,
): Promise<FoundRefusals> {
  const { to, code, limit, before } = query;
  if (before !== undefined && !isId(before)) throw invalid([{ field: 'before', problem: 'not an id of this list' }]);
  const now = clock.now();
  // What is past its retention is gone for everybody, whether or not its rows are.
  const from = Math.max(timeOf(query.from, 'from', now - dayMs), now - retentionMs(application));
  const until = query.until === undefined ? highestId : firstIdAt(timeOf(query.until, 'until', now));
  const rows = await listRefusals(db, application.id, {
    recipient: to === undefined ? null : recipientForm(to, normaliseRecipient),
    code: code ?? null,
    fromId: firstIdAt(from),
    belowId: before !== undefined && BigInt(before) < BigInt(until) ? before : until,
    limit: limit + 1,
  });
  const refusals = rows.slice(0, limit);
  return { refusals, nextBefore: rows.length > limit ? (refusals.at(-1)?.id ?? null) : null };
}

/** For the operator, who names the application. */
export async function findRefusalsOf(
  ports: FindPorts,
  applicationId: string,
  query: RefusalQuery,
): Promise<FoundRefusals> {
  const application = await ports.application(applicationId);
  if (!application) throw new ApiError(4001, 'application not found', { status: 404 });
  return findRefusals(ports, application, query);
}
