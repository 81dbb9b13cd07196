/**
 * What the tests of the whole product must be able to do with a vendor, whichever it is: let it take, refuse, throttle or leave
 * without an answer what goes to one address, and have it report. One object per adapter; the differences are data and comments.
 */
import type { Channel } from '../../contract.ts';

/** Further reports of the same hand-over may contradict each other: that is the disorder under test. */
export type ReportKind = 'delivered' | 'failed';

export interface Vendor {
  adapter: string;
  channel: Channel;
  settings: object;
  /** Values of the settings that must never be logged. */
  secrets: readonly string[];
  /** First digits of the numbers its route serves; none where it serves the channel alone. */
  prefix?: string;
  /** Sent to instead where it fails: channel and adapter. */
  next: { channel: Channel; adapter: string };
  /** An address nobody has used; where `next` needs another one, it is in `more`. */
  newAddress(): { to: string; more?: object };
  accept(to: string): void;
  refuse(to: string): void;
  throttle(to: string): void;
  hang(to: string): void;
  /** What customers see of `refuse`, a detail with the vendor's own code, and whether it takes the provider out of use. */
  refusal: { errorCode: number; detail: RegExp; state: 'failed' | 'invalid'; shuts?: true };
  throttled: { detail: RegExp; waitSeconds: number };
  /** What `report(…, 'failed')` means to customers; what it says of the vendor's code. */
  failure: { errorCode: number; detail: RegExp };
  /** After its report of a failure the vendor cannot report a delivery any more. */
  failureIsFinal?: true;
  /** The vendor's ids of what it has taken for this address, oldest first. */
  taken(to: string): string[];
  /** Reports on the newest hand-over to this address; rejects when the product does not take the webhook. */
  report(to: string, kind: ReportKind, hookUrl: string): Promise<void>;
  close(): Promise<void>;
}

let addresses = 0;
/** The prefix with a number behind it that is used once. */
export const numberBehind = (prefix: string): string => `+${prefix}${String(++addresses).padStart(6, '0')}`;

export function lastOf<T>(all: readonly T[]): T {
  const last = all.at(-1);
  if (last === undefined) throw new Error('nothing was taken');
  return last;
}
