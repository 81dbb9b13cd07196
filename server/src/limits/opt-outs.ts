/** Opt-outs as other rooms see them: people an application may not write to. What is said here holds for the next send. */

/** Who said so: the person, the operator, or an upstream. */
export type OptOutSource = 'uplink' | 'operator' | 'upstream';

export interface OptOut {
  /** The normalised address. */
  target: string;
  source: OptOutSource;
  /** The word the person wrote. */
  keyword: string | null;
  createdAt: Date;
  /** Grows with time. */
  number: string;
}

export interface NewOptOut {
  applicationId: string;
  target: string;
  source: OptOutSource;
  keyword: string | null;
}

/** A stretch of the list, newest first: at most `limit` with a number below `before`. */
export interface OptOutPage {
  limit: number;
  before: string | null;
}
