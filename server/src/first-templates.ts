/** The two approved templates of the first application, so that a code and a notification can be sent within the first minute. */
export const firstTemplates = [
  {
    template_id: 'login',
    description: 'Login code by SMS',
    send_channel_strategy: 'sms',
    verify_code_config: { verify_code_type: 1, verify_code_len: 6, verify_code_ttl: 5 },
    sms_config: { template_type: 1, template_default_config: { contain_security: true, contain_expire: true } },
  },
  {
    template_id: 'welcome',
    description: 'Welcome message by SMS',
    send_channel_strategy: 'sms',
    sms_config: {
      template_type: 2,
      template_custom_config: { custom_sub_type: 'utility', custom_content: 'Welcome to {{brand_name}}, {{name}}.' },
    },
  },
];
