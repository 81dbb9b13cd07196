-- When somebody is to be told. Made by the operator; nothing is watched without a rule.
create table alert_rules (
  id bigint primary key default account_id(),
  -- Null: about the whole installation.
  application_id bigint,
  kind text not null
    check (kind in ('balance', 'verification_rate', 'delivery_rate', 'provider_circuit', 'callback_failure', 'spend_velocity')),
  -- In the unit of the kind: currency, percent, minutes. An alert begins beyond the first and ends beyond the second.
  threshold double precision,
  clear_threshold double precision,
  -- Spend: so many times the average hour of the seven days before.
  factor double precision,
  -- Fewer codes or hand-overs inside the window say nothing.
  min_samples integer not null check (min_samples >= 0),
  quiet_minutes integer not null check (quiet_minutes >= 0),
  enabled boolean not null,
  tell_callback boolean not null,
  email_provider text,
  email_to text[] not null check (cardinality(email_to) <= 5 and (email_provider is null) = (cardinality(email_to) = 0)),
  telegram_chat text,
  -- Sealed.
  telegram_token bytea,
  -- What was found last, and when it is looked at again.
  value double precision,
  judged_at timestamptz,
  due_at timestamptz not null default clock_now(),
  created_at timestamptz not null default clock_now(),
  updated_at timestamptz not null default clock_now(),
  check ((application_id is null) = (kind = 'provider_circuit')),
  check ((telegram_chat is null) = (telegram_token is null))
);
create index alert_rules_by_application on alert_rules (application_id, id);
create index alert_rules_due on alert_rules (due_at) where enabled;
comment on table alert_rules is 'alerts: when somebody is to be told, and how';

-- The history. It outlives its rule.
create table alerts (
  id bigint primary key default account_id(),
  rule_id bigint not null,
  application_id bigint,
  kind text not null,
  -- What of it: a provider, an endpoint; empty where a rule looks at one thing alone.
  subject text not null,
  value double precision not null,
  threshold double precision not null,
  text text not null,
  raised_at timestamptz not null default clock_now(),
  ended_at timestamptz,
  -- Found when it ended; null where there was nothing to find any more.
  ended_value double precision
);
create unique index alerts_raised on alerts (rule_id, subject) where ended_at is null;
create index alerts_by_rule on alerts (rule_id, subject, id);
create index alerts_by_application on alerts (application_id, id);
create index alerts_by_end on alerts (ended_at) where ended_at is not null;
comment on table alerts is 'alerts: what was raised, and when it ended';

-- E-mails and Telegram messages: written with the change they tell of, posted afterwards.
create table alert_messages (
  id bigint generated always as identity primary key,
  alert_id bigint not null references alerts (id) on delete cascade,
  rule_id bigint not null,
  about text not null check (about in ('raised', 'ended')),
  way text not null check (way in ('email', 'telegram')),
  -- Address or chat.
  recipient text not null,
  -- Of an e-mail.
  provider text,
  title text not null,
  text text not null,
  state text not null default 'waiting' check (state in ('waiting', 'sent', 'given_up')),
  tries smallint not null default 0,
  due_at timestamptz default clock_now(),
  last_error text,
  created_at timestamptz not null default clock_now(),
  ended_at timestamptz,
  check ((state = 'waiting') = (due_at is not null))
);
create index alert_messages_due on alert_messages (due_at) where due_at is not null;
create index alert_messages_by_alert on alert_messages (alert_id, id);
create index alert_messages_by_rule on alert_messages (rule_id) where due_at is not null;
comment on table alert_messages is 'alerts: e-mails and Telegram messages, still to be posted or done';

-- How far the ledger of an application is counted into alert_minutes.
create table alert_followers (
  application_id bigint primary key,
  txid xid8 not null,
  position bigint not null
) with (fillfactor = 50);
comment on table alert_followers is 'alerts: how far the ledger of an application is counted';

-- Receipts count in the minute in which their hand-over was sent, endings and costs in their own.
create table alert_minutes (
  application_id bigint not null,
  minute timestamptz not null,
  sent integer not null,
  delivered integer not null,
  undelivered integer not null,
  verified integer not null,
  unverified integer not null,
  cost_micros bigint not null,
  primary key (application_id, minute)
) with (fillfactor = 70);
comment on table alert_minutes is 'alerts: what happened in each minute of the last eight days';
