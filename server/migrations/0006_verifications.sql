create table verifications (
  application_id bigint not null,
  -- The id of the first message of the verification.
  id bigint not null,
  target text not null,
  template_id text not null,
  purpose text,
  state text not null default 'pending' check (state in ('pending', 'verified', 'exhausted', 'expired', 'cancelled', 'superseded')),
  code_type smallint not null,
  -- Live codes, newest last: keyed HMAC and the expiry of each. More than one only with rotate_with_grace.
  code_hashes bytea[] not null,
  code_expiries timestamptz[] not null,
  -- When the last live code dies.
  expires_at timestamptz not null,
  attempts smallint not null default 0,
  max_attempts smallint not null,
  target_attempts smallint not null,
  target_window interval not null,
  -- False for sandbox recipients: their wrong codes do not count toward the target.
  counted boolean not null,
  -- Every message of the verification, oldest first.
  message_ids bigint[] not null,
  ended_at timestamptz,
  primary key (application_id, id),
  check (attempts between 0 and max_attempts)
) with (fillfactor = 85);
create index verifications_to_expire on verifications (expires_at) where state = 'pending';
comment on table verifications is 'verifications: codes (as keyed hashes) and their checking';

-- Messages of a verification other than the first; the first has the id of the verification itself.
create table verification_messages (
  application_id bigint not null,
  message_id bigint not null,
  verification_id bigint not null,
  primary key (application_id, message_id)
);
comment on table verification_messages is 'verifications: further messages of a verification';
