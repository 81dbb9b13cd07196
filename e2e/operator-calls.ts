/** Calls of the operator, with confidential values in them: for the search of the logs. */
import assert from 'node:assert/strict';
import type { CallOptions, Reply } from './client.ts';

/** Calls `METHOD /path/{id}`, with the id filled in. */
export type Call = (
  operation: string,
  ids?: Record<string, string>,
  options?: CallOptions & { query?: string },
) => Promise<Reply>;

const good = async (reply: Promise<Reply>): Promise<Reply['body']> => {
  const { status, body } = await reply;
  assert.equal(status, 200, JSON.stringify(body));
  return body;
};

export async function managePrices(operator: Call): Promise<void> {
  const body = { channel: 'sms', country: 'SG', price_micros: 41_200 };
  const { id } = await good(operator('POST /admin/v1/prices', {}, { body }));
  await good(operator('GET /admin/v1/prices'));
  await good(operator('DELETE /admin/v1/prices/{price_id}', { price_id: id }));
  const query = '?channel=sms&provider=carrier&to=%2B6598120044';
  await operator('GET /admin/v1/price-lookup', {}, { query });
  const csv = 'provider,channel,country,price\n*,voice,SG,0.0412';
  await operator('POST /admin/v1/price-list', {}, { body: { csv, mode: 'merge' } });
  await operator('GET /admin/v1/price-list', {}, { query: '?format=json' });
  await operator('GET /admin/v1/usage', {}, { query: '?format=json' });
}

export async function manageMoney(operator: Call, key: Call, application_id: string): Promise<void> {
  await good(key('GET /v1/balance'));
  const { organization_id } = await good(operator('GET /admin/v1/applications/{application_id}', { application_id }));
  const balance = '/admin/v1/organizations/{organization_id}/balance';
  const of = { organization_id };
  await good(operator(`GET ${balance}`, of));
  await good(operator(`PATCH ${balance}`, of, { body: { threshold: '2' } }));
  const note = 'confidential-note';
  await good(operator(`POST ${balance}/top-ups`, of, { body: { amount: '5', key: 'confidential-invoice', note } }));
  await good(operator(`POST ${balance}/adjustments`, of, { body: { amount: '-5', note } }));
  await operator(`POST ${balance}/refunds`, of, { body: { charge_id: '1', note } });
  await good(operator(`GET ${balance}/entries`, of));
  const budgets = '/admin/v1/applications/{application_id}/budgets';
  const body = { scope: 'all', period: 'day', cap_micros: 1_000_000, enabled: false };
  const { id: budget_id } = await good(operator(`POST ${budgets}`, { application_id }, { body }));
  const budget = { application_id, budget_id };
  await good(operator(`GET ${budgets}`, budget));
  await good(operator(`GET ${budgets}/{budget_id}`, budget));
  await good(operator(`PATCH ${budgets}/{budget_id}`, budget, { body: { cap_micros: 2_000_000 } }));
  await good(operator(`DELETE ${budgets}/{budget_id}`, budget));
}

export async function manageHook(operator: Call, application_id: string): Promise<void> {
  const hook = '/admin/v1/applications/{application_id}/pre-send-hook';
  const of = { application_id };
  const body = {
    url: 'https://localhost/confidential-path?token=confidential-query',
    authorization: 'Bearer confidential-hook',
    enabled: false,
  };
  await good(operator(`PUT ${hook}`, of, { body }));
  await good(operator(`GET ${hook}`, of));
  await good(operator(`POST ${hook}/rotate`, of));
  await good(operator(`POST ${hook}/test`, of));
  await good(operator(`DELETE ${hook}`, of));
}

export async function manageRules(operator: Call, key: Call, application_id: string): Promise<void> {
  const rules = '/admin/v1/applications/{application_id}/fraud-rules';
  const of = { application_id };
  await good(operator('GET /admin/v1/fraud-facts'));
  await good(operator(`GET ${rules}`, of));
  await good(operator(`PUT ${rules}`, of, { body: { rules: [], author: 'confidential-author' } }));
  await good(operator(`DELETE ${rules}`, of));
  await good(operator(`GET ${rules}/versions`, of));
  await good(operator(`GET ${rules}/report`, of));
  await good(operator(`POST ${rules}/back-test`, of, { body: { days: 1 } }));
  await good(operator('GET /admin/v1/fraud-blocks'));
  await operator('POST /admin/v1/fraud-blocks/{block_id}/lift', { block_id: '999999999' }, { body: {} });
  await good(key('GET /v1/refusals'));
  await good(key('GET /v1/number-lookup', {}, { query: '?number=%2B6598120044' }));
  await good(key('GET /v1/callbacks'));
  const replay = { endpoint_id: '1', since: '2026-01-01T00:00:00Z' };
  await key('POST /v1/callback-replays', {}, { body: replay });
  await good(operator('GET /admin/v1/refusals', {}, { query: `?application_id=${application_id}` }));
}

export async function manageApprovals(operator: Call): Promise<void> {
  await good(operator('GET /admin/v1/approvals'));
  const nobody = { approval_id: '1' };
  const body = { note: 'confidential-note' };
  for (const verb of ['approve', 'refuse'])
    assert.equal((await operator(`POST /admin/v1/approvals/{approval_id}/${verb}`, nobody, { body })).status, 404);
}

export async function manageOptOuts(operator: Call, application_id: string): Promise<void> {
  const all = '/admin/v1/applications/{application_id}/opt-outs';
  const target = { application_id, target: '+6598120099' };
  assert.equal((await operator(`POST ${all}`, target, { body: { target: target.target } })).status, 200);
  await operator(`GET ${all}`, target);
  await operator(`GET ${all}/{target}`, target);
  assert.equal((await operator(`DELETE ${all}/{target}`, target)).status, 200);
}

export async function manageLists(operator: Call, application_id: string): Promise<void> {
  const value = '+6598120098';
  const body = { kind: 'block', type: 'number', value, reason: 'confidential-reason', author: 'confidential-author' };
  const made = await operator('POST /admin/v1/lists', {}, { body });
  assert.equal(made.status, 200, JSON.stringify(made.body));
  await operator('GET /admin/v1/lists', {}, { query: `?value=${encodeURIComponent(value)}` });
  await operator('GET /admin/v1/lists/{entry_id}', { entry_id: made.body.id });
  const allowance = { application_id, target: value, seconds: 3600, reason: 'confidential-reason' };
  assert.equal((await operator('POST /admin/v1/allowances', {}, { body: allowance })).status, 200);
  assert.equal((await operator('DELETE /admin/v1/lists/{entry_id}', { entry_id: made.body.id })).status, 200);
}

export async function manageAlerts(operator: Call, application_id: string): Promise<void> {
  const notify = { telegram: { bot_token: '123456789:confidential-token-of-the-bot-1234', chat_id: '42' } };
  const body = { application_id, kind: 'verification_rate', threshold: 50, notify };
  const made = await operator('POST /admin/v1/alert-rules', {}, { body });
  assert.equal(made.status, 200, JSON.stringify(made.body));
  const rule = { rule_id: made.body.id };
  await operator('GET /admin/v1/alert-rules');
  await operator('GET /admin/v1/alert-rules/{rule_id}', rule);
  await operator('PATCH /admin/v1/alert-rules/{rule_id}', rule, { body: { threshold: 40 } });
  await operator('POST /admin/v1/alert-rules/{rule_id}/test', rule, { body: {} });
  await operator('GET /admin/v1/alerts');
  assert.equal((await operator('DELETE /admin/v1/alert-rules/{rule_id}', rule)).status, 200);
}
