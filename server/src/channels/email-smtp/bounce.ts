/**
 * What a report that came back means: which hand-over it is about, under our keyed hash, and the receipt that follows. Only
 * "failed" and "delivered" say something; relayed, expanded and delayed leave the hand-over as it is.
 */
import type { Ports, Receipt } from '../contract.ts';
import { undelivered } from '../outcome.ts';
import { parseDomain } from './address.ts';
import { type Answer, type CodeMap, meaningOf, nameOf } from './answers.ts';
import { type Handle, readMessageId, readToken } from './handle.ts';
import type { Report } from './report.ts';

/** What stands behind `b+` in an address of the bounce domain: '' for the bare `b`, null for any other mailbox. */
export function tokenOf(address: string, bounceDomain: string): string | null {
  const at = address.lastIndexOf('@');
  const domain = at < 0 ? null : parseDomain(address.slice(at + 1));
  if (domain === null || domain !== parseDomain(bounceDomain)) return null;
  return (
    /^b(?:\+([a-z0-9-]*))?$/i
      .exec(address.slice(0, at))
      ?.slice(1)
      .map((token) => token ?? '')[0] ?? null
  );
}

/** By the return path, then by the envelope id, then by the Message-ID of the returned headers; null for what we never sent. */
export function handleOf(sign: Ports['sign'], token: string, { envelopeId, messageId }: Report): Handle | null {
  return readToken(sign, token) ?? readToken(sign, envelopeId ?? '') ?? readMessageId(sign, messageId ?? '');
}

/** Null where the report leaves things as they are. */
export function receiptOf(report: Report, handle: Handle, codeMap: CodeMap | undefined): Receipt | null {
  if (report.action === 'delivered') return { ...handle, outcome: { kind: 'delivered' } };
  if (report.action !== 'failed') return null;
  const answer: Answer = { phase: 'report', code: report.code, status: report.status };
  const { reason, remedy } = meaningOf(answer, codeMap);
  const name = nameOf(answer) || 'no status';
  return { ...handle, outcome: undelivered(reason, `the mail came back (${name}): ${remedy}`) };
}
