/** What the description of the API shows. */
const at = '2026-07-03T00:00:00.000Z';
const id = '2072832692843446273';
const application = '2072832692843446272';
const chat = '-1001234567890';

export const ruleBody = {
  kind: 'verification_rate',
  application_id: application,
  threshold: 60,
  notify: {
    email: { provider_id: 'mail-relay', addresses: ['ana@example.com'] },
    telegram: { bot_token: '123456789:AAExampleTokenOfABot', chat_id: chat },
  },
};

export const rule = {
  id,
  application_id: application,
  kind: 'verification_rate',
  threshold: 60,
  clear_threshold: null,
  factor: null,
  min_samples: 50,
  quiet_minutes: 60,
  enabled: true,
  notify: {
    callback: true,
    email: { provider_id: 'mail-relay', addresses: ['ana@example.com'] },
    telegram: { bot_token: 'set', chat_id: chat },
  },
  raised: false,
  value: 83.5,
  judged_at: at,
  created_at: at,
  updated_at: at,
} as const;

export const alert = {
  id: '2072832692843446299',
  rule_id: id,
  application_id: application,
  kind: 'verification_rate',
  subject: null,
  state: 'raised',
  value: 41.2,
  threshold: 60,
  text: `41.2 % of the codes of application ${application} that ended in the last hour were verified (35 of 85), below 60 %.`,
  raised_at: at,
  ended_at: null,
  ended_value: null,
  messages: [
    {
      about: 'raised',
      way: 'telegram',
      to: chat,
      state: 'sent',
      tries: 1,
      last_error: null,
      next_try_at: null,
      ended_at: at,
    },
  ],
} as const;

export const tested = {
  results: [
    { way: 'callback', to: null, outcome: 'queued', detail: null },
    { way: 'email', to: 'ana@example.com', outcome: 'accepted', detail: null },
    {
      way: 'telegram',
      to: chat,
      outcome: 'refused',
      detail: 'Telegram does not know the bot token (401): enter the one BotFather gave',
    },
  ],
} as const;
