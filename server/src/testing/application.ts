/**
 * Applications of their own for tests: a policy, templates and a key, made through the operator's operations, so that tests over one
 * app do not meet. Also what tests say again and again: send, read the handset, verify, act, be refused.
 */
import assert from 'node:assert/strict';
import type { TestApp, TestCall, TestReply } from './app.ts';

export type TestApplication = Awaited<ReturnType<typeof openApplication>>;

interface Settings {
  policy?: Record<string, unknown>;
  network?: 'virtual' | 'live';
  /** Bodies laid over `loginTemplate`. */
  templates?: readonly Record<string, unknown>[];
}

const builtIn = { template_type: 1, template_default_config: { contain_security: false, contain_expire: true } };

/** Approved on creation; sms, six digits, five minutes. */
export const loginTemplate = {
  template_id: 'login',
  send_channel_strategy: 'sms',
  brand_name: 'Acme',
  verify_code_config: { verify_code_type: 1, verify_code_len: 6, verify_code_ttl: 5 },
  sms_config: builtIn,
  whatsapp_config: builtIn,
  voice_config: builtIn,
  email_config: { template_name: 'mail', template_custom_configs: [] },
};

let numbers = 0;
/** A phone number no other test of this process has. */
export const newNumber = (): string => `+659${String(1_000_000 + ++numbers)}`;

export const wrongFor = (code: string): string => (code === '000000' ? '000001' : '000000');

export function assertRefused(reply: TestReply, code: number, reason: string, status = 400): void {
  assert.deepEqual([reply.status, reply.body.code, reply.body.reason], [status, code, reason], JSON.stringify(reply));
}

/** The body of a 200. */
export function bodyOf(reply: TestReply) {
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
  return reply.body;
}

export async function openApplication(
  box: TestApp,
  { policy = {}, network = 'virtual', templates = [{}] }: Settings = {},
) {
  const operate = async (path: string, body: unknown) =>
    bodyOf(await box.operator({ path: `/admin/v1/${path}`, body, method: 'POST' }));
  const { id: organization } = await operate('organizations', { name: 'Tests' });
  const application = await operate(`organizations/${organization}/applications`, {
    name: 'Acme',
    // Tests of other things send as much as they like.
    policy: { template_review: 'auto', ...(network === 'live' && { limits: [] }), ...policy },
  });
  const key = await operate(`applications/${application.id}/api-keys`, {});
  const opened = useApplication(box, application.id, `${key.dev_key}:${key.dev_secret}`);
  for (const template of templates) await opened.addTemplate(template);
  // Templates first: a live application takes none that no provider serves.
  if (network === 'live')
    bodyOf(
      await box.operator({ path: `/admin/v1/applications/${application.id}`, body: { network }, method: 'PATCH' }),
    );
  return opened;
}

/** The same words over a credential that exists. */
export function useApplication(box: TestApp, id: string, credential: string) {
  const call = (request: TestCall): Promise<TestReply> => box.call({ credential, ...request });

  const send = (to: string, more: Record<string, unknown> = {}): Promise<TestReply> =>
    call({ path: '/v1/messages', body: { to, template: { id: 'login' }, ...more } });

  async function inbox(to: string): Promise<{ message_id: string; code: string; text: string; channel: string }[]> {
    await box.app.delivery.runUntilIdle();
    return bodyOf(await call({ path: `/v1/sandbox/messages?to=${encodeURIComponent(to)}&limit=100` })).messages;
  }

  /** What the handset shows last, of one message or of all. */
  async function codeAt(to: string, messageId?: string): Promise<string> {
    const found = (await inbox(to)).find((message) => !messageId || message.message_id === messageId);
    return found?.code ?? '';
  }

  return {
    id,
    credential,
    call,
    send,
    inbox,
    codeAt,
    async addTemplate(body: Record<string, unknown>) {
      bodyOf(await call({ path: '/v1/template-configs', body: { ...loginTemplate, ...body } }));
    },
    /** Sends a code that must be accepted; its id, expiry and what the handset shows. */
    async sendCode(to: string, more: Record<string, unknown> = {}) {
      const { message_id: messageId, expires_at: expiresAt } = bodyOf(await send(to, more));
      return { messageId: String(messageId), expiresAt: String(expiresAt), code: await codeAt(to, messageId) };
    },
    verify: (messageId: string, code: string, more: Record<string, unknown> = {}): Promise<TestReply> =>
      call({ path: '/v1/verifications', body: { message_id: messageId, verify_code: code, ...more } }),
    act: (messageId: string, action: 'resend' | 'next-channel' | 'cancel', body?: unknown): Promise<TestReply> =>
      call({ path: `/v1/messages/${messageId}/${action}`, method: 'POST', body }),
    story: async (messageId: string) => bodyOf(await call({ path: `/v1/messages/${messageId}` })),
    statuses: (messageId: string): Promise<string[]> => box.statusesOf(messageId, id),
    /** How the virtual network treats a handset from now on. */
    async script(to: string, channels: Record<string, unknown>) {
      const path = `/v1/sandbox/recipients/${encodeURIComponent(to)}`;
      bodyOf(await call({ path, method: 'PUT', body: { channels } }));
    },
    changePolicy: async (policy: Record<string, unknown>) => {
      bodyOf(await box.operator({ path: `/admin/v1/applications/${id}/policy`, method: 'PATCH', body: policy }));
    },
  };
}
