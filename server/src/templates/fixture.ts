/** For the tests of this room: template bodies, applications, and what to ask of both. */
import assert from 'node:assert/strict';
import { ApiError } from '../errors.ts';
import { listEvents } from '../events/index.ts';
import type { Db } from '../platform/db.ts';
import { createLog } from '../platform/log.ts';
import { type Application, type Policy, policySchema } from '../policy.ts';
import type { EmailText, TemplateBody } from './body.ts';
import { createTemplates, type Templates } from './index.ts';

const both = { template_type: 1 as const, template_default_config: { contain_security: true, contain_expire: true } };
const digits = { verify_code_type: 1, verify_code_len: 6, verify_code_ttl: 5 };

export function smsBody(changes: Partial<TemplateBody> = {}): TemplateBody {
  return {
    template_id: 'signin_demo',
    send_channel_strategy: 'sms',
    brand_name: 'Acme',
    verify_code_config: digits,
    sms_config: both,
    ...changes,
  };
}

export function ownSmsBody(custom_content: string, changes: Partial<TemplateBody> = {}): TemplateBody {
  return smsBody({
    sms_config: { template_type: 2, template_custom_config: { custom_sub_type: 'authentication', custom_content } },
    ...changes,
  });
}

/** A notification without any code. */
export function noticeBody(custom_content: string, changes: Partial<TemplateBody> = {}): TemplateBody {
  return {
    template_id: 'order_note',
    send_channel_strategy: 'sms',
    brand_name: 'Acme',
    sms_config: { template_type: 2, template_custom_config: { custom_sub_type: 'utility', custom_content } },
    ...changes,
  };
}

/** All four channels, built-in texts. */
export function wholeBody(changes: Partial<TemplateBody> = {}): TemplateBody {
  return smsBody({
    send_channel_strategy: 'whatsapp|sms|voice|email',
    whatsapp_config: both,
    voice_config: both,
    email_config: { template_name: 'mail', template_custom_configs: [] },
    ...changes,
  });
}

export function emailBody(template_custom_configs: EmailText[], changes: Partial<TemplateBody> = {}): TemplateBody {
  return {
    template_id: 'mail_demo',
    send_channel_strategy: 'email',
    brand_name: 'Acme',
    verify_code_config: digits,
    email_config: { template_name: 'mail', template_custom_configs },
    ...changes,
  };
}

let applications = 0;
/** A fresh application for each test: nothing is shared but the tables. */
export function newApplication(policy: Partial<Policy> = {}): Application {
  return {
    id: String(++applications),
    organizationId: '1',
    name: 'Shop',
    network: 'virtual',
    sandbox: 'none',
    policy: { ...policySchema.parse({}), ...policy },
  };
}
export const autoApproving = (): Application => newApplication({ template_review: 'auto' });

export const open = (db: Db): Templates => createTemplates({ db, log: createLog('silent') });

export const refused = (
  deed: Promise<unknown>,
  code: number,
  reason: string | undefined,
  message?: string,
): Promise<void> =>
  assert.rejects(deed, (error) => {
    assert.ok(error instanceof ApiError, String(error));
    assert.deepEqual([error.code, error.reason], [code, reason]);
    if (message !== undefined) assert.equal(error.message, message);
    return true;
  });

/** Revision that sends use, or why there is none. */
export async function serving(templates: Templates, { id }: Application, templateId = 'signin_demo'): Promise<unknown> {
  const found = await templates.findForSend(id, templateId);
  return found.kind === 'ok' ? found.template.revision : found.kind;
}

/** Cause, status and data of what the ledger holds about the application's templates. */
export async function eventsOf(db: Db, { id }: Application): Promise<unknown[]> {
  return (await listEvents(db, id, '0')).map(({ cause, status, data }) => [cause, status, data]);
}
