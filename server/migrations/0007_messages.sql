create table messages (
  application_id bigint not null,
  id bigint not null,
  kind text not null check (kind in ('otp', 'code', 'custom')),
  -- The normalised address the message was asked for.
  recipient text not null,
  template_id text not null,
  template_revision integer not null,
  language text not null,
  country text,
  purpose text,
  -- Null unless kind is otp.
  verification_id bigint,
  custom_args jsonb,
  signals jsonb,
  -- What a resend needs beyond the sealed content: parameters are not kept.
  created_at timestamptz not null,
  -- Null for messages without a code.
  expires_at timestamptz,
  primary key (application_id, id)
);
create index messages_by_recipient on messages (application_id, recipient, id);
comment on table messages is 'messages: what was accepted to be sent, immutable';
