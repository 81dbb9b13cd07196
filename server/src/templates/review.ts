/** A person's verdict on a revision. Approved: it serves sends at once, unless a higher one does. Rejected: it never does. */
import { isId } from '../platform/ids.ts';
import { isTemplateId } from './body.ts';
import type { Finding } from './finding.ts';
import { lint } from './lint.ts';
import { forgetting, missing, type Ports, reviewEvent } from './save.ts';
import { listByStatus, type ReviewedRow, reviewRevision, type Status, type TemplateRow } from './store.ts';

export interface Verdict {
  approved: boolean;
  remark?: string;
  /** Without it, the newest. */
  revision?: number;
}

export interface Reviewed {
  revision: number;
  status: 2 | 3;
  liveRevision: number | null;
}

/**
 * A verdict may be changed later; rejecting the serving revision makes the approved one before it serve. Missing: 404/4001, as for
 * everything that the operator names.
 */
export async function reviewTemplate(
  { lookup, guarded }: Ports,
  applicationId: string,
  templateId: string,
  { approved, remark = '', revision }: Verdict,
): Promise<Reviewed> {
  if (!isId(applicationId) || !isTemplateId(templateId)) throw missing(404);
  const status = approved ? 2 : 3;
  const events = [reviewEvent(applicationId, templateId, status, remark)];
  const review = { applicationId, templateId, revision: revision ?? null, status, remark, events } as const;
  const row: ReviewedRow | null = await forgetting(
    lookup,
    review,
    guarded(applicationId, (tx) => reviewRevision(tx, review)),
  );
  if (!row) throw missing(404);
  return { revision: row.revision, status, liveRevision: row.live_revision };
}

export interface Waiting {
  row: TemplateRow;
  findings: Finding[];
}

/**
 * Templates of all applications whose newest revision has the status, longest waiting first. The names of the applications are
 * another room's: lint takes them as empty.
 */
export async function listForReview({ db }: Ports, status: Status, limit: number): Promise<Waiting[]> {
  const rows = await listByStatus(db, status, limit);
  return rows.map((row) => ({ row, findings: lint(row.body, { applicationName: '' }) }));
}
