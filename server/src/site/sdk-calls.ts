/** The operations that the clients have a method for, as the program that calls it. The others are called with what the language brings. */

type Body = Record<string, unknown>;
type Ids = Readonly<Record<string, string>>;

/** As Node names them; Python writes the same names with underscores. */
interface Call {
  method: string;
  args?: readonly unknown[];
  named?: Body;
}

interface TemplateOf {
  id: string;
  language?: string;
  params?: Body;
}

const templateOf = (body: Body): TemplateOf => body['template'] as TemplateOf;
const tail = (body: Body): unknown[] => {
  const { id, params = {}, language } = templateOf(body);
  return [id, params, ...(language === undefined ? [] : [language])];
};

const calls: Readonly<Record<string, (body: Body, ids: Ids) => Call>> = {
  sendOtp: (body) => ({ method: 'send', args: [body['to'], ...tail(body)] }),
  sendCustomCode: (body) => ({ method: 'sendCode', args: [body['to'], body['code'], ...tail(body)] }),
  sendCustomMessage: (body) => ({
    method: 'sendCustom',
    args: [body['to'], templateOf(body).id, templateOf(body).params ?? {}],
  }),
  verifyOtp: (body) => ({ method: 'verify', args: [body['message_id'], body['verify_code']] }),
  listMessages: () => ({ method: 'messages.list', named: { status: 'delivered' } }),
  getMessage: (_body, ids) => ({ method: 'messages.get', args: [ids['message_id']] }),
  resendOtp: (_body, ids) => ({ method: 'messages.resend', args: [ids['message_id']] }),
  nextChannel: (_body, ids) => ({ method: 'messages.nextChannel', args: [ids['message_id']] }),
  cancelMessage: (_body, ids) => ({ method: 'messages.cancel', args: [ids['message_id']] }),
  listTemplates: () => ({ method: 'templates.list' }),
  getTemplate: (_body, ids) => ({ method: 'templates.get', args: [ids['template_id']] }),
  createTemplate: (body) => ({ method: 'templates.create', args: [body] }),
  updateTemplate: (body, ids) => ({ method: 'templates.update', args: [ids['template_id'], body] }),
  deleteTemplate: (_body, ids) => ({ method: 'templates.delete', args: [ids['template_id']] }),
  previewTemplate: (body, ids) => ({ method: 'templates.preview', args: [ids['template_id'], body] }),
  listSandboxMessages: (_body, ids) => ({ method: 'sandbox.messages', named: { to: ids['to'] } }),
  setSandboxWebhook: (body) => ({ method: 'sandbox.setWebhook', args: [body] }),
  getInsights: () => ({ method: 'insights', named: { groupBy: ['country', 'channel'] } }),
  getBalance: () => ({ method: 'balance' }),
};

/** A program for Node; undefined where the clients have no method for the operation. */
export function nodeSdkCall(operationId: string, body: unknown, ids: Ids): string | undefined {
  const call = calls[operationId]?.((body ?? {}) as Body, ids);
  if (!call) return undefined;
  const args = [...(call.args ?? []), ...(call.named ? [call.named] : [])].map(nodeText).join(', ');
  return `import { OTPClient } from 'engagelab-otp';\n\nconst otp = new OTPClient();\nconsole.log(await otp.${call.method}(${args}));`;
}

/** The same for Python; `text` writes a value. */
export function pythonSdkCall(
  operationId: string,
  body: unknown,
  ids: Ids,
  text: (value: unknown) => string,
): string | undefined {
  const call = calls[operationId]?.((body ?? {}) as Body, ids);
  if (!call) return undefined;
  const named = Object.entries(call.named ?? {}).map(([key, value]) => `${withUnderscores(key)}=${text(value)}`);
  const args = [...(call.args ?? []).map((one) => text(one)), ...named].join(', ');
  return `from engagelab_otp import OTPClient\n\notp = OTPClient()\nprint(otp.${withUnderscores(call.method)}(${args}))`;
}

const withUnderscores = (name: string): string => name.replaceAll(/[A-Z]/g, (sign) => `_${sign.toLowerCase()}`);

function nodeText(value: unknown): string {
  if (typeof value === 'string')
    return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(nodeText).join(', ')}]`;
  const members = Object.entries(value).map(
    ([key, one]) => `${/^[a-z_]\w*$/i.test(key) ? key : nodeText(key)}: ${nodeText(one)}`,
  );
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}
