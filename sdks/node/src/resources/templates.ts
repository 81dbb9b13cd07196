// Approved texts per channel and language. Bodies and answers keep the names of the wire.
// Answers of these methods may carry more fields than are typed here.

import { segment, type Transport } from '../transport.ts';

export interface VerifyCodeConfig {
  /** Bits: 1 digits, 2 lower case, 4 upper case. */
  verify_code_type: number;
  verify_code_len: number;
  /** Minutes. */
  verify_code_ttl: number;
}

export interface DefaultText {
  contain_security: boolean;
  contain_expire: boolean;
}

export interface SmsConfig {
  /** 1 the platform's text, 2 your own. */
  template_type: number;
  template_default_config?: DefaultText;
  template_custom_config?: {
    custom_sub_type: 'authentication' | 'utility' | 'marketing';
    custom_content: string;
    custom_country_codes?: string;
  };
  from_id?: string;
  web_otp_origin?: string;
  android_app_hash?: string;
  /** India: what is registered with the operators; `text` has `{#var#}` where a value stands. */
  dlt?: { entity_id: string; template_id: string; text: string };
}

export interface EmailConfig {
  template_name: string;
  template_custom_configs?: {
    language: string;
    pre_from_name?: string;
    pre_from_mail: string;
    pre_subject: string;
    template_content: string;
    pre_param_map?: Record<string, string>;
  }[];
}

export interface TemplateBody {
  template_id: string;
  description?: string;
  /** One channel, or a chain such as `whatsapp|sms`, tried in that order. */
  send_channel_strategy: string;
  brand_name?: string;
  verify_code_config?: VerifyCodeConfig;
  whatsapp_config?: { template_type: number; template_default_config: DefaultText };
  sms_config?: SmsConfig;
  voice_config?: { template_type: number; template_default_config: DefaultText };
  email_config?: EmailConfig;
  pwa_config?: { pwa_platform?: string; pwa_code?: string };
  fallback_wait_seconds?: number | Record<string, number>;
  resend?: { mode?: string; n?: number; resend_after?: number; max_sends?: number; window_seconds?: number };
}

/** In lists the channel configs are shortened; `get` returns them whole. */
export interface Template extends Partial<TemplateBody> {
  template_id: string;
  send_channel_strategy: string;
  created_time: number;
  /** 1 pending, 2 approved, 3 rejected; only approved templates send. */
  status: number;
  audit_remark: string;
  revision?: number;
  live_revision?: number | null;
  updated_time?: number;
}

export interface LintEntry {
  code: string;
  level: string;
  channel: string | null;
  language: string | null;
  message: string;
}

export interface TemplateSaved {
  code: number;
  message: string;
  template_id?: string;
  revision?: number;
  status?: number;
  warnings?: LintEntry[];
}

export interface TemplatePreview {
  template_id: string;
  revision: number;
  renderings: {
    channel: string;
    language: string;
    subject?: string;
    text: string;
    encoding: 'GSM-7' | 'UCS-2' | null;
    length: number;
    segments: number | null;
    from?: string;
  }[];
  warnings: LintEntry[];
}

export class Templates {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** All templates of the application, newest first. */
  list(): Promise<Template[]> {
    return this.#transport.request({ method: 'GET', path: '/v1/template-configs' });
  }

  async get(id: string): Promise<Template> {
    return this.#transport.request({ method: 'GET', path: pathOf(id) });
  }

  /** A new template waits for its review before it can send. */
  create(body: TemplateBody): Promise<TemplateSaved> {
    return this.#transport.request({ method: 'POST', path: '/v1/template-configs', body });
  }

  /** Makes a new revision; sends keep using the approved one until the new one is approved, unless `withdraw` is set. */
  async update(
    id: string,
    body: Omit<TemplateBody, 'template_id'> & { template_id?: string; withdraw?: boolean },
  ): Promise<TemplateSaved> {
    return this.#transport.request({ method: 'PUT', path: pathOf(id), body });
  }

  async delete(id: string): Promise<{ code: number; message: string }> {
    return this.#transport.request({ method: 'DELETE', path: pathOf(id) });
  }

  /** Renders with a sample code, one language or all; sends nothing. */
  async preview(
    id: string,
    body: { language?: string; params?: Record<string, string>; revision?: number } = {},
  ): Promise<TemplatePreview> {
    return this.#transport.request({ method: 'POST', path: `${pathOf(id)}/preview`, body });
  }
}

function pathOf(id: string): string {
  return `/v1/template-configs/${segment(id)}`;
}
