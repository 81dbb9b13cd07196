/**
 * The three templates of every sandbox application (contract §13), as bodies of POST /v1/template-configs. They carry the
 * texts of all channels, since the scripts of some magic recipients replace the chain.
 */
const twoToggles = { contain_security: true, contain_expire: true };
const sixDigitsFiveMinutes = { verify_code_type: 1, verify_code_len: 6, verify_code_ttl: 5 };
const builtInText = { template_type: 1 as const, template_default_config: twoToggles };

const allChannels = (name: string) => ({
  brand_name: 'Sandbox',
  verify_code_config: sixDigitsFiveMinutes,
  whatsapp_config: builtInText,
  sms_config: builtInText,
  voice_config: builtInText,
  // Without texts of its own: the built-in one in every language.
  email_config: { template_name: name, template_custom_configs: [] },
});

export const sandboxTemplates = [
  {
    template_id: 'sandbox-otp-tpl',
    description: 'Sandbox: a code made by the platform',
    send_channel_strategy: 'sms|email',
    ...allChannels('sandbox-otp-tpl'),
  },
  {
    template_id: 'sandbox-otp-tpl-wa',
    description: 'Sandbox: a code made by the platform, by WhatsApp',
    send_channel_strategy: 'whatsapp',
    ...allChannels('sandbox-otp-tpl-wa'),
  },
  {
    template_id: 'sandbox-custom-tpl',
    description: 'Sandbox: a code brought by the caller',
    send_channel_strategy: 'sms|email',
    ...allChannels('sandbox-custom-tpl'),
    sms_config: {
      template_type: 2,
      template_custom_config: {
        custom_sub_type: 'authentication',
        custom_content: '{{code}} is your {{brand_name}} code. Do not share it with anyone.',
      },
    },
  },
] as const;
