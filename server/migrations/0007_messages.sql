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
  -- Parameters, sealed; kept only where a resend makes a new code and must render again.
  sealed_params bytea,
  created_at timestamptz not null,
  -- Null for messages without a code.
  expires_at timestamptz,
  primary key (application_id, id)
);
create index messages_by_recipient on messages (application_id, recipient, id);
comment on table messages is 'messages: what was accepted to be sent, immutable';
