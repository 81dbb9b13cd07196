/** The operations that the Node client has a method for, as the line that calls it. The others are called with fetch. */

type Body = Record<string, unknown>;
type Ids = Readonly<Record<string, string>>;

const text = (value: unknown): string => {
  if (typeof value === 'string')
    return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(text).join(', ')}]`;
  const members = Object.entries(value).map(
    ([key, one]) => `${/^[a-z_]\w*$/i.test(key) ? key : text(key)}: ${text(one)}`,
  );
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
};

interface TemplateOf {
  id: string;
  language?: string;
  params?: Body;
}

const templateOf = (body: Body): TemplateOf => body['template'] as TemplateOf;
const tail = (body: Body): string => {
  const { id, params = {}, language } = templateOf(body);
  return `${text(id)}, ${text(params)}${language === undefined ? '' : `, ${text(language)}`}`;
};

const calls: Readonly<Record<string, (body: Body, ids: Ids) => string>> = {
  sendOtp: (body) => `send(${text(body['to'])}, ${tail(body)})`,
  sendCustomCode: (body) => `sendCode(${text(body['to'])}, ${text(body['code'])}, ${tail(body)})`,
  sendCustomMessage: (body) =>
    `sendCustom(${text(body['to'])}, ${text(templateOf(body).id)}, ${text(templateOf(body).params ?? {})})`,
  verifyOtp: (body) => `verify(${text(body['message_id'])}, ${text(body['verify_code'])})`,
  listMessages: () => "messages.list({ status: 'delivered' })",
  getMessage: (_body, ids) => `messages.get(${text(ids['message_id'])})`,
  resendOtp: (_body, ids) => `messages.resend(${text(ids['message_id'])})`,
  nextChannel: (_body, ids) => `messages.nextChannel(${text(ids['message_id'])})`,
  cancelMessage: (_body, ids) => `messages.cancel(${text(ids['message_id'])})`,
  listTemplates: () => 'templates.list()',
  getTemplate: (_body, ids) => `templates.get(${text(ids['template_id'])})`,
  createTemplate: (body) => `templates.create(${text(body)})`,
  updateTemplate: (body, ids) => `templates.update(${text(ids['template_id'])}, ${text(body)})`,
  deleteTemplate: (_body, ids) => `templates.delete(${text(ids['template_id'])})`,
  previewTemplate: (body, ids) => `templates.preview(${text(ids['template_id'])}, ${text(body)})`,
  listSandboxMessages: (_body, ids) => `sandbox.messages({ to: ${text(ids['to'])} })`,
  setSandboxWebhook: (body) => `sandbox.setWebhook(${text(body)})`,
  getInsights: () => "insights({ groupBy: ['country', 'channel'] })",
  getBalance: () => 'balance()',
};

/** The whole program, or undefined where the client has no method for the operation. */
export function sdkCall(operationId: string, body: unknown, ids: Ids): string | undefined {
  const call = calls[operationId];
  if (!call) return undefined;
  const line = call((body ?? {}) as Body, ids);
  return `import { OTPClient } from 'engagelab-otp';\n\nconst otp = new OTPClient();\nconsole.log(await otp.${line});`;
}
