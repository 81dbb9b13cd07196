/** What every operation is asked with in `every-operation.test.ts`: one row each. */
import type { Permission } from '../policy.ts';
import { operatorToken, type TestCall } from './app.ts';

interface Row {
  /** A body that works; made anew for each call where it may work once. */
  body?: (n: number) => unknown;
  /** What the schema refuses; absent where nothing can be wrong. */
  invalid?: Partial<TestCall>;
  query?: string;
  /** Status and code for an object of another application or, with the operator, an unknown one. */
  foreign?: [status: number, code: number];
  permission?: Permission | 'any';
  /** Why the good request of an ordinary application is refused. */
  refused?: [status: number, code: number];
}

const codeConfig = { verify_code_type: 1, verify_code_len: 6, verify_code_ttl: 5 };
export const sms = {
  send_channel_strategy: 'sms',
  verify_code_config: codeConfig,
  sms_config: { template_type: 1, template_default_config: {} },
};
export const chain = { ...sms, send_channel_strategy: 'sms|voice', voice_config: sms.sms_config };
export const numberOf = (n: number): string => `+65913${String(n).padStart(5, '0')}`;
const notFound: [number, number] = [400, 4001];
const unknown: [number, number] = [404, 4001];
export const providerBody = (n: number) => ({
  id: `carrier-${n}`,
  adapter: 'sms-vonage',
  title: 'Carrier',
  settings: { api_key: 'abcd1234', api_secret: 'secret', from: 'Acme', api_url: 'https://127.0.0.1' },
});
export const routeBody = (n: number) => ({
  channel: 'sms',
  prefix: `65${n}`,
  entries: [{ provider: 'carrier-of-routes', priority: 1, price_micros: 41_200 }],
});
export const alertBody = (application_id: string) => ({
  kind: 'balance',
  application_id,
  threshold: 2,
  notify: { callback: true },
});
export const budgetBody = { scope: { country: 'SG' }, period: 'day', cap_micros: 50_000_000, enabled: false };
export const listBody = (n: number) => ({ kind: 'block', type: 'number', value: numberOf(n), reason: 'fraud' });
export const allowance = (application_id: string) => ({
  application_id,
  target: '+6591399999',
  seconds: 60,
  reason: 'support',
});
export const priceBody = (n: number) => ({ channel: 'sms', prefix: `6593${n}`, price_micros: 41_200 });
const priceList = 'provider,channel,country,price\n*,voice,SG,0.0412';
const badBody = {
  body: { to: 5, template_id: 5, message_id: 5, channel: 5, language: 5, name: 5, channels: 5, url: 5 },
};

