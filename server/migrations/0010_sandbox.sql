-- Numbers of hand-overs to the virtual phone network; the upstream id is made of one.
create sequence handset_numbers as bigint;

-- Never updated. The primary key is also the order in which a handset is read.
create table handset_messages (
  application_id bigint not null,
  recipient text not null,
  -- When the handset shows it: the hand-over plus a scripted delay.
  received_at timestamptz not null,
  number bigint not null,
  message_id bigint not null,
  channel text not null check (channel in ('whatsapp', 'sms', 'email', 'voice')),
  language text not null,
  step smallint not null,
  attempt smallint not null,
  segments smallint,
  -- Text, subject and code, sealed.
  content bytea not null,
  primary key (application_id, recipient, received_at, number)
);
create index handset_messages_by_age on handset_messages using brin (received_at) with (pages_per_range = 32);
comment on table handset_messages is 'sandbox: what the handsets of the virtual phone network received, kept 24 hours';

-- Apart from the messages, so that claiming and finishing a receipt never copies a sealed text. Claims touch no indexed column.
create table handset_receipts (
  due_at timestamptz not null,
  number bigint not null,
  -- When the first report was due; a day later nobody tries any more.
  first_due_at timestamptz not null,
  claimed_until timestamptz,
  -- Null for delivered.
  error_code integer,
  -- Reports still to be made; more than one are duplicates by script.
  times_left smallint not null check (times_left between 1 and 5),
  -- Reports in a row that were not taken.
  tries smallint not null default 0,
  primary key (due_at, number)
) with (fillfactor = 70);
comment on table handset_receipts is 'sandbox: receipts the virtual phone network still has to report';

create table handset_scripts (
  application_id bigint not null,
  recipient text not null,
  channel text not null check (channel in ('whatsapp', 'sms', 'email', 'voice')),
  hand_over text not null check (hand_over in ('accept', 'refuse', 'refuse_temporarily', 'no_answer')),
  error_code integer not null,
  lost boolean not null,
  arrive_after_ms integer not null check (arrive_after_ms between 0 and 86400000),
  receipt text not null check (receipt in ('delivered', 'undelivered', 'none')),
  receipt_error_code integer not null,
  receipt_after_ms integer not null check (receipt_after_ms between 0 and 86400000),
  receipt_times smallint not null check (receipt_times between 1 and 5),
  receipt_before_answer boolean not null,
  set_at timestamptz not null default clock_now(),
  primary key (application_id, recipient, channel)
);
comment on table handset_scripts is 'sandbox: how the virtual phone network treats a recipient of an application, kept 24 hours';

create table sandbox_webhooks (
  application_id bigint primary key,
  url text not null,
  username text not null,
  -- All three sealed.
  secret bytea not null,
  signing_secret bytea not null,
  authorization_value bytea,
  reachable boolean not null,
  set_at timestamptz not null default clock_now()
);
comment on table sandbox_webhooks is 'sandbox: where a sandbox application wants its callbacks';

create table sandbox_quotas (
  -- Keyed hash of the client address or of the key.
  caller bytea primary key,
  day date not null,
  used integer not null
) with (fillfactor = 70);
comment on table sandbox_quotas is 'sandbox: requests per caller and UTC day';
