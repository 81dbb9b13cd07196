/**
 * Requests that are meant to be refused, and what is remembered of their refusals: which codes, reasons and statuses of the table of errors
 * were provoked.
 */
import assert from 'node:assert/strict';
import { type ErrorCode, errorTable, type Reason, reasons } from '../errors.ts';
import type { TestApp, TestCall, TestReply } from './app.ts';

export function createProvoker(get: () => TestApp) {
  const codes = new Set<number>();
  const slugs = new Set<string>();
  const statuses = new Set<string>();
  let count = 0;
  const number = (): string => `+65912${String(++count).padStart(5, '0')}`;

  async function template(template_id: string, body: object, more: Partial<TestCall> = {}): Promise<TestReply> {
    return get().call({ path: '/v1/template-configs', body: { template_id, ...body }, ...more });
  }

  const send = (body: object = {}, more: Partial<TestCall> = {}): Promise<TestReply> =>
    get().call({ path: '/v1/messages', body: { to: number(), template: { id: 'login' }, ...body }, ...more });

  async function sent(body: object = {}, more: Partial<TestCall> = {}): Promise<string> {
    const reply = await send(body, more);
    assert.equal(reply.status, 200, JSON.stringify(reply.body));
    return reply.body.message_id;
  }

  const act = (id: string, action: string, body: object = {}, more: Partial<TestCall> = {}): Promise<TestReply> =>
    get().call({ path: `/v1/messages/${id}/${action}`, body, ...more });

  /** The reply is the contract's error, and is noted as provoked. */
  function is(reply: TestReply, status: number, code: ErrorCode, message: string, reason?: Reason): void {
    const { body, headers } = reply;
    const seen = [reply.status, body.code, body.message, body.reason];
    assert.deepEqual(seen, [status, code, message, reason], JSON.stringify(body));
    assert.equal(body.request_id, headers['x-request-id']);
    assert.ok(String(body.docs_url).endsWith(`/docs/errors/${code}`));
    if (code === 3004) {
      assert.equal(String(body.details.retry_after), headers['retry-after']);
      assert.ok(Number.isInteger(body.details.retry_after) && body.details.retry_after >= 1);
    }
    codes.add(code);
    statuses.add(`${status}/${code}`);
    if (reason) slugs.add(reason);
  }

  const refused = async (work: () => Promise<TestReply>): Promise<TestReply> => get().expectNothingHappened(work);

  /** Of the table of errors, what none of the refusals was. */
  function unprovoked(): string[] {
    const missing = (all: readonly string[], seen: Set<string>): string[] => all.filter((one) => !seen.has(one));
    const others = Object.entries(errorTable).flatMap(([code, entry]) =>
      ('otherStatuses' in entry ? entry.otherStatuses : []).map((status) => `${status}/${code}`),
    );
    return [
      ...missing(Object.keys(errorTable), new Set([...codes].map(String))),
      ...missing(Object.keys(reasons), slugs),
      ...missing(others, statuses),
    ];
  }

  return { number, template, send, sent, act, is, refused, codes, unprovoked };
}