export const rows: Record<string, Row> = {
  sendOtp: {
    permission: 'send',
    invalid: badBody,
    body: (n) => ({ to: numberOf(n), template: { id: 'mine' } }),
    foreign: notFound,
  },
  sendCustomCode: {
    permission: 'send',
    invalid: badBody,
    body: (n) => ({ to: numberOf(n), code: '4829', template: { id: 'mine' } }),
    foreign: notFound,
  },
  sendCustomMessage: {
    permission: 'send',
    invalid: badBody,
    body: (n) => ({ to: numberOf(n), template: { id: 'mine', params: { code: '4829' } } }),
    foreign: notFound,
  },
  verifyOtp: { permission: 'verify', invalid: badBody, foreign: notFound },
  getMessage: { permission: 'read', foreign: notFound },
  lookupNumber: { permission: 'read', query: '?number=%2B6591300000', invalid: { path: '/v1/number-lookup' } },
  listMessages: { permission: 'read', invalid: { path: '/v1/messages?limit=0' } },
  listRefusals: { permission: 'read', invalid: { path: '/v1/refusals?limit=0' } },
  listRefusalsOfApplication: { invalid: { path: '/admin/v1/refusals' } },
  listCallbacks: { permission: 'callbacks:read', invalid: { path: '/v1/callbacks?limit=0' } },
  // Another application's endpoint, as an unknown one.
  replayCallback: {
    permission: 'callbacks:write',
    invalid: { body: { since: '2026-01-01T00:00:00Z' } },
    foreign: notFound,
  },
  listEvents: { permission: 'read', invalid: { path: '/v1/events?limit=0' } },
  getInsights: { permission: 'read', invalid: { path: '/v1/insights?group_by=planet' } },
  resendOtp: { permission: 'send', invalid: badBody, body: () => ({}), foreign: notFound },
  nextChannel: { permission: 'send', body: () => ({}), foreign: notFound },
  cancelMessage: { permission: 'send', body: () => ({}), foreign: notFound },
  createTemplate: { permission: 'templates', invalid: badBody, body: (n) => ({ template_id: `made_${n}`, ...sms }) },
  listTemplates: { permission: 'any' },
  getTemplate: { permission: 'any', foreign: notFound },
  updateTemplate: { permission: 'templates', invalid: badBody, body: () => chain, foreign: notFound },
  deleteTemplate: { permission: 'templates', foreign: notFound },
  previewTemplate: { permission: 'templates', invalid: badBody, body: () => ({ language: 'es' }), foreign: notFound },
  listSandboxMessages: { permission: 'read', query: '?to=%2B6591300000', invalid: { path: '/v1/sandbox/messages' } },
  setSandboxWebhook: { permission: 'any', invalid: badBody, body: () => ({ url: null }), refused: [403, 2004] },
  getSandboxRecipient: { permission: 'read', invalid: { path: '/v1/sandbox/recipients/a@b' } },
  setSandboxRecipient: { permission: 'send', invalid: badBody, body: () => ({ channels: { sms: { lost: true } } }) },
  deleteSandboxRecipient: { permission: 'send', invalid: { path: '/v1/sandbox/recipients/a@b' } },
  createSession: { invalid: badBody, body: () => ({ token: operatorToken }) },
  // The operator token is no session.
  deleteSession: { refused: [404, 4001] },
  createOrganization: { invalid: badBody, body: () => ({ name: 'Acme' }) },
  listOrganizations: { invalid: { path: '/admin/v1/organizations?limit=x' } },
  getOrganization: { foreign: unknown },
  updateOrganization: { invalid: badBody, body: () => ({ name: 'Acme again' }), foreign: unknown },
  createApplication: { invalid: badBody, body: () => ({ name: 'Shop' }), foreign: unknown },
  listApplications: { foreign: unknown },
  getApplication: { foreign: unknown },
  updateApplication: { invalid: badBody, body: () => ({ name: 'Shop' }), foreign: unknown },
  getPolicy: { foreign: unknown },
  getGuessProbability: { foreign: unknown },
  replacePolicy: {
    invalid: { body: { max_attempts: 99 } },
    body: () => ({ template_review: 'auto', request_rate: 100_000 }),
    foreign: unknown,
  },
  changePolicy: { invalid: { body: { max_attempts: 99 } }, body: () => ({ max_attempts: 5 }), foreign: unknown },
  createApiKey: { invalid: { body: { permissions: [] } }, body: () => ({ description: 'CI' }), foreign: unknown },
  listApiKeys: { foreign: unknown },
  createSandboxKey: { invalid: badBody, body: () => ({}), foreign: unknown },
  getApiKey: { foreign: unknown },
  updateApiKey: { invalid: { body: { enabled: 'yes' } }, body: () => ({ description: 'CI' }), foreign: unknown },
  rotateApiKeySecret: { foreign: unknown },
  deleteApiKey: { foreign: unknown },
  listApprovals: { invalid: { path: '/admin/v1/approvals?state=odd' } },
  approveAgentKey: { invalid: { body: { note: 5 } }, body: () => ({ note: 'known' }), foreign: unknown },
  refuseAgentKey: { invalid: { body: { note: 5 } }, body: () => ({}), foreign: unknown },
  listTemplatesForReview: { invalid: { path: '/admin/v1/templates?status=odd' } },
  reviewTemplate: { invalid: badBody, body: () => ({ approved: true }), foreign: unknown },
  listOptOuts: { invalid: { path: '/admin/v1/applications/1/opt-outs?limit=0' }, foreign: unknown },
  addOptOut: { invalid: badBody, body: (n) => ({ target: numberOf(n) }), foreign: unknown },
  getOptOut: { foreign: unknown },
  removeOptOut: { foreign: unknown },
  createListEntry: { invalid: badBody, body: (n) => listBody(90_000 + n) },
  allowTarget: { invalid: badBody },
  listListEntries: { invalid: { path: '/admin/v1/lists?kind=odd' } },
  getListEntry: { foreign: unknown },
  deleteListEntry: { foreign: unknown },
  getBalance: { permission: 'read' },
  getOrganizationBalance: { foreign: unknown },
  changeOrganizationBalance: {
    invalid: { body: { mode: 'odd' } },
    body: () => ({ threshold: '2' }),
    foreign: unknown,
  },
  topUpBalance: { invalid: { body: { amount: '1.2345678' } }, body: () => ({ amount: '12.50' }), foreign: unknown },
  adjustBalance: {
    invalid: { body: { amount: 0, note: 'none' } },
    body: () => ({ amount: '-1', note: 'booked twice' }),
    foreign: unknown,
  },
  // No charge is known by that id.
  refundCharge: { invalid: badBody, body: () => ({ charge_id: '1' }), refused: [404, 4001], foreign: unknown },
  listBalanceEntries: { query: '?limit=5', foreign: unknown },
  createBudget: { invalid: { body: { cap_micros: -1 } }, body: () => budgetBody, foreign: unknown },
  listBudgets: { foreign: unknown },
  getBudget: { foreign: unknown },
  updateBudget: { invalid: { body: { cap_micros: 'x' } }, body: () => ({ cap_micros: 7 }), foreign: unknown },
  deleteBudget: { foreign: unknown },
  listAdapters: {},
  createProvider: { invalid: badBody, body: (n) => providerBody(n) },
  listProviders: {},
  getProvider: { foreign: unknown },
  updateProvider: { invalid: { body: { title: 5 } }, body: () => ({ title: 'Carrier again' }), foreign: unknown },
  deleteProvider: { foreign: unknown },
  testProvider: { invalid: badBody, body: (n) => ({ to: numberOf(n) }), foreign: unknown },
  syncTemplates: { refused: [400, 3002], foreign: unknown },
  getProviderHealth: { foreign: unknown },
  listProviderHealth: {},
  drainProvider: { invalid: { body: { seconds: 'long' } }, body: () => ({ seconds: 60 }), foreign: unknown },
  resetProviderCircuit: { foreign: unknown },
  createRoute: { invalid: badBody, body: (n) => routeBody(n) },
  listRoutes: {},
  getRoute: { foreign: unknown },
  updateRoute: { invalid: { body: { note: 5 } }, body: () => ({ note: 'again' }), foreign: unknown },
  deleteRoute: { foreign: unknown },
  resolveRoute: { invalid: badBody, body: (n) => ({ channel: 'sms', to: numberOf(n) }) },
  setPrice: { invalid: { body: { channel: 'fax' } }, body: (n) => priceBody(n) },
  listPrices: { invalid: { path: '/admin/v1/prices?limit=0' } },
  deletePrice: { foreign: unknown },
  lookUpPrice: {
    query: '?provider=carrier-of-routes&channel=sms&to=%2B6591300000',
    invalid: { path: '/admin/v1/price-lookup?provider=x&channel=sms&to=5' },
  },
  importPrices: { invalid: { body: { csv: 'provider,channel' } }, body: () => ({ csv: priceList }) },
  exportPrices: {},
  getUsage: { invalid: { path: '/admin/v1/usage?format=pdf' } },
  createCallbackEndpoint: { invalid: badBody, body: () => ({ url: 'https://localhost/hook' }), foreign: unknown },
  listCallbackEndpoints: { foreign: unknown },
  getCallbackEndpoint: { foreign: unknown },
  updateCallbackEndpoint: { invalid: badBody, body: () => ({ description: 'again' }), foreign: unknown },
  deleteCallbackEndpoint: { foreign: unknown },
  probeCallbackEndpoint: { foreign: unknown },
  sendTestEvent: { invalid: { body: { event: 'nothing' } }, body: () => ({ event: 'sent' }), foreign: unknown },
  rotateCallbackSecret: { foreign: unknown },
  listCallbackDeliveries: { query: '?state=given_up', foreign: unknown },
  listCallbackAttempts: { query: '?outcome=retry', foreign: unknown },
  replayCallbacks: { invalid: { body: {} }, body: () => ({ message_id: '2072832692843466759' }), foreign: unknown },
  getPreSendHook: { foreign: unknown },
  setPreSendHook: { invalid: badBody, body: () => ({ url: 'https://localhost/ask' }), foreign: unknown },
  deletePreSendHook: { foreign: unknown },
  rotatePreSendSecret: { foreign: unknown },
  testPreSendHook: { foreign: unknown },
  createAlertRule: { invalid: { body: { kind: 'odd' } } },
  listAlertRules: { invalid: { path: '/admin/v1/alert-rules?limit=0' } },
  getAlertRule: { foreign: unknown },
  updateAlertRule: { invalid: { body: { threshold: 'x' } }, body: () => ({ threshold: 5 }), foreign: unknown },
  deleteAlertRule: { foreign: unknown },
  testAlertRule: { foreign: unknown },
  listAlerts: { invalid: { path: '/admin/v1/alerts?kind=odd' } },
  listFraudFacts: {},
  getFraudRules: { foreign: unknown },
  replaceFraudRules: { invalid: { body: { rules: 5 } }, body: () => ({ rules: [] }), foreign: unknown },
  resetFraudRules: { foreign: unknown },
  listFraudRuleVersions: { foreign: unknown },
  getFraudReport: { foreign: unknown },
  backTestFraudRules: { invalid: { body: { days: 31 } }, body: () => ({ days: 1 }), foreign: unknown },
  listFraudBlocks: { invalid: { path: '/admin/v1/fraud-blocks?active=odd' } },
  liftFraudBlock: { body: () => ({}), foreign: unknown },
  getHealth: {},
  getReadiness: {},
  getOpenApi: {},
};
