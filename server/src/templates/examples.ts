/** Examples of the template operations, shown in OpenAPI and docs; a test parses each with the schemas it belongs to. */

const body = {
  template_id: 'signin_demo',
  description: 'Sign-in',
  send_channel_strategy: 'whatsapp|sms',
  brand_name: 'Acme',
  verify_code_config: { verify_code_type: 1, verify_code_len: 6, verify_code_ttl: 5 },
  whatsapp_config: { template_type: 1, template_default_config: { contain_security: true, contain_expire: true } },
  sms_config: {
    template_type: 2,
    template_custom_config: {
      custom_sub_type: 'authentication',
      custom_content: '{{code}} opens your {{brand_name}} account',
    },
  },
};

const facts = {
  created_time: 1783036800,
  status: 2,
  audit_remark: '',
  revision: 1,
  live_revision: 1,
  updated_time: 1783036800,
};
const { sms_config, whatsapp_config, ...head } = body;
const detail = { ...head, whatsapp_config, sms_config: { template_parts: 1, ...sms_config }, ...facts };
const summary = {
  ...head,
  whatsapp_config: { template_type: 1 },
  sms_config: { template_type: 2, template_parts: 1 },
  ...facts,
};
const success = { code: 0, message: 'success' };
const saved = { ...success, template_id: 'signin_demo', revision: 1, status: 1, warnings: [] };
const linkWarning = {
  code: 'url_in_text',
  level: 'warning',
  channel: 'sms',
  language: null,
  message: 'a link in a text message is often filtered',
};

export const examples = {
  create: [{ name: 'a chain with an own SMS text', body, output: saved }],
  list: [{ name: 'one template', output: [summary] }],
  get: [{ name: 'an approved template', output: detail }],
  update: [
    {
      name: 'stop the old text at once',
      body: { ...body, withdraw: true },
      output: { ...saved, revision: 2, warnings: [linkWarning] },
    },
  ],
  remove: [{ name: 'deleted', output: success }],
  preview: [
    {
      name: 'one language',
      body: { language: 'es' },
      output: {
        template_id: 'signin_demo',
        revision: 1,
        renderings: [
          {
            channel: 'whatsapp',
            language: 'es',
            text_language: 'es',
            text: '123456 es tu clave de Acme. Caduca en 5 min. No la compartas con nadie.',
            encoding: null,
            length: 71,
            segments: 1,
          },
          {
            channel: 'sms',
            language: 'es',
            text_language: 'default',
            text: '123456 opens your Acme account',
            encoding: 'GSM-7',
            length: 30,
            segments: 1,
          },
        ],
        warnings: [],
      },
    },
  ],
  queue: [
    {
      name: 'one waiting',
      output: {
        templates: [
          {
            application_id: '2072800000000000001',
            template: { ...detail, status: 1, live_revision: null },
            findings: [],
          },
        ],
      },
    },
  ],
  review: [
    {
      name: 'rejected',
      body: { approved: false, remark: 'Name your company in the text.' },
      output: {
        application_id: '2072800000000000001',
        template_id: 'signin_demo',
        revision: 2,
        status: 3,
        live_revision: 1,
      },
    },
  ],
};
