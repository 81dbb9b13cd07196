/** Template bodies for the tests of this room. */
import type { EmailText, TemplateBody } from './body.ts';

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
