/** A page of an application's events, with a long poll. Reads a bounded number of entries, whatever is wanted of them. */
import type { Application, Caller } from '../policy.ts';
import { furthest, type Place, staleCursor } from './cursor.ts';
import type { StreamPorts } from './stream.ts';
import { findPlaceOfAge, readMessagePage, readPages } from './stream-store.ts';
import { isWanted, type Told, tell, type Wanted, wantsAll } from './told.ts';

export interface EventsRequest {
  /** Null: the entries of the last 24 hours. */
  after: Place | null;
  wanted: Wanted;
  limit: number;
  waitMs: number;
}

export interface EventsPage {
  told: Told[];
  next: Place;
}

/** Read for one answer, and at once. */
const maxScanned = 2_000;
const chunkRows = 500;
const secondsBack = 86_400;

export async function readEvents(
  ports: StreamPorts,
  { keyId, application }: Pick<Caller, 'keyId' | 'application'>,
  request: EventsRequest,
  signal: AbortSignal,
): Promise<EventsPage> {
  const { db, following, clock } = ports;
  const from = request.after ?? (await findPlaceOfAge(db, application.id, secondsBack));
  const first = await scan(ports, application, from, request);
  if (first.told.length > 0 || first.isFull || request.waitMs === 0) return first;
  const endsAt = performance.now() + request.waitMs;
  const follower = following.follow(application.id, keyId);
  try {
    for (let after = first.next; ; ) {
      const slice = await follower.next(after, endsAt - performance.now(), signal);
      const told = slice.told.filter((one) => isWanted(one, request.wanted, application, clock.now()));
      const last = told[request.limit - 1];
      if (last) return { told: told.slice(0, request.limit), next: last.place };
      const isOver = signal.aborted || following.closed || performance.now() >= endsAt;
      if (told.length > 0 || isOver) return { told, next: slice.next };
      after = slice.next;
    }
  } finally {
    follower.end();
  }
}

/** What is there now. `isFull`: it ended by its size. */
async function scan(
  { db, facts, clock }: StreamPorts,
  application: Application,
  from: Place,
  { wanted, limit }: EventsRequest,
): Promise<EventsPage & { isFull: boolean }> {
  const told: Told[] = [];
  let after = from;
  for (let left = maxScanned; left > 0; ) {
    const rows = wanted.messageId !== null ? left : Math.min(left, wantsAll(wanted) ? limit : chunkRows);
    const request = { applicationId: application.id, after };
    const [page] =
      wanted.messageId === null
        ? await readPages(db, facts, [request], rows)
        : [await readMessagePage(db, facts, request, wanted.messageId, rows)];
    if (!page) throw new Error('a statement that returns one page returned none');
    if (after.txid > page.horizon.txid) throw staleCursor('cursor');
    for (const entry of page.entries) {
      const one = tell(entry);
      if (!one || !isWanted(one, wanted, application, clock.now())) continue;
      told.push(one);
      if (told.length === limit) return { told, next: one.place, isFull: true };
    }
    const last = page.entries.at(-1);
    if (!last || page.entries.length < rows) return { told, next: furthest(after, page.horizon), isFull: false };
    after = last.place;
    left -= rows;
  }
  return { told, next: after, isFull: true };
}
